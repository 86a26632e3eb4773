package screen

import (
	"fmt"
	"sort"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

func (m *Model) drawRate(w, h int) []string {
	s := m.view()
	iw, ih := part.Inner(w, h)
	per := 2
	if m.opt.Graph == part.Blocks || m.s.Glyphs.ASCII {
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
	rows := part.Area(m.s, m.opt.Graph, shown, top, gw, gh)
	lines := make([]string, 0, ih)
	for i, r := range rows {
		l := part.NewLine(m.s, iw)
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
	axis := part.NewLine(m.s, iw).Sp(5).T(theme.Muted, "-"+part.Age(time.Duration(gw*per*2)*time.Second))
	axis.End(part.NewLine(m.s, 4).T(theme.Muted, "now"))
	lines = append(lines, axis.String())
	remark := fmt.Sprintf("now %s  peak %s", part.Rate(s.Status.Rate), part.Rate(peak))
	if w >= 60 {
		remark += "  p95 " + part.Rate(percentile(shown, 0.95))
	}
	return part.Box{Title: "Tasks/s", Remark: remark}.Draw(m.s, w, h, lines)
}

func percentile(v []float64, p float64) float64 {
	if len(v) == 0 {
		return 0
	}
	c := append([]float64(nil), v...)
	sort.Float64s(c)
	return c[min(len(c)-1, int(p*float64(len(c))))]
}

// cardStates is the order of states on the queue card; the first ones matter
// most when there is little room.
var cardStates = []task.State{task.Queued, task.Running, task.Done, task.Failed, task.Retry, task.Cancelled, task.Timeout, task.Lost}

func (m *Model) drawQueue(w, h int) []string {
	s := m.view()
	iw, ih := part.Inner(w, h)
	states := cardStates
	if ih < len(states) {
		states = append(append([]task.State{}, cardStates[:min(ih-1, 4)]...), task.Lost)
		if ih > 5 {
			states = append(append([]task.State{}, cardStates[:5]...), task.Lost)
		}
	}
	// What goes on is measured by the largest of it, what has ended by all that has.
	most, ended := 1, 1
	for _, k := range task.States() {
		if k.Terminal() {
			ended += m.count(k)
		} else if k != task.Assigned {
			most = max(most, m.count(k))
		}
	}
	var lines []string
	for _, k := range states {
		n := m.count(k)
		l := part.NewLine(m.s, iw).Sp(1).T(stateToken(k), m.stateGlyph(k)+" ")
		tok := theme.Text
		if n == 0 {
			tok = theme.Muted
		}
		l.Cell(theme.Text, k.String(), 10, false)
		l.Cell(tok, part.Count(n), 10, true).Sp(2)
		if k.Terminal() {
			m.countBar(l, k, n, max(1, ended-1))
		} else {
			m.countBar(l, k, n, most)
		}
		lines = append(lines, l.String())
	}
	remark := ""
	if s.Status.Ready > 0 {
		remark = part.Count(s.Status.Ready) + " ready"
	}
	return part.Box{Title: "Queue", Remark: remark}.Draw(m.s, w, h, lines)
}

// count is how many tasks are in a state; assigned ones count as running.
func (m *Model) count(k task.State) int {
	n := m.view().Status.Tasks[k]
	if k == task.Running {
		n += m.view().Status.Tasks[task.Assigned]
	}
	return n
}

func (m *Model) countBar(l *part.Line, k task.State, n, most int) {
	w := l.Left() - 1
	if w < 4 {
		return
	}
	percent := 100 * float64(n) / float64(most)
	l.BarIn(stateToken(k), min(100, percent), w)
}

func (m *Model) drawFleet(w, h int) []string {
	s := m.view()
	iw, _ := part.Inner(w, h)
	var cpu, mem float64
	n := 0
	for i := range s.Nodes {
		x := &s.Nodes[i]
		if x.State != control.NodeUp && x.State != control.NodeDraining || x.Load.MemTotalMB == 0 {
			continue
		}
		cpu, mem, n = cpu+float64(x.Load.CPUPercent), mem+memPercent(x.Load), n+1
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
		l := part.NewLine(m.s, iw).Sp(1).Cell(theme.Muted, name, 6, false)
		m.loadCell(l, v, max(4, iw-14), false)
		lines = append(lines, l.String())
	}
	row("cpu", cpu)
	row("mem", mem)
	row("slots", slots)
	done, failed := m.count(task.Done), m.count(task.Failed)+m.count(task.Timeout)
	share := 0.0
	if done+failed > 0 {
		share = 100 * float64(failed) / float64(done+failed)
	}
	blank := part.NewLine(m.s, iw).String()
	say := func(l *part.Line) { lines = append(lines, l.String()) }
	lines = append(lines, blank)
	say(part.NewLine(m.s, iw).Sp(1).T(theme.Muted, "slots ").T(theme.Text, part.Count(s.Status.SlotsUsed)+" of "+part.Count(s.Status.Slots)+" in use"))
	say(part.NewLine(m.s, iw).Sp(1).T(theme.Muted, "failed ").T(theme.Text, fmt.Sprintf("%.1f%%", share)).T(theme.Muted, "   lost ").T(theme.Text, part.Count(m.count(task.Lost))).
		T(theme.Muted, "   retry ").T(theme.Text, part.Count(m.count(task.Retry))))
	if s.Status.Dispatcher != "" {
		say(part.NewLine(m.s, iw).Sp(1).T(theme.Muted, "dispatcher ").T(theme.Text, s.Status.Dispatcher).
			T(theme.Muted, " up "+part.Age(m.now().Sub(time.UnixMilli(s.Status.Since)))+"  term "+fmt.Sprint(s.Status.Term)))
	}
	return part.Box{Title: "Fleet", Remark: part.Plural(s.known(), "node")}.Draw(m.s, w, h, lines)
}

// drawSummary is the overview's numbers where there is no room for cards.
func (m *Model) drawSummary(w, h int) []string {
	s := m.view()
	l := m.countLine(w, 2, part.Count)
	if l.Left() < 1 { // large numbers: closer, then rounded
		l = m.countLine(w, 1, part.Count)
	}
	if l.Left() < 1 {
		l = m.countLine(w, 1, part.Short)
	}
	if l.Left() < 1 { // the words say it alone
		l = part.NewLine(m.s, w)
		for _, k := range summaryStates {
			l.Sp(1).B(theme.Text, part.Short(m.count(k))).T(theme.Muted, " "+k.String())
		}
	}
	r := part.NewLine(m.s, w).Sp(1).T(theme.Muted, "tasks/s ").B(theme.Text, part.Rate(s.Status.Rate)).Sp(2)
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
func (m *Model) countLine(w, gap int, count func(int) string) *part.Line {
	l := part.NewLine(m.s, w)
	for i, k := range summaryStates {
		l.Sp(1+min(i, 1)*(gap-1)).T(stateToken(k), m.stateGlyph(k)+" ").B(theme.Text, count(m.count(k))).T(theme.Muted, " "+k.String())
	}
	return l
}
