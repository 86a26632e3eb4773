package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// hint is a key and what it does, for the footer.
type hint struct{ key, text string }

// View draws the whole screen: exactly as many lines as the terminal has,
// each exactly as wide.
func (m *Model) View() []string {
	if m.w < 1 || m.h < 1 {
		return nil
	}
	var out []string
	if m.w < SmallestW || m.h < SmallestH {
		out = m.drawSmall()
		for i := range out {
			out[i] = part.Fit(out[i], m.w)
		}
	} else {
		out = m.drawFull()
	}
	out = part.Tall(out, m.w, m.h)
	if m.s.Glyphs.ASCII {
		for i := range out {
			out[i] = theme.ToASCII(out[i])
		}
	}
	return out
}

func (m *Model) drawFull() []string {
	f := FrameOf(m.w, m.h)
	out := make([]string, 0, m.h)
	out = append(out, m.header(), m.tabs())
	rule := m.s.Paint(theme.Faint, strings.Repeat(m.s.Glyphs.Rule, m.w))
	if f.Rules > 0 {
		out = append(out, rule)
	}
	body := m.body(f.Content.W, f.Content.H)
	out = append(out, body...)
	out = append(out, m.noteLine())
	if f.Rules > 0 {
		out = append(out, rule)
	}
	if n := len(m.overlays); n > 0 {
		box := m.overlays[n-1].draw(m, m.w, len(out)-f.Head)
		head := out[:f.Head:f.Head]
		out = append(head, part.Over(m.s, out[f.Head:], box, m.w)...)
	}
	return append(out, m.footer())
}

// body is the banner and the panes.
func (m *Model) body(w, h int) []string {
	banner := m.banner()
	if len(banner) > h {
		banner = banner[:h]
	}
	return append(append([]string{}, banner...), m.panes(w, h-len(banner))...)
}

// panes draws every placed pane into its rectangle.
func (m *Model) panes(w, h int) []string {
	rows := make([]strings.Builder, max(h, 0))
	used := make([]int, len(rows))
	for _, p := range m.placed() {
		block := m.drawPane(p)
		for i, ln := range block {
			y := p.Y + i
			if y < 0 || y >= len(rows) {
				continue
			}
			if gap := p.X - used[y]; gap > 0 {
				rows[y].WriteString(strings.Repeat(" ", gap))
			}
			rows[y].WriteString(ln)
			used[y] = p.X + p.W
		}
	}
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].String()
		if used[i] < w {
			out[i] += strings.Repeat(" ", w-used[i])
		}
	}
	return out
}

func (m *Model) drawPane(p Placed) []string {
	focus := p.Pane == m.focus
	if p.W < 4 || p.H < 2 {
		return part.Blank(p.W, p.H)
	}
	switch p.Pane {
	case RatePane:
		return m.drawRate(p.W, p.H)
	case QueuePane:
		return m.drawQueue(p.W, p.H)
	case FleetPane:
		return m.drawFleet(p.W, p.H)
	case SummaryPane:
		return m.drawSummary(p.W, p.H)
	case NodesPane:
		return m.drawNodes(p.W, p.H, focus)
	case NodePane:
		return m.drawNode(p.W, p.H, focus)
	case HeatPane:
		return m.drawHeat(p.W, p.H, focus)
	case SpreadPane:
		return m.drawSpread(p.W, p.H)
	case TasksPane:
		return m.drawTasks(p.W, p.H, focus)
	case RunningPane:
		return m.drawRunning(p.W, p.H, focus)
	case FactsPane:
		return m.drawFacts(p.W, p.H, focus)
	case OutputPane:
		return m.drawOutput(p.W, p.H, focus)
	case EventsPane:
		return m.drawEvents(p.W, p.H, focus)
	case WelcomePane:
		return m.drawWelcome(p.W, p.H)
	}
	return part.Blank(p.W, p.H)
}

// dimmed reports that what is shown is old.
func (m *Model) dimmed() bool { return m.view().Link.State == Gone }

func (m *Model) tabs() string {
	l := part.NewLine(m.s, m.w).Sp(1)
	for i, n := range pageNames {
		text := fmt.Sprintf("%d %s", i+1, n)
		if Page(i) == m.page {
			if m.s.Depth <= theme.Mono || m.s.Glyphs.ASCII {
				l.B(theme.Focus, "["+text+"]").Sp(1)
			} else {
				l.Rev(theme.Focus, " "+text+" ").Sp(1)
			}
			continue
		}
		l.T(theme.Muted, " "+text+" ").Sp(1)
	}
	if c := m.crumbs(); c != "" {
		l.T(theme.Text, c)
	}
	r := part.NewLine(m.s, 40).T(theme.Accent, "/").T(theme.Muted, " filter  ").T(theme.Accent, ":").T(theme.Muted, " command  ").T(theme.Accent, "?").T(theme.Muted, " help ")
	return l.End(r).String()
}

