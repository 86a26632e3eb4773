package pane

import (
	"fmt"
	"sort"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Rate is tasks that ended a second, over time.
type Rate struct{}

// Draw draws it.
func (*Rate) Draw(view *scene.Scene, w, h int, _ bool) []string {
	s := view.Facts()
	iw, ih := part.Inner(w, h)
	per := 2
	if view.Options.Graph == part.Blocks || view.Styles.Glyphs.ASCII {
		per = 1
	}
	gw := max(0, iw-6)
	shown := s.Rates[max(0, len(s.Rates)-gw*per):]
	peak := 0.0
	for _, v := range shown {
		peak = max(peak, v)
	}
	top := part.NiceTop(peak)
	gh := max(0, ih-1)
	rows := part.Area(view.Styles, view.Options.Graph, shown, top, gw, gh)
	lines := make([]string, 0, ih)
	for i, r := range rows {
		l := part.NewLine(view.Styles, iw)
		switch i {
		case 0:
			l.Cell(theme.Muted, part.Rate(top), 5-min(1, max(0, 5-part.Width(part.Rate(top)))), true).To(5)
		case gh - 1:
			l.Cell(theme.Muted, "0", 4, true).Sp(1)
		default:
			l.Sp(5)
		}
		lines = append(lines, l.Raw(r).String())
	}
	axis := part.NewLine(view.Styles, iw).Sp(5).T(theme.Muted, "-"+part.Age(time.Duration(gw*per*2)*time.Second))
	axis.End(part.NewLine(view.Styles, 4).T(theme.Muted, "now"))
	lines = append(lines, axis.String())
	remark := fmt.Sprintf("now %s  peak %s", part.Rate(s.Status.Rate), part.Rate(peak))
	if w >= 60 {
		remark += "  p95 " + part.Rate(percentile(shown, 0.95))
	}
	return part.Box{Title: "Tasks/s", Remark: remark}.Draw(view.Styles, w, h, lines)
}

func percentile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return 0
	}
	c := append([]float64(nil), v...)
	sort.Float64s(c)
	return c[min(len(c)-1, int(p*float64(len(c))))]
}

// CardStates is the order of states on the queue card; the first ones matter
// most when there is little room.
var CardStates = []task.State{task.Queued, task.Running, task.Done, task.Failed, task.Retry, task.Cancelled, task.Timeout, task.Lost}

// Queue is how many tasks are in each state.
type Queue struct{}

// Draw draws it.
func (*Queue) Draw(view *scene.Scene, w, h int, _ bool) []string {
	s := view.Facts()
	iw, ih := part.Inner(w, h)
	states := CardStates
	if ih < len(states) {
		states = append(append([]task.State{}, CardStates[:min(ih-1, 4)]...), task.Lost)
		if ih > 5 {
			states = append(append([]task.State{}, CardStates[:5]...), task.Lost)
		}
	}
	// What goes on is measured by the largest of it, what has ended by all that has.
	most, ended := 1, 1
	for _, k := range task.States() {
		if k.Terminal() {
			ended += view.Facts().Count(k)
		} else if k != task.Assigned {
			most = max(most, view.Facts().Count(k))
		}
	}
	var lines []string
	for _, k := range states {
		n := view.Facts().Count(k)
		l := part.NewLine(view.Styles, iw).Sp(1).T(scene.StateToken(k), scene.StateGlyph(view, k)+" ")
		tok := theme.Text
		if n == 0 {
			tok = theme.Muted
		}
		l.Cell(theme.Text, k.String(), 10, false)
		l.Cell(tok, part.Count(n), 10, true).Sp(2)
		if k.Terminal() {
			countBar(l, k, n, max(1, ended-1))
		} else {
			countBar(l, k, n, most)
		}
		lines = append(lines, l.String())
	}
	remark := ""
	if s.Status.Ready > 0 {
		remark = part.Count(s.Status.Ready) + " ready"
	}
	return part.Box{Title: "Queue", Remark: remark}.Draw(view.Styles, w, h, lines)
}

func countBar(l *part.Line, k task.State, n, most int) {
	w := l.Left() - 1
	if w < 4 {
		return
	}
	percent := 100 * float64(n) / float64(most)
	l.BarIn(scene.StateToken(k), min(100, percent), w)
}

// Fleet is the means over all nodes.
type Fleet struct{}

