package screen

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// drawNode is what is known about the node under the cursor.
func (m *Model) drawNode(w, h int, focus bool) []string {
	n := m.node()
	iw, ih := part.Inner(w, h)
	if n == nil {
		return part.Box{Title: "Node", Focus: focus}.Draw(m.s, w, h, part.Blank(iw, ih))
	}
	lines := m.nodeFacts(n, iw)
	if m.top() == DeepNode {
		lines = append(lines, part.NewLine(m.s, iw).String(), part.NewLine(m.s, iw).Sp(1).T(theme.Muted, "TASKS HERE").String())
		cols := taskColumns(m.s, iw)
		ws := part.FitColumns(cols, iw-3, 2)
		for i := range m.view().Rows.Tasks {
			if len(lines) >= ih {
				break
			}
			if t := &m.view().Rows.Tasks[i]; slices.Equal(m.view().Rows.For.Query.Nodes, []string{string(n.ID)}) {
				lines = append(lines, m.taskRow(t, ws, iw, false, false))
			}
		}
	} else {
		lines = append(lines, m.nodeRuns(n, iw, ih-len(lines))...)
	}
	_, state := m.nodeLook(n)
	return part.Box{Title: n.Name, Remark: state, Focus: focus}.Draw(m.s, w, h, part.Tall(lines, iw, ih))
}

func (m *Model) nodeFacts(n *control.Node, w int) []string {
	s := m.view()
	line := func() *part.Line { return part.NewLine(m.s, w).Sp(1) }
	var out []string
	add := func(l *part.Line) { out = append(out, l.String()) }
	lb := n.Capacity.Labels
	l := line().T(theme.Text, strings.Trim(lb["os"]+"/"+lb["arch"], "/")).T(theme.Muted, fmt.Sprintf("  %g cores  ", float64(n.Capacity.CPU)/1000)).
		T(theme.Muted, part.Bytes(n.Capacity.MemoryMB<<20))
	if n.Capacity.GPUs > 0 {
		l.T(theme.Muted, "  "+part.Plural(int(n.Capacity.GPUs), "GPU"))
	}
	add(l)
	switch n.State {
	case control.NodeAsks:
		add(line().T(theme.Muted, "address ").T(theme.Text, n.Addr))
		add(line().T(theme.Text, "It wants to join. Until then it cannot run or submit anything."))
		add(line().T(theme.Text, "Press ").B(theme.Accent, m.keys.Of(InNodes, "admit")).T(theme.Text, " and type the code that its screen shows."))
	case control.NodeForeign:
		add(line().T(theme.Text, "It belongs to another cluster and can do nothing here."))
	default:
		hist := History{}
		if s.History.Node == n.ID {
			hist = s.History
		}
		heard := speaks(n)
		m.loadLine(line, add, "cpu", heard, hist.CPU, float64(n.Load.CPUPercent), w)
		m.loadLine(line, add, "mem", heard, hist.Mem, memPercent(n.Load), w)
		slots := line().T(theme.Muted, "slots ")
		if used, wait := slotsUsed(n); wait > 0 {
			slots.T(theme.Text, fmt.Sprintf("%d/%d", used, n.Capacity.Slots)).T(theme.Muted, " and ").T(theme.Text, fmt.Sprintf("%d wait there", wait))
		} else {
			slots.T(theme.Text, slotsOf(n))
		}
		add(slots.T(theme.Muted, "   done ").T(theme.Text, part.Count(int(n.Done))).
			T(theme.Muted, "  failed ").T(theme.Text, part.Count(int(n.Failed))))
		if left, ok := lostIn(n, s.Now); ok {
			add(line().T(theme.Warn, runsUntilLost(int(n.Used.Tasks), left)))
		}
		add(line().T(theme.Muted, "heard ").T(theme.Text, m.seenText(n)).T(theme.Muted, "  octaskly ").T(theme.Text, n.Version))
		add(line().T(theme.Muted, "at    ").T(theme.Text, n.Addr))
	}
	warnings := n.Warnings
	if v := s.version(); odd(n, v) && len(warnings) == 0 {
		warnings = []string{"runs octaskly " + n.Version + ", the dispatcher " + v}
	}
	if text := clockWords(n); text != "" {
		warnings = append(slices.Clone(warnings), text)
	}
	for _, warn := range warnings {
		for _, ln := range m.text(max(0, w-2), theme.Warn, m.s.Glyphs.Stale+" "+warn) {
			add(line().Raw(ln))
		}
	}
	if m.top() == DeepNode {
		out = append(out, m.nodeIdentity(n, w)...)
	}
	return out
}