// crumbs is what was opened over the page.
func (m *Model) crumbs() string {
	g := m.s.Glyphs.Crumb
	switch m.top() {
	case DeepTask:
		return g + " task " + m.output.pinned.String()
	case DeepOutput:
		return g + " task " + m.output.pinned.String() + " " + g + " output"
	case DeepNode:
		if n := m.node(); n != nil {
			return g + " " + n.Name
		}
	}
	return ""
}

// noteLine is the one line under the content: the filter line, what just
// happened, marks, or the newest problem.
func (m *Model) noteLine() string {
	l := part.NewLine(m.s, m.w).Sp(1)
	switch {
	case m.find != nil:
		return m.find.draw(m, l)
	case m.note.text != "":
		m.drawNote(l)
	case len(m.tasks.marks) > 0 || m.tasks.all:
		l.T(theme.Text, m.markedWords())
	case m.tasks.filter != "" && (m.focus == TasksPane):
		l.T(theme.Muted, "filter ").B(theme.Text, m.tasks.filter).T(theme.Muted, "   esc clears it")
	case m.page != Events && m.top() == NoDeep && !m.welcome():
		m.newest(l)
	}
	return l.String()
}

// drawNote is what just happened. An error that is longer than the line is
// whole among the events.
func (m *Model) drawNote(l *part.Line) {
	text := part.Clean(m.note.text)
	key := m.keys.Of(InOverview, "screen.events")
	if m.note.token != theme.Err || part.Width(text) <= l.Left() || key == "" || l.Left() < 40 {
		l.T(m.note.token, text)
		return
	}
	more := part.NewLine(m.s, l.Left()).Sp(1).B(theme.Accent, key).T(theme.Muted, " shows all of it ")
	l.Cell(m.note.token, text, l.Left()-more.Used(), false).Add(more)
}

// newest shows the newest problems.
func (m *Model) newest(l *part.Line) {
	shown := 0
	for i, e := range m.fold(tail(m.view().Events, 200)) {
		if i > 60 || shown == 2 {
			break
		}
		if !e.bad {
			continue
		}
		piece := part.NewLine(m.s, m.w)
		piece.T(theme.Muted, clockOf(e.at)+" ").T(e.tok, e.glyph+" ").T(theme.Text, e.words()).Sp(3)
		if piece.Used() > l.Left() && shown > 0 {
			break
		}
		l.Raw(strings.TrimRight(piece.String(), " ")).Sp(3)
		shown++
	}
}

