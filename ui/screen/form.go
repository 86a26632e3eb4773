package screen

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// form is the new task. Enter submits from any field; only the command is
// required. It says which nodes could run it while it is typed.
type form struct {
	fields  []*part.Field
	at      int
	history []string
	hist    int // index into history; len is "what is typed now"
	typed   string
	from    task.ID // the task this is a copy of
	base    task.Spec
	argv    []string // kept as long as the command is not edited
	spec    task.Spec
	faulty  bool
	sent    bool   // on its way; what is typed now is not for this form
	refused string // why the cluster did not take it, until something is edited
}

// The fields, in the order of tab.
const (
	fCommand = iota
	fOn
	fPriority
	fTimeout
	fRetries
	fCPU
	fMemory
	fGPU
	fSandbox
	fDir
	fEnv
	fName
	fTags
	fieldCount
)

func newForm(m *Model, from *task.Task) *form {
	f := &form{history: m.opt.History}
	f.hist = len(f.history)
	f.fields = make([]*part.Field, fieldCount)
	for i, d := range [fieldCount][3]string{
		{"Command", "", ""},
		{"Run on", "any, a node, or labels: arch=arm64", "any"},
		{"Priority", "low normal high critical, 0-100", "normal"},
		{"Timeout", "10m, 90s; none", ""},
		{"Retries", "", "0"},
		{"CPU", "", "1"},
		{"Memory", "1GiB", ""},
		{"GPU", "", "0"},
		{"Sandbox", "none basic strict very-strict", ""},
		{"Directory", "on the worker", ""},
		{"Env", "A=1 B=2", ""},
		{"Name", "", ""},
		{"Tags", "a,b", ""},
	} {
		f.fields[i] = part.NewField(d[0], d[1], d[2], 4096)
	}
	f.base = task.Spec{Priority: task.PriorityNormal}
	if from != nil {
		f.from, f.base = from.ID, from.Spec
		f.base.RetryOf = from.ID
		f.argv = from.Spec.Argv
		f.fill(&from.Spec)
	} else if len(f.history) == 0 {
		f.fields[fCommand].Suggest(firstCommand(m.opt.Windows))
	}
	f.check()
	return f
}

// firstCommand is ready in the form of a newcomer; typing replaces it.
func firstCommand(windows bool) string {
	if windows {
		return "echo hello from %COMPUTERNAME%"
	}
	return "echo hello from $(hostname)"
}

func (f *form) in() Ctx { return InForm }

func (f *form) key(_ *Model, k tea.KeyMsg) {
	if !f.sent && f.fields[f.at].Key(k) {
		f.refused = ""
		if f.at == fCommand {
			f.hist = len(f.history)
			f.argv = nil
		}
		f.check()
	}
}

func (f *form) act(m *Model, action string) {
	if action == "field.close" {
		m.closeIt(f)
		return
	}
	if f.sent {
		return
	}
	switch action {
	case "field.next":
		f.at = (f.at + 1) % fieldCount
	case "field.back":
		f.at = (f.at + fieldCount - 1) % fieldCount
	case "field.older":
		f.browse(-1)
	case "field.newer":
		f.browse(1)
	case "field.accept":
		f.submit(m, true)
	case "field.again":
		f.submit(m, false)
	}
}

// browse walks through the commands submitted before; in other fields it
// moves between fields.
func (f *form) browse(n int) {
	if f.at != fCommand {
		f.at = (f.at + n + fieldCount) % fieldCount
		return
	}
	if len(f.history) == 0 {
		if n > 0 {
			f.at = fOn
		}
		return
	}
	if f.hist == len(f.history) {
		f.typed = f.fields[fCommand].Value()
	}
	f.hist = min(max(0, f.hist+n), len(f.history))
	text := f.typed
	if f.hist < len(f.history) {
		text = f.history[f.hist]
	}
	f.argv = nil
	f.fields[fCommand].Set(text)
	f.check()
}

// submit sends the task if nothing is wrong with it. The form stays, with all
// that was typed, until the cluster has taken it.
func (f *form) submit(m *Model, open bool) {
	f.check()
	if f.spec.Shell == "" && len(f.spec.Argv) == 0 {
		f.fields[fCommand].Fault, f.at, f.faulty = "type the command to run", fCommand, true
	}
	if f.faulty {
		return
	}
	sp := f.spec
	if cmd := f.fields[fCommand].Value(); len(m.opt.History) == 0 || m.opt.History[len(m.opt.History)-1] != cmd {
		m.opt.History = append(m.opt.History, cmd)
		m.do(Remember{cmd})
	}
	m.needDispatcher(func(m *Model) {
		f.sent, f.refused = true, ""
		m.submit(sp, open, func(err error) { f.answered(m, open, err) })
	})
}

// answered is told whether the task was taken.
func (f *form) answered(m *Model, open bool, err error) {
	f.sent = false
	switch {
	case err != nil:
		f.refused = err.Error() + hintText(task.HintOf(err))
	case open:
		m.closeIt(f)
	default:
		f.history = m.opt.History
		f.hist = len(f.history)
		f.fields[fCommand].Set("")
		f.check()
	}
}

// check reads every field; what is wrong is said beside it.
func (f *form) check() {
	f.faulty = false
	sp := f.base
	sp.Shell, sp.Argv = f.fields[fCommand].Value(), nil
	if len(f.argv) > 0 {
		sp.Shell, sp.Argv = "", f.argv
	}
	for i, read := range fieldReaders {
		if read == nil {
			continue
		}
		fd := f.fields[i]
		fd.Fault = ""
		if err := read(&sp, strings.TrimSpace(fd.Value())); err != nil {
			fd.Fault, f.faulty = err.Error(), true
		}
	}
	f.spec = sp
}