func (m *Model) loadLine(line func() *part.Line, add func(*part.Line), name string, heard bool, hist []float64, v float64, w int) {
	l := line().T(theme.Muted, name+" ")
	if !heard {
		add(l.T(theme.Faint, strings.Repeat(m.s.Glyphs.Idle, max(0, min(w-14, 60)))).T(theme.Muted, "    -"))
		return
	}
	if len(hist) >= 12 {
		l.Spark(hist, max(0, min(w-14, 120)))
	} else {
		l.Bar(v, max(0, min(w-14, 60)))
	}
	add(l.T(theme.Text, fmt.Sprintf(" %3.0f%%", v)))
}

func (m *Model) nodeIdentity(n *control.Node, w int) []string {
	var labels []string
	for k, v := range n.Capacity.Labels {
		labels = append(labels, k+"="+v)
	}
	sort.Strings(labels)
	roles := make([]string, len(n.Roles))
	for i, r := range n.Roles {
		roles[i] = string(r)
	}
	row := func(k, v string) string {
		return part.NewLine(m.s, w).Sp(1).Cell(theme.Muted, k, 10, false).T(theme.Text, v).String()
	}
	return []string{
		row("labels", strings.Join(labels, " ")),
		row("roles", strings.Join(roles, ", ")+"   does: "+strings.Join(n.Doing, ", ")),
		row("sandboxes", strings.Join(n.Capacity.Sandboxes, ", ")+"   default "+n.Capacity.Default),
		row("id", string(n.ID)),
	}
}

// nodeRuns is the first few tasks that run on a node, as far as they are known.
func (m *Model) nodeRuns(n *control.Node, w, h int) []string {
	if h < 2 || n.Used.Tasks == 0 {
		return nil
	}
	out := []string{part.NewLine(m.s, w).String()}
	for i := range m.view().Running {
		t := &m.view().Running[i]
		if a := t.Last(); a == nil || a.Node != n.ID {
			continue
		}
		if len(out) == h-1 {
			break
		}
		run := taskTimes(t, m.now())
		out = append(out, part.NewLine(m.s, w).Sp(1).T(theme.Run, m.s.Glyphs.Running+" ").Cell(theme.Text, t.ID.String(), 7, false).
			Cell(theme.Muted, run, 6, true).Sp(1).T(theme.Text, m.commandLine(&t.Spec)).String())
	}
	if rest := int(n.Used.Tasks) - (len(out) - 1); rest > 0 && len(out) > 1 {
		out = append(out, part.NewLine(m.s, w).Sp(3).T(theme.Muted, fmt.Sprintf("+%d more", rest)).String())
	}
	return out
}

// drawFacts is the task under the cursor in a few lines.
func (m *Model) drawFacts(w, h int, focus bool) []string {
	iw, ih := part.Inner(w, h)
	t := m.current()
	if t == nil {
		text := "No task is selected."
		if m.taskID() != 0 {
			text = "…"
		}
		if e := m.view().TaskErr; e != "" && m.taskID() != 0 {
			text = e
		}
		return part.Box{Title: "Task", Focus: focus}.Draw(m.s, w, h, part.Tall([]string{part.NewLine(m.s, iw).Sp(1).T(theme.Muted, text).String()}, iw, ih))
	}
	_, look := m.stateLook(t)
	run := taskTimes(t, m.now())
	remark := look
	if run != "-" {
		remark += " " + run
	}
	return part.Box{Title: "Task " + t.ID.String(), Remark: remark, Focus: focus}.Draw(m.s, w, h, part.Tall(m.taskFacts(t, iw), iw, ih))
}

