package dialog

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// whyBox says why a task waits, as a matrix of nodes and requirements, or
// what happened to it.
type whyBox struct {
	id  task.ID
	top int
}

func newWhy(id task.ID) scene.Dialog { return &whyBox{id: id} }

func (b *whyBox) In() scene.Ctx { return scene.InDialog }

func (b *whyBox) Want(w *scene.Want) { w.Why = b.id }

func (b *whyBox) Command(*scene.Scene) string { return "octaskly why " + b.id.String() }

func (b *whyBox) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "down":
		b.top++
	case "up":
		b.top = max(0, b.top-1)
	case "dialog.close", "dialog.enter":
		view.Close(b)
	}
}

func (b *whyBox) Foot(view *scene.Scene) []scene.Hint {
	return []scene.Hint{{Key: "esc", Text: "close"}, {Key: "j k", Text: "scroll"}, {Key: view.Keys.Of(scene.InDialog, "copy.command"), Text: "copy as command"}}
}

func (b *whyBox) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 110)
	iw := max(0, w-4)
	s := view.Facts()
	title := "Task " + b.id.String()
	var lines []string
	switch {
	case s.WhyErr != "" && (s.Why == nil || s.Why.ID != b.id):
		lines = view.Text(iw, theme.Err, s.WhyErr)
	case s.Why == nil || s.Why.ID != b.id:
		lines = []string{part.NewLine(view.Styles, iw).T(theme.Muted, "asking …").String()}
	case s.Why.Waits != nil:
		title = "Why does task " + b.id.String() + " wait?"
		lines = waitLines(view, s.Why, iw)
	default:
		title = "What happened to task " + b.id.String() + "?"
		lines = toldLines(view, s.Why, iw)
	}
	room := max(1, h-5)
	b.top = min(b.top, max(0, len(lines)-room))
	remark := ""
	if len(lines) > room {
		remark = fmt.Sprintf("%d-%d of %d", b.top+1, min(b.top+room, len(lines)), len(lines))
		lines = lines[b.top:min(b.top+room, len(lines))]
	}
	return part.Dialog{Title: title, Remark: remark, Lines: lines, Focus: -1}.Draw(view.Styles, w, h)
}

func toldLines(view *scene.Scene, why *control.Why, w int) []string {
	var out []string
	for _, t := range why.Told {
		for i, ln := range part.Wrap(part.Clean(t), w-3) {
			l := part.NewLine(view.Styles, w)
			if i == 0 {
				l.T(scene.StateToken(why.State), view.Styles.Glyphs.Crumb).Sp(2)
			} else {
				l.Sp(3)
			}
			out = append(out, l.T(theme.Text, ln).String())
		}
	}
	if why.Would != "" {
		out = append(out, part.NewLine(view.Styles, w).String())
		out = append(out, view.Text(w, theme.Accent, why.Would)...)
	}
	return out
}

// waitLines is the place in the queue, what would make it run, and the matrix.
func waitLines(view *scene.Scene, why *control.Why, w int) []string {
	x := why.Waits
	fits, now := 0, 0
	for i := range x.Nodes {
		if x.Nodes[i].Fits {
			fits++
		}
		if x.Nodes[i].Now {
			now++
		}
	}
	l := part.NewLine(view.Styles, w).T(theme.Muted, "place ").B(theme.Text, part.Count(x.Ahead+1)).Sp(3).
		T(theme.Muted, "nodes that fit ").B(theme.Text, fmt.Sprintf("%d of %d", fits, len(x.Nodes))).T(theme.Muted, fmt.Sprintf(" (%d free now)", now))
	if x.Estimate > 0 && fits > 0 {
		l.T(theme.Muted, ", starts in about ").B(theme.Text, part.Dur(x.Estimate.Round(time.Second)))
	}
	out := []string{l.String()}
	if x.Until > 0 {
		out = append(out, part.NewLine(view.Styles, w).T(theme.Muted, "it is not tried before ").T(theme.Text, scene.ClockOf(x.Until)).String())
	}
	if why.Would != "" {
		out = append(out, view.Text(w, theme.Accent, why.Would)...)
	}
	return append(append(out, part.NewLine(view.Styles, w).String()), matrix(view, x.Nodes, w)...)
}

// matrix is nodes × requirements: what is met, what is busy, what is missing.
func matrix(view *scene.Scene, nodes []control.NodeVerdict, w int) []string {
	terms := termNames(nodes)
	name := 12
	cell := 12
	if n := len(terms); n > 0 {
		cell = min(16, max(9, (w-name-2)/n-1))
	}
	head := part.NewLine(view.Styles, w).Cell(theme.Muted, "NODE", name, false).Sp(1)
	for _, t := range terms {
		head.Cell(theme.Muted, strings.ToUpper(t), cell, false).Sp(1)
	}
	out := []string{head.String()}
	for _, v := range sortedVerdicts(nodes) {
		l := part.NewLine(view.Styles, w)
		tok := theme.Err
		switch {
		case v.Now:
			tok = theme.OK
		case v.Fits:
			tok = theme.Warn
		}
		l.Cell(tok, v.Node, name, false).Sp(1)
		for _, t := range terms {
			termCell(view, l, &v, t, cell)
			l.Sp(1)
		}
		out = append(out, l.String())
	}
	return append(out, part.NewLine(view.Styles, w).String(), part.NewLine(view.Styles, w).T(theme.OK, view.Styles.Glyphs.Done).T(theme.Muted, " met   ").
		T(theme.Warn, view.Styles.Glyphs.Retry).T(theme.Muted, " met when something ends there   ").T(theme.Err, view.Styles.Glyphs.Failed).T(theme.Muted, " wants → has").String())
}

func termCell(view *scene.Scene, l *part.Line, v *control.NodeVerdict, term string, w int) {
	for _, t := range v.Terms {
		if t.Name != term {
			continue
		}
		if t.Busy {
			l.Cell(theme.Warn, view.Styles.Glyphs.Retry+" "+t.Have, w, false)
			return
		}
		l.Cell(theme.Err, view.Styles.Glyphs.Failed+" "+t.Want+view.Styles.Glyphs.Arrow+t.Have, w, false)
		return
	}
	l.Cell(theme.OK, view.Styles.Glyphs.Done, w, false)
}

func termNames(nodes []control.NodeVerdict) []string {
	seen := map[string]int{}
	for i := range nodes {
		for _, t := range nodes[i].Terms {
			seen[t.Name]++
		}
	}
	out := make([]string, 0, len(seen))
	for t := range seen {
		out = append(out, t)
	}
	sort.Slice(out, func(i, j int) bool {
		if seen[out[i]] != seen[out[j]] {
			return seen[out[i]] > seen[out[j]]
		}
		return out[i] < out[j]
	})
	return out
}

// sortedVerdicts has the hopeful nodes first.
func sortedVerdicts(nodes []control.NodeVerdict) []control.NodeVerdict {
	out := append([]control.NodeVerdict(nil), nodes...)
	rank := func(v *control.NodeVerdict) int {
		switch {
		case v.Now:
			return 0
		case v.Fits:
			return 1
		}
		return 2 + len(v.Terms)
	}
	sort.SliceStable(out, func(i, j int) bool { return rank(&out[i]) < rank(&out[j]) })
	return out
}