// fits counts the nodes that could run it, and names a few.
func (f *form) fits(nodes []control.Node) (names []string, all int) {
	for i := range nodes {
		n := &nodes[i]
		if n.State == control.NodeAsks || n.State == control.NodeForeign {
			continue
		}
		all++
		if n.State == control.NodeUp && n.Capacity.Slots > 0 && meets(&f.spec.Need, n) {
			names = append(names, n.Name)
		}
	}
	return names, all
}

func meets(need *task.Need, n *control.Node) bool {
	c := &n.Capacity
	if need.CPUs() > c.CPU || need.MemoryMB > c.MemoryMB || need.DiskMB > c.DiskMB || need.GPUs > c.GPUs {
		return false
	}
	if need.On != "" && need.On != n.Name && need.On != string(n.ID) {
		return false
	}
	for k, v := range need.Labels {
		if c.Labels[k] != v {
			return false
		}
	}
	if need.Sandbox == "" {
		return true
	}
	for _, s := range c.Sandboxes {
		if s == need.Sandbox {
			return true
		}
	}
	return false
}

func (f *form) command(*Model) string { return text.SubmitCommand(&f.spec) }

func (f *form) foot(m *Model) []hint {
	return []hint{
		{"enter", "submit"},
		{m.keys.Of(InForm, "field.again"), "submit and another"},
		{"tab", "next field"},
		{"up down", "history"},
		{m.keys.Of(InForm, "field.copy"), "copy as command"},
		{"esc", "close"},
	}
}

// formRows is which fields share a row.
var formRows = [][]int{{fCommand}, {fOn}, {fPriority}, {fTimeout, fRetries}, {fCPU, fMemory, fGPU}, {fSandbox}, {fDir}, {fEnv}, {fName, fTags}}

func (f *form) draw(m *Model, w, h int) []string {
	w = min(w, 92)
	iw := max(0, w-4)
	said := f.verdict(m, iw)
	var lines []string
	from, to := f.rowsFor(h - 4 - len(said))
	for i, row := range formRows[from:to] {
		lines = append(lines, f.drawRow(m, row, iw))
		if i == 0 && h >= 20 {
			lines = append(lines, part.NewLine(m.s, iw).String())
		}
	}
	if h >= 20 {
		lines = append(lines, part.NewLine(m.s, iw).String())
	}
	lines = append(lines, said...)
	if len(lines) < h-4 {
		lines = append(lines, m.same(iw, text.SubmitCommand(&f.spec)))
	}
	title := "New task"
	if f.from != 0 {
		title = "Copy of task " + f.from.String()
	}
	return part.Dialog{Title: title, Lines: lines, Focus: -1}.Draw(m.s, w, h)
}

// verdict is what is wrong with what was typed, or who could run it.
func (f *form) verdict(m *Model, w int) []string {
	fault := f.refused
	for _, fd := range slices.Backward(f.fields) { // also of rows that are not drawn
		if fd.Fault != "" {
			fault = fd.Label + ": " + fd.Fault
		}
	}
	switch {
	case f.sent:
		return []string{part.NewLine(m.s, w).T(theme.Muted, "submitting …").String()}
	case fault != "":
		return m.text(w, theme.Err, m.s.Glyphs.Failed+" "+fault)
	}
	return []string{f.fitLine(m, w)}
}

// rowsFor is which rows are drawn where there is room for n: all of them, or
// those around the one that is edited.
func (f *form) rowsFor(n int) (from, to int) {
	n = max(1, n)
	if n >= len(formRows) {
		return 0, len(formRows)
	}
	for i, row := range formRows {
		for _, k := range row {
			if k == f.at {
				from = min(max(0, i-n+1), len(formRows)-n)
			}
		}
	}
	return from, from + n
}

func (f *form) drawRow(m *Model, row []int, w int) string {
	l := part.NewLine(m.s, w)
	share := w / len(row)
	for j, k := range row {
		fd := f.fields[k]
		l.To(j * share)
		label, tok := 11, theme.Muted
		if j > 0 {
			label = part.Width(fd.Label) + 2
		}
		if k == f.at {
			tok = theme.Focus
		}
		if fd.Fault != "" {
			tok = theme.Err
		}
		l.Cell(tok, fd.Label, label, false)
		room := share - label - 2
		note := ""
		if len(row) == 1 && fd.Note != "" && w >= 64 {
			note = "(" + fd.Note + ")"
			room -= part.Width(note) + 1
		}
		fd.Draw(l, max(4, room), k == f.at)
		if note != "" {
			l.Sp(1).T(theme.Muted, note)
		}
	}
	return l.String()
}

func (f *form) fitLine(m *Model, w int) string {
	l := part.NewLine(m.s, w)
	names, all := f.fits(m.view().Nodes)
	switch {
	case m.view().Status.Dispatcher == "":
		return l.T(theme.Warn, "No dispatcher yet: submitting first offers to make this node one.").String()
	case len(names) == 0:
		return l.T(theme.Warn, m.s.Glyphs.Stale+" ").T(theme.Warn, fmt.Sprintf("No node fits now (0 of %d). It would wait for one; w on the task says for what.", all)).String()
	}
	shown := names[:min(3, len(names))]
	l.T(theme.OK, m.s.Glyphs.Done+" ").T(theme.Text, "Fits "+strings.Join(shown, ", "))
	if len(names) > 3 {
		l.T(theme.Text, fmt.Sprintf(" and %d more", len(names)-3))
	}
	l.T(theme.Muted, fmt.Sprintf("  (%s of %s)", part.Count(len(names)), part.Plural(all, "node")))
	if r := m.view().Status.Ready; r > 0 {
		l.T(theme.Muted, "  "+part.Count(r)+" ahead of it")
	}
	return l.String()
}