func (m *Model) taskFacts(t *task.Task, w int) []string {
	line := func() *part.Line { return part.NewLine(m.s, w).Sp(1) }
	var out []string
	add := func(l *part.Line) { out = append(out, l.String()) }
	out = append(out, m.commandLines(&t.Spec, w)...)
	tok, look := m.stateLook(t)
	a := t.Last()
	one := func() *part.Line { return part.NewLine(m.s, max(0, w-1)) }
	pieces := []*part.Line{one().T(tok, look)}
	if a != nil {
		pieces[0].T(theme.Muted, " on ").T(theme.Text, m.view().NodeName(a.Node))
		pieces = append(pieces, one().T(theme.Muted, fmt.Sprintf("attempt %d/%d", len(t.Attempts), max(int(t.Spec.Retries)+1, len(t.Attempts)))))
	}
	if left := m.timeLeft(t); left != "" {
		pieces = append(pieces, one().T(theme.Muted, left))
	}
	out = append(out, m.flow(w, append(pieces, one().T(theme.Muted, priorityName(t.Spec.Priority))))...)
	pieces = []*part.Line{one().T(theme.Muted, "submitted ").T(theme.Text, clockOf(t.Submitted))}
	if a != nil && a.Started > 0 {
		pieces = append(pieces, one().T(theme.Muted, "started ").T(theme.Text, clockOf(a.Started)))
	}
	if a != nil && a.Ended > 0 {
		pieces = append(pieces, one().T(theme.Muted, "ended ").T(theme.Text, clockOf(a.Ended)))
	}
	out = append(out, m.flow(w, pieces)...)
	out = append(out, m.flow(w, []*part.Line{
		one().T(theme.Muted, "by ").T(theme.Text, m.who(t.By)), one().T(theme.Muted, "needs ").T(theme.Text, needText(&t.Spec)),
	})...)
	if a != nil {
		if a.Ended > 0 {
			for i, text := range wrapWords(part.Clean(endText(a)), max(1, w-8)) {
				label := "ended "
				if i > 0 {
					label = "      "
				}
				add(line().T(theme.Muted, label).T(stateToken(t.State), text))
			}
		}
		pieces = nil
		if a.Live != nil {
			pieces = append(pieces, m.liveText(t, a.Live, w)...)
		}
		if a.Usage.CPU > 0 {
			pieces = append(pieces, one().T(theme.Muted, "used cpu ").T(theme.Text, part.Dur(a.Usage.CPU)))
		}
		if a.Usage.MaxRSS > 0 {
			pieces = append(pieces, one().T(theme.Muted, "mem ").T(theme.Text, part.Bytes(a.Usage.MaxRSS)))
		}
		if a.Enforced != "" {
			pieces = append(pieces, one().T(theme.Muted, "contained by ").T(theme.Text, a.Enforced))
		}
		out = append(out, m.flow(w, pieces)...)
	}
	return append(out, m.attemptLines(t, w)...)
}

// longestCommand is how many lines of a command are shown beside a list.
const longestCommand = 6

// commandLines is the command as it was typed: one line behind a prompt, or
// several behind their numbers.
func (m *Model) commandLines(spec *task.Spec, w int) []string {
	lines := strings.Split(strings.TrimRight(commandOf(spec), "\n"), "\n")
	if len(lines) == 1 {
		return []string{part.NewLine(m.s, w).Sp(1).T(theme.Muted, "$ ").B(theme.Text, lines[0]).String()}
	}
	shown := lines
	if len(lines) > longestCommand {
		shown = lines[:longestCommand-1]
	}
	out := make([]string, 0, len(shown)+1)
	digits := len(fmt.Sprint(len(shown)))
	for i, text := range shown {
		out = append(out, part.NewLine(m.s, w).Sp(1).Cell(theme.Muted, fmt.Sprint(i+1), digits, true).Sp(1).B(theme.Text, text).String())
	}
	if rest := len(lines) - len(shown); rest > 0 {
		out = append(out, part.NewLine(m.s, w).Sp(2+digits).T(theme.Muted, m.s.Glyphs.Ellipsis+" and "+part.Plural(rest, "more line")).String())
	}
	return out
}

// who is a person or node that did something, as people call it.
func (m *Model) who(p task.Principal) string {
	if id, ok := strings.CutPrefix(string(p), "node:"); ok {
		return m.view().NodeName(task.NodeID(id))
	}
	return string(p)
}

// flow puts pieces side by side, as many on a line as fit whole.
func (m *Model) flow(w int, pieces []*part.Line) []string {
	var out []string
	l := part.NewLine(m.s, w).Sp(1)
	for _, p := range pieces {
		if l.Used() > 1 && p.Used()+2 > l.Left() {
			out = append(out, l.String())
			l = part.NewLine(m.s, w).Sp(1)
		}
		if l.Used() > 1 {
			l.Sp(2)
		}
		l.Add(p)
	}
	if l.Used() > 1 {
		out = append(out, l.String())
	}
	return out
}