// Draw draws it.
func (*Fleet) Draw(view *scene.Scene, w, h int, _ bool) []string {
	s := view.Facts()
	iw, _ := part.Inner(w, h)
	var cpu, mem float64
	n := 0
	for i := range s.Nodes {
		x := &s.Nodes[i]
		if x.State != control.NodeUp && x.State != control.NodeDraining || x.Load.MemTotalMB == 0 {
			continue
		}
		cpu, mem, n = cpu+float64(x.Load.CPUPercent), mem+scene.MemPercent(x.Load), n+1
	}
	if n > 0 {
		cpu, mem = cpu/float64(n), mem/float64(n)
	}
	slots := 0.0
	if s.Status.Slots > 0 {
		slots = 100 * float64(s.Status.SlotsUsed) / float64(s.Status.Slots)
	}
	var lines []string
	row := func(name string, v float64) {
		l := part.NewLine(view.Styles, iw).Sp(1).Cell(theme.Muted, name, 6, false)
		loadCell(l, v, max(4, iw-14), false)
		lines = append(lines, l.String())
	}
	row("cpu", cpu)
	row("mem", mem)
	row("slots", slots)
	done, failed := view.Facts().Count(task.Done), view.Facts().Count(task.Failed)+view.Facts().Count(task.Timeout)
	share := 0.0
	if done+failed > 0 {
		share = 100 * float64(failed) / float64(done+failed)
	}
	blank := part.NewLine(view.Styles, iw).String()
	say := func(l *part.Line) { lines = append(lines, l.String()) }
	lines = append(lines, blank)
	say(part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, "slots ").T(theme.Text, part.Count(s.Status.SlotsUsed)+" of "+part.Count(s.Status.Slots)+" in use"))
	say(part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, "failed ").T(theme.Text, fmt.Sprintf("%.1f%%", share)).T(theme.Muted, "   lost ").T(theme.Text, part.Count(view.Facts().Count(task.Lost))).
		T(theme.Muted, "   retry ").T(theme.Text, part.Count(view.Facts().Count(task.Retry))))
	if s.Status.Dispatcher != "" {
		say(part.NewLine(view.Styles, iw).Sp(1).T(theme.Muted, "dispatcher ").T(theme.Text, s.Status.Dispatcher).
			T(theme.Muted, " up "+part.Age(view.Now().Sub(time.UnixMilli(s.Status.Since)))+"  term "+fmt.Sprint(s.Status.Term)))
	}
	return part.Box{Title: "Fleet", Remark: part.Plural(s.Known(), "node")}.Draw(view.Styles, w, h, lines)
}

// Summary is the overview's numbers where there is no room for cards.
type Summary struct{}

// Draw draws it.
func (*Summary) Draw(view *scene.Scene, w, h int, _ bool) []string {
	s := view.Facts()
	l := countLine(view, w, 2, part.Count)
	if l.Left() < 1 { // large numbers: closer, then rounded
		l = countLine(view, w, 1, part.Count)
	}
	if l.Left() < 1 {
		l = countLine(view, w, 1, part.Short)
	}
	if l.Left() < 1 { // the words say it alone
		l = part.NewLine(view.Styles, w)
		for _, k := range summaryStates {
			l.Sp(1).B(theme.Text, part.Short(view.Facts().Count(k))).T(theme.Muted, " "+k.String())
		}
	}
	r := part.NewLine(view.Styles, w).Sp(1).T(theme.Muted, "tasks/s ").B(theme.Text, part.Rate(s.Status.Rate)).Sp(2)
	vals := s.Rates[max(0, len(s.Rates)-(r.Left()-2)):]
	top := 0.0
	for _, v := range vals {
		top = max(top, v)
	}
	scaled := make([]float64, len(vals))
	for i, v := range vals {
		scaled[i] = 100 * v / part.NiceTop(top)
	}
	r.Spark(scaled, r.Left()-1)
	return part.Tall([]string{l.String(), r.String()}, w, h)
}

// summaryStates are the states that matter most.
var summaryStates = []task.State{task.Queued, task.Running, task.Done, task.Failed, task.Lost}

// countLine is how many tasks are in the states that matter most.
func countLine(view *scene.Scene, w, gap int, count func(int) string) *part.Line {
	l := part.NewLine(view.Styles, w)
	for i, k := range summaryStates {
		l.Sp(1+min(i, 1)*(gap-1)).T(scene.StateToken(k), scene.StateGlyph(view, k)+" ").B(theme.Text, count(view.Facts().Count(k))).T(theme.Muted, " "+k.String())
	}
	return l
}