func tail[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// banner is what a person must know before anything else; worst first, at
// most two lines.
func (m *Model) banner() []string {
	s := m.view()
	if m.welcome() { // the page says it
		return nil
	}
	var out []string
	add := func(tok theme.Token, text, cure string) {
		l := part.NewLine(m.s, m.w).Sp(1).B(tok, m.s.Glyphs.Stale+" "+text)
		if cure != "" {
			l.Sp(2).T(theme.Text, cure)
		}
		out = append(out, l.String())
	}
	if s.Link.State == Gone {
		who := s.Status.Dispatcher
		if who == "" {
			who = "The node"
		} else {
			who = "Dispatcher " + who
		}
		age := part.Dur(s.Now.Sub(s.Link.Since).Truncate(time.Second))
		cure := fmt.Sprintf("What is shown is %s old.  %s tries now.", age, m.keys.Of(InTasks, "refresh"))
		if m.w < 80 {
			who = strings.TrimPrefix(who, "Dispatcher ")
			cure = fmt.Sprintf("%s old.  %s tries now.", age, m.keys.Of(InTasks, "refresh"))
		}
		add(theme.Err, who+" does not answer.", cure)
		if running := m.count(task.Running); running > 0 {
			goesOn := "1 task runs on; its end is reported when it is back."
			if running > 1 {
				goesOn = part.Count(running) + " tasks run on; their ends are reported when it is back."
			}
			out = append(out, part.NewLine(m.s, m.w).Sp(3).T(theme.Text, goesOn).String())
		}
	}
	if s.Link.State == Live && s.Status.Dispatcher == "" && !s.Alone() {
		add(theme.Warn, part.Plural(len(s.Nodes), "node")+", no dispatcher.", "p makes this node the dispatcher.")
	}
	for _, f := range s.Status.Facts {
		tok := map[string]theme.Token{"error": theme.Err, "warning": theme.Warn}[f.Level]
		if f.Level == "error" || f.Level == "warning" {
			add(tok, f.Text, f.Cure)
		}
	}
	if len(out) > 2 {
		out = out[:2]
	}
	return out
}

// footer shows the keys that work here and now.
func (m *Model) footer() string {
	l := part.NewLine(m.s, m.w).Sp(1)
	end := part.NewLine(m.s, m.w)
	if by, ok := m.waitingOffer(); ok {
		l.B(theme.Warn, m.s.Glyphs.Stale+" "+by+" wants to run commands here: close this to answer.").Sp(2)
	}
	if m.find == nil && len(m.overlays) == 0 {
		end.B(theme.Accent, m.keys.Of(m.paneCtx(), "quit")).T(theme.Muted, " quit ")
	}
	for _, h := range m.hints() {
		piece := part.NewLine(m.s, m.w).B(theme.Accent, h.key).T(theme.Muted, " "+h.text)
		if piece.Used()+2 > l.Left()-end.Used() {
			break
		}
		l.Raw(strings.TrimRight(piece.String(), " ")).Sp(2)
	}
	return l.End(end).String()
}

func (m *Model) hints() []hint {
	if m.find != nil {
		return []hint{{"enter", "keep"}, {"esc", "clear"}, {"", m.find.syntax()}}
	}
	if n := len(m.overlays); n > 0 {
		if f, ok := m.overlays[n-1].(footed); ok {
			return f.foot(m)
		}
		return []hint{{"esc", "close"}}
	}
	return m.paneHints()
}

// paneHints is the footer of a pane, out of the key table. What belongs to the
// pane comes first, quit last.
func (m *Model) paneHints() []hint {
	in := m.paneCtx()
	var first, own, common []hint
	for _, bd := range m.keys.In(in) {
		if bd.Foot == "" || bd.Action == "quit" || !m.can(bd.Action) {
			continue
		}
		h := hint{bd.Keys[0], m.footWord(bd)}
		switch {
		case bd.Action == "open" || bd.Action == "task.new" && in&someNode == 0:
			first = append(first, h)
		case bd.Group == "Output" && in&InOutput != 0, bd.Group == "Tasks" && in&someTask&^InOutput != 0, bd.Group == "Nodes" && in&(someNode|InWelcome) != 0:
			own = append(own, h)
		default:
			common = append(common, h)
		}
	}
	if m.dimmed() {
		first = append([]hint{{m.keys.Of(in, "refresh"), "try now"}, {m.keys.Of(in, "promote"), "take over"}}, first...)
	}
	if len(m.deep) > 0 {
		first = append([]hint{{"esc", "back"}}, first...)
	}
	return append(append(first, own...), common...)
}

func (m *Model) footWord(bd Binding) string {
	switch bd.Action {
	case "open":
		if m.focus == OutputPane || m.focus == FactsPane {
			return "full screen"
		}
	case "node.drain":
		if n := m.node(); n != nil && (n.State == control.NodeDraining || n.State == control.NodeDrained) {
			return "undrain"
		}
	case "heat":
		if m.nodes.heat {
			return "list"
		}
	}
	return bd.Foot
}

// drawSmall is what fits where tables do not.
func (m *Model) drawSmall() []string {
	s := m.view()
	line := func() *part.Line { return part.NewLine(m.s, m.w).Sp(min(1, m.w-1)) }
	l := line().B(theme.Accent, "octaskly").Sp(2).T(theme.Text, s.Status.Self.Name).Sp(1).T(m.roleToken(), "["+m.roleWord()+"]")
	t := line()
	for _, k := range cardStates[:2] {
		t.B(theme.Text, part.Count(m.count(k))).T(theme.Muted, " "+k.String()+"  ")
	}
	t.B(theme.Text, part.Count(m.count(cardStates[3]))).T(theme.Muted, " failed")
	n := line().T(theme.Muted, "nodes ").T(theme.Text, fmt.Sprintf("%d/%d up", s.Status.Nodes[control.NodeUp], len(s.Nodes))).
		T(theme.Muted, "   slots ").T(theme.Text, fmt.Sprintf("%d/%d", s.Status.SlotsUsed, s.Status.Slots))
	all := []string{
		l.String(), t.String(), n.String(), line().String(),
		line().T(theme.Muted, fmt.Sprintf("Too small for the tables: %dx%d of %dx%d.", m.w, m.h, SmallestW, SmallestH)).String(),
		line().T(theme.Muted, "Make it larger.  ").B(theme.Accent, m.keys.Of(InOverview, "task.new")).T(theme.Muted, " new task  ").B(theme.Accent, m.keys.Of(InOverview, "quit")).T(theme.Muted, " quit").String(),
	}
	if q := len(m.overlays); q > 0 {
		all = append(m.overlays[q-1].draw(m, m.w, m.h), all...)
	}
	return all
}