// liveText is what a task uses at this moment, against what it asked for.
func (m *Model) liveText(t *task.Task, v *task.Live, w int) []*part.Line {
	one := func() *part.Line { return part.NewLine(m.s, max(0, w-1)) }
	cpu := float64(v.CPUPercent)
	c := one().T(theme.Muted, "uses cpu ").Bar(100*cpu*10/float64(max(1, t.Spec.Need.CPUs())), 8).B(theme.Text, fmt.Sprintf(" %.0f%%", cpu))
	l := one().T(theme.Muted, "mem ")
	if ask := t.Spec.Need.MemoryMB; ask > 0 {
		l.Bar(100*float64(v.MemoryMB)/float64(ask), 8).B(theme.Text, " "+part.Bytes(v.MemoryMB<<20)).T(theme.Muted, " of "+part.Bytes(ask<<20))
	} else {
		l.B(theme.Text, part.Bytes(v.MemoryMB<<20))
	}
	return []*part.Line{c, l}
}

func (m *Model) attemptLines(t *task.Task, w int) []string {
	var out []string
	for i := len(t.Attempts) - 2; i >= 0 && len(out) < 8; i-- {
		a := &t.Attempts[i]
		out = append(out, part.NewLine(m.s, w).Sp(1).T(theme.Muted, fmt.Sprintf("attempt %d on ", a.Fence.Attempt)).
			T(theme.Text, m.view().NodeName(a.Node)).T(theme.Muted, ": ").T(theme.Warn, endText(a)).
			T(theme.Muted, " after "+part.Dur(time.Duration(max(0, a.Ended-a.Started))*time.Millisecond)).String())
	}
	return out
}

func (m *Model) timeLeft(t *task.Task) string {
	a := t.Last()
	if t.Spec.Timeout <= 0 || a == nil || a.Started == 0 || t.State.Terminal() {
		return ""
	}
	left := t.Spec.Timeout - m.now().Sub(time.UnixMilli(a.Started))
	return "timeout in " + part.Dur(max(0, left.Truncate(time.Second)))
}

// endText is how an attempt ended, in words.
func endText(a *task.Attempt) string {
	s := strings.ReplaceAll(string(a.Exit.Reason), "_", " ")
	switch a.Exit.Reason {
	case task.ReasonExit:
		s = fmt.Sprintf("exit %d", a.Exit.Code)
	case task.ReasonSignal:
		s = fmt.Sprintf("ended by signal %d", a.Exit.Signal)
	case task.ReasonTimeout:
		s = "time limit reached"
	case task.ReasonNotFound:
		s = "command not found on the worker (127)"
	case task.ReasonNodeLost:
		s = "the node was lost"
	}
	switch {
	case strings.HasPrefix(a.Exit.Message, s):
		s = a.Exit.Message
	case a.Exit.Message != "":
		s += ", " + a.Exit.Message
	}
	return s
}

func priorityName(p uint8) string {
	switch p {
	case task.PriorityLow:
		return "low"
	case task.PriorityNormal:
		return "normal"
	case task.PriorityHigh:
		return "high"
	case task.PriorityCritical:
		return "critical"
	}
	return fmt.Sprintf("priority %d", p)
}

// needText is what a task asks for.
func needText(sp *task.Spec) string {
	n := &sp.Need
	out := []string{fmt.Sprintf("cpu %g", float64(n.CPUs())/1000)}
	if n.MemoryMB > 0 {
		out = append(out, "mem "+part.Bytes(n.MemoryMB<<20))
	}
	if n.DiskMB > 0 {
		out = append(out, "disk "+part.Bytes(n.DiskMB<<20))
	}
	if n.GPUs > 0 {
		out = append(out, part.Plural(int(n.GPUs), "GPU"))
	}
	if n.On != "" {
		out = append(out, "on "+n.On)
	}
	for k, v := range n.Labels {
		out = append(out, k+"="+v)
	}
	sort.Strings(out[1:])
	if n.Sandbox != "" {
		out = append(out, "sandbox "+n.Sandbox)
	}
	if len(sp.Tags) > 0 {
		out = append(out, "tags "+strings.Join(sp.Tags, ","))
	}
	return strings.Join(out, "  ")
}
