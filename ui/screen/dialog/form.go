package dialog

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
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
	filled  [fieldCount]string // what fill wrote; a field that still has it keeps base's value
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

func newForm(view *scene.Scene, from *task.Task) *form {
	f := &form{history: view.Options.History}
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
	f.fields[fCommand] = part.NewField("Command", "", "", task.MaxCommandBytes)
	f.fields[fCommand].Multiline = true
	f.base = task.Spec{Priority: task.PriorityNormal}
	if from != nil {
		f.from, f.base = from.ID, from.Spec
		f.base.RetryOf = from.ID
		f.fill(&from.Spec)
	} else if len(f.history) == 0 {
		f.fields[fCommand].Suggest(firstCommand(view.Options.Windows))
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

func (f *form) In() scene.Ctx { return scene.InForm }

func (f *form) Key(_ *scene.Scene, k tea.KeyMsg) {
	if !f.sent && f.fields[f.at].Key(k) {
		f.refused = ""
		if f.at == fCommand {
			f.hist = len(f.history)
		}
		f.check()
	}
}

func (f *form) Act(view *scene.Scene, action scene.Action) {
	if action == "field.close" {
		view.Close(f)
		return
	}
	if f.sent {
		return
	}
	switch action {
	case "field.next":
		f.moveTo(f.at + 1)
	case "field.back":
		f.moveTo(f.at + fieldCount - 1)
	case "field.older":
		f.browse(-1)
	case "field.newer":
		f.browse(1)
	case "field.accept":
		f.submit(view, true)
	case "field.again":
		f.submit(view, false)
	}
}

// moveTo goes to a field. What is in it is replaced by typing, but for a
// command, which is too much to lose to one key.
func (f *form) moveTo(i int) {
	f.at = i % fieldCount
	if f.at != fCommand {
		f.fields[f.at].Select()
	}
}

// browse walks through the commands submitted before; in other fields it
// moves between fields.
func (f *form) browse(n int) {
	if f.at != fCommand {
		f.moveTo(f.at + n + fieldCount)
		return
	}
	if f.fields[fCommand].Vertical(n) {
		return
	}
	if len(f.history) == 0 {
		if n > 0 {
			f.moveTo(fOn)
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
	f.fields[fCommand].Set(text)
	f.check()
}

// submit sends the task if nothing is wrong with it. The form stays, with all
// that was typed, until the cluster has taken it.
func (f *form) submit(view *scene.Scene, open bool) {
	f.check()
	if f.spec.Shell == "" && len(f.spec.Argv) == 0 && !f.spec.Null {
		f.fields[fCommand].Fault, f.at, f.faulty = "type the command to run", fCommand, true
	}
	if f.faulty {
		return
	}
	sp := f.spec
	remember(view, f.fields[fCommand].Value())
	needDispatcher(view, func(view *scene.Scene) {
		f.sent, f.refused = true, ""
		submit(view, sp, open, func(err error) { f.answered(view, open, err) })
	})
}

// remember keeps a command for the history, unless it was the last one too.
func remember(view *scene.Scene, command string) {
	if last := len(view.Options.History) - 1; command == "" || last >= 0 && view.Options.History[last] == command {
		return
	}
	view.Options.History = append(view.Options.History, command)
	view.Emit(scene.Remember{Command: command})
}

// answered is told whether the task was taken.
func (f *form) answered(view *scene.Scene, open bool, err error) {
	f.sent = false
	switch {
	case err != nil:
		f.refused = err.Error() + scene.HintText(task.HintOf(err))
	case open:
		view.Close(f)
	default:
		f.history = view.Options.History
		f.hist = len(f.history)
		f.fields[fCommand].Set("")
		f.check()
	}
}

// check reads every field; what is wrong is said beside it.
func (f *form) check() {
	f.faulty = false
	sp := f.base
	if !f.untouched(fCommand) {
		sp.Shell, sp.Argv, sp.Null = f.fields[fCommand].Value(), nil, false
	}
	for i, read := range fieldReaders {
		if read == nil || f.untouched(i) {
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

// untouched reports that a field still has what the copied task has there.
func (f *form) untouched(i int) bool {
	return f.from != 0 && f.fields[i].Value() == f.filled[i]
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

func (f *form) Command(*scene.Scene) string { return text.SubmitCommand(&f.spec) }

func (f *form) Foot(view *scene.Scene) []scene.Hint {
	return []scene.Hint{
		{Key: "enter", Text: "submit"},
		{Key: "ctrl+j", Text: "new line"},
		{Key: view.Keys.Of(scene.InForm, "field.again"), Text: "submit and another"},
		{Key: "tab", Text: "next field"},
		{Key: "up down", Text: "history"},
		{Key: view.Keys.Of(scene.InForm, "field.copy"), Text: "copy as command"},
		{Key: "esc", Text: "close"},
	}
}
