package pane

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Facts is the task under the cursor in a few lines.
type Facts struct{ output *Output }

// Act does what the same key does in the output.
func (pane *Facts) Act(view *scene.Scene, action scene.Action) { pane.output.Act(view, action) }

// Back has nothing to undo.
func (*Facts) Back(*scene.Scene) bool { return false }

// Draw draws the facts, those that matter most first.
func (*Facts) Draw(view *scene.Scene, w, h int, focus bool) []string {
	iw, ih := part.Inner(w, h)
	t := view.Task()
	if t == nil {
		text := "No task is selected."
		if view.TaskID() != 0 {
			text = "…"
		}
		if e := view.Facts().TaskErr; e != "" && view.TaskID() != 0 {
			text = e
		}
		return part.Box{Title: "Task", Focus: focus}.Draw(view.Styles, w, h, part.Tall([]string{part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, text).String()}, iw, ih))
	}
	_, look := scene.StateLook(view, t)
	run := scene.TaskTimes(t, view.Now())
	remark := look
	if run != "-" {
		remark += " " + run
	}
	return part.Box{Title: "Task " + t.ID.String(), Remark: remark, Focus: focus}.Draw(view.Styles, w, h, part.Tall(taskFacts(view, t, iw), iw, ih))
}

func taskFacts(view *scene.Scene, t *task.Task, w int) []string {
	line := func() *part.Line { return part.NewLine(view.Styles, w).Sp(1) }
	var out []string
	add := func(l *part.Line) { out = append(out, l.String()) }
	out = append(out, commandLines(view, &t.Spec, w)...)
	tok, look := scene.StateLook(view, t)
	a := t.Last()
	one := func() *part.Line { return part.NewLine(view.Styles, max(0, w-1)) }
	pieces := []*part.Line{one().T(tok, look)}
	if a != nil {
		pieces[0].T(theme.Muted, " on ").T(theme.Text, view.Facts().NodeName(a.Node))
		pieces = append(pieces, one().T(theme.Muted, fmt.Sprintf("attempt %d/%d", len(t.Attempts), max(int(t.Spec.Retries)+1, len(t.Attempts)))))
	}
	if left := timeLeft(view, t); left != "" {
		pieces = append(pieces, one().T(theme.Muted, left))
	}
	out = append(out, sideBySide(view, w, append(pieces, one().T(theme.Muted, scene.PriorityName(t.Spec.Priority))))...)
	pieces = []*part.Line{one().T(theme.Muted, "submitted ").T(theme.Text, scene.ClockOf(t.Submitted))}
	if a != nil && a.Started > 0 {
		pieces = append(pieces, one().T(theme.Muted, "started ").T(theme.Text, scene.ClockOf(a.Started)))
	}
	if a != nil && a.Ended > 0 {
		pieces = append(pieces, one().T(theme.Muted, "ended ").T(theme.Text, scene.ClockOf(a.Ended)))
	}
	out = append(out, sideBySide(view, w, pieces)...)
	out = append(out, sideBySide(view, w, []*part.Line{
		one().T(theme.Muted, "by ").T(theme.Text, who(view, t.By)), one().T(theme.Muted, "needs ").T(theme.Text, needText(&t.Spec)),
	})...)
	if a != nil {
		if a.Ended > 0 {
			for i, text := range part.Wrap(part.Clean(scene.EndText(a)), max(1, w-8)) {
				label := "ended "
				if i > 0 {
					label = "      "
				}
				add(line().T(theme.Muted, label).T(scene.StateToken(t.State), text))
			}
		}
		pieces = nil
		if a.Live != nil {
			pieces = append(pieces, liveText(view, t, a.Live, w)...)
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
		out = append(out, sideBySide(view, w, pieces)...)
	}
	return append(out, attemptLines(view, t, w)...)
}

// longestCommand is how many lines of a command are shown beside a list.
const longestCommand = 6

// commandLines is the command as it was typed: one line behind a prompt, or
// several behind their numbers.
func commandLines(view *scene.Scene, spec *task.Spec, w int) []string {
	lines := strings.Split(strings.TrimRight(scene.CommandOf(spec), "\n"), "\n")
	if len(lines) == 1 {
		return []string{part.NewLine(view.Styles, w).Sp(1).T(theme.Muted, "$ ").B(theme.Text, lines[0]).String()}
	}
	shown := lines
	if len(lines) > longestCommand {
		shown = lines[:longestCommand-1]
	}
	out := make([]string, 0, len(shown)+1)
	digits := len(fmt.Sprint(len(shown)))
	for i, text := range shown {
		out = append(out, part.NewLine(view.Styles, w).Sp(1).Cell(theme.Muted, fmt.Sprint(i+1), digits, true).Sp(1).B(theme.Text, text).String())
	}
	if rest := len(lines) - len(shown); rest > 0 {
		out = append(out, part.NewLine(view.Styles, w).Sp(2+digits).T(theme.Muted, view.Styles.Glyphs.Ellipsis+" and "+part.Plural(rest, "more line")).String())
	}
	return out
}

// who is a person or node that did something, as people call it.
func who(view *scene.Scene, p task.Principal) string {
	if id, ok := strings.CutPrefix(string(p), "node:"); ok {
		return view.Facts().NodeName(task.NodeID(id))
	}
	return string(p)
}

// sideBySide puts pieces side by side, as many on a line as fit whole.
func sideBySide(view *scene.Scene, w int, pieces []*part.Line) []string {
	var out []string
	l := part.NewLine(view.Styles, w).Sp(1)
	for _, p := range pieces {
		if l.Used() > 1 && p.Used()+2 > l.Left() {
			out = append(out, l.String())
			l = part.NewLine(view.Styles, w).Sp(1)
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
func liveText(view *scene.Scene, t *task.Task, v *task.Live, w int) []*part.Line {
	one := func() *part.Line { return part.NewLine(view.Styles, max(0, w-1)) }
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

func attemptLines(view *scene.Scene, t *task.Task, w int) []string {
	var out []string
	for i := len(t.Attempts) - 2; i >= 0 && len(out) < 8; i-- {
		a := &t.Attempts[i]
		out = append(out, part.NewLine(view.Styles, w).Sp(1).T(theme.Muted, fmt.Sprintf("attempt %d on ", a.Fence.Attempt)).
			T(theme.Text, view.Facts().NodeName(a.Node)).T(theme.Muted, ": ").T(theme.Warn, scene.EndText(a)).
			T(theme.Muted, " after "+part.Dur(time.Duration(max(0, a.Ended-a.Started))*time.Millisecond)).String())
	}
	return out
}

func timeLeft(view *scene.Scene, t *task.Task) string {
	a := t.Last()
	if t.Spec.Timeout <= 0 || a == nil || a.Started == 0 || t.State.Terminal() {
		return ""
	}
	left := t.Spec.Timeout - view.Now().Sub(time.UnixMilli(a.Started))
	return "timeout in " + part.Dur(max(0, left.Truncate(time.Second)))
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
