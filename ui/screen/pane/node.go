package pane

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Node is what is known about the node under the cursor.
type Node struct{}

// Draw draws the facts, and on the page of a node its tasks.
func (*Node) Draw(view *scene.Scene, w, h int, focus bool) []string {
	n := view.Node()
	iw, ih := part.Inner(w, h)
	if n == nil {
		return part.Box{Title: "Node", Focus: focus}.Draw(view.Styles, w, h, part.Blank(iw, ih))
	}
	lines := nodeFacts(view, n, iw)
	if view.Top() == scene.DeepNode {
		lines = append(lines, part.NewLine(view.Styles, iw).String(), part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, "TASKS HERE").String())
		cols := taskColumns(view.Styles, iw)
		ws := part.FitColumns(cols, iw-3, 2)
		for i := range view.Facts().Rows.Tasks {
			if len(lines) >= ih {
				break
			}
			if t := &view.Facts().Rows.Tasks[i]; slices.Equal(view.Facts().Rows.For.Query.Nodes, []string{string(n.ID)}) {
				lines = append(lines, taskRow(view, t, ws, iw, false, false))
			}
		}
	} else {
		lines = append(lines, nodeRuns(view, n, iw, ih-len(lines))...)
	}
	_, state := scene.NodeLook(view, n)
	return part.Box{Title: n.Name, Remark: state, Focus: focus}.Draw(view.Styles, w, h, part.Tall(lines, iw, ih))
}

func nodeFacts(view *scene.Scene, n *control.Node, w int) []string {
	s := view.Facts()
	line := func() *part.Line { return part.NewLine(view.Styles, w).Sp(1) }
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
		add(line().T(theme.Text, "Press ").B(theme.Accent, view.Keys.Of(scene.InNodes, "admit")).T(theme.Text, " and type the code that its screen shows."))
	case control.NodeForeign:
		add(line().T(theme.Text, "It belongs to another cluster and can do nothing here."))
	default:
		hist := scene.History{}
		if s.History.Node == n.ID {
			hist = s.History
		}
		heard := scene.Speaks(n)
		loadLine(view, line, add, "cpu", heard, hist.CPU, float64(n.Load.CPUPercent), w)
		loadLine(view, line, add, "mem", heard, hist.Mem, scene.MemPercent(n.Load), w)
		slots := line().T(theme.Muted, "slots ")
		if used, wait := scene.SlotsUsed(n); wait > 0 {
			slots.T(theme.Text, fmt.Sprintf("%d/%d", used, n.Capacity.Slots)).T(theme.Muted, " and ").T(theme.Text, fmt.Sprintf("%d wait there", wait))
		} else {
			slots.T(theme.Text, scene.SlotsOf(n))
		}
		add(slots.T(theme.Muted, "   done ").T(theme.Text, part.Count(int(n.Done))).
			T(theme.Muted, "  failed ").T(theme.Text, part.Count(int(n.Failed))))
		if left, ok := scene.LostIn(n, s.Now); ok {
			add(line().T(theme.Warn, scene.RunsUntilLost(int(n.Used.Tasks), left)))
		}
		add(line().T(theme.Muted, "heard ").T(theme.Text, scene.SeenText(view, n)).T(theme.Muted, "  octaskly ").T(theme.Text, n.Version))
		add(line().T(theme.Muted, "at    ").T(theme.Text, n.Addr))
	}
	warnings := n.Warnings
	if v := s.DispatcherVersion(); scene.Odd(n, v) && len(warnings) == 0 {
		warnings = []string{"runs octaskly " + n.Version + ", the dispatcher " + v}
	}
	if text := scene.ClockWords(n); text != "" {
		warnings = append(slices.Clone(warnings), text)
	}
	for _, warn := range warnings {
		for _, ln := range view.Text(max(0, w-2), theme.Warn, view.Styles.Glyphs.Stale+" "+warn) {
			add(line().Raw(ln))
		}
	}
	if view.Top() == scene.DeepNode {
		out = append(out, nodeIdentity(view, n, w)...)
	}
	return out
}

func loadLine(view *scene.Scene, line func() *part.Line, add func(*part.Line), name string, heard bool, hist []float64, v float64, w int) {
	l := line().T(theme.Muted, name+" ")
	if !heard {
		add(l.T(theme.Faint, strings.Repeat(view.Styles.Glyphs.Idle, max(0, min(w-14, 60)))).T(theme.Muted, "    -"))
		return
	}
	if len(hist) >= 12 {
		l.Spark(hist, max(0, min(w-14, 120)))
	} else {
		l.Bar(v, max(0, min(w-14, 60)))
	}
	add(l.T(theme.Text, fmt.Sprintf(" %3.0f%%", v)))
}

func nodeIdentity(view *scene.Scene, n *control.Node, w int) []string {
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
		return part.NewLine(view.Styles, w).Sp(1).Cell(theme.Muted, k, 10, false).T(theme.Text, v).String()
	}
	return []string{
		row("labels", strings.Join(labels, " ")),
		row("roles", strings.Join(roles, ", ")+"   does: "+strings.Join(n.Doing, ", ")),
		row("sandboxes", strings.Join(n.Capacity.Sandboxes, ", ")+"   default "+n.Capacity.Default),
		row("id", string(n.ID)),
	}
}

// nodeRuns is the first few tasks that run on a node, as far as they are known.
func nodeRuns(view *scene.Scene, n *control.Node, w, h int) []string {
	if h < 2 || n.Used.Tasks == 0 {
		return nil
	}
	out := []string{part.NewLine(view.Styles, w).String()}
	for i := range view.Facts().Running {
		t := &view.Facts().Running[i]
		if a := t.Last(); a == nil || a.Node != n.ID {
			continue
		}
		if len(out) == h-1 {
			break
		}
		run := scene.TaskTimes(t, view.Now())
		out = append(out, part.NewLine(view.Styles, w).Sp(1).T(theme.Run, view.Styles.Glyphs.Running+" ").Cell(theme.Text, t.ID.String(), 7, false).
			Cell(theme.Muted, run, 6, true).Sp(1).T(theme.Text, scene.CommandLine(view, &t.Spec)).String())
	}
	if rest := int(n.Used.Tasks) - (len(out) - 1); rest > 0 && len(out) > 1 {
		out = append(out, part.NewLine(view.Styles, w).Sp(3).T(theme.Muted, fmt.Sprintf("+%d more", rest)).String())
	}
	return out
}
