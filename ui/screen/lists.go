package screen

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// helpBox is the keys of a place, out of the key table; typing searches.
type helpBox struct {
	from  Ctx
	title string
	field *part.Field
	top   int
}

var ctxNames = map[Ctx]string{
	InOverview: "Overview", InTasks: "Tasks", InTask: "Task", InOutput: "Output", InNodes: "Nodes", InNode: "Node",
	InHeat: "Heat map", InEvents: "Events", InWelcome: "Welcome",
}

func newHelp(m *Model) overlay {
	in := m.paneCtx()
	return &helpBox{from: in, title: "Keys: " + ctxNames[in], field: part.NewField("", "", "", 40)}
}

func (b *helpBox) in() Ctx { return InHelp }

func (b *helpBox) key(_ *Model, k tea.KeyMsg) {
	b.field.Key(k)
	b.top = 0
}

func (b *helpBox) act(m *Model, action string) {
	switch action {
	case "field.close", "field.accept":
		m.closeIt(b)
	case "field.newer", "field.next":
		b.top++
	case "field.older", "field.back":
		b.top = max(0, b.top-1)
	}
}

func (b *helpBox) foot(*Model) []hint {
	return []hint{{"type", "to search"}, {"up down", "scroll"}, {"esc", "close"}}
}

func (b *helpBox) draw(m *Model, w, h int) []string {
	w = min(w, 116)
	iw := max(0, w-4)
	rows := b.entries(m)
	cols := 1
	if iw >= 74 && strings.TrimSpace(b.field.Value()) == "" {
		cols = 2
	}
	lines := flow(m, rows, iw, cols)
	room := max(1, h-5)
	b.top = min(b.top, max(0, len(lines)-room))
	remark := "type to search   esc close"
	if v := b.field.Value(); v != "" {
		remark = "/ " + v
	}
	shown := lines[b.top:min(len(lines), b.top+room)]
	if len(lines) > room {
		remark = fmt.Sprintf("%d-%d of %d   ", b.top+1, b.top+len(shown), len(lines)) + remark
	}
	return part.Dialog{Title: b.title, Remark: remark, Lines: shown, Focus: -1}.Draw(m.s, w, h)
}

// entry is one row of the help: a heading, or keys and what they do.
type entry struct{ group, keys, text, action string }

func (b *helpBox) entries(m *Model) []entry {
	want := strings.ToLower(strings.TrimSpace(b.field.Value()))
	var out []entry
	group := ""
	for _, bd := range m.keys.In(b.from) {
		if want != "" && !strings.Contains(strings.ToLower(bd.Help+" "+bd.Action+" "+strings.Join(bd.Keys, " ")), want) {
			continue
		}
		if bd.Group != group {
			group = bd.Group
			out = append(out, entry{group: group})
		}
		out = append(out, entry{keys: strings.Join(bd.Keys, " "), text: bd.Help, action: bd.Action})
	}
	if len(out) == 0 {
		out = append(out, entry{text: "no key does that here; : opens the command palette"})
	}
	return append(out, entry{}, entry{text: "Every key can be changed in config.toml [keys]."}, entry{text: "Every action is also a command: press : and type its name."})
}

// flow sets rows in columns, top to bottom.
func flow(m *Model, rows []entry, w, cols int) []string {
	per := (len(rows) + cols - 1) / cols
	cw := w / cols
	out := make([]string, 0, per)
	for i := 0; i < per; i++ {
		l := part.NewLine(m.s, w)
		for c := 0; c < cols; c++ {
			l.To(c * cw)
			if j := c*per + i; j < len(rows) {
				drawEntry(l, rows[j], cw-2)
			}
		}
		out = append(out, l.String())
	}
	return out
}

func drawEntry(l *part.Line, e entry, w int) {
	switch {
	case e.group != "":
		l.B(theme.Muted, strings.ToUpper(e.group))
	case e.keys != "":
		l.Cell(theme.Accent, e.keys, 14, false).Cell(theme.Text, e.text, max(0, w-14), false)
	default:
		l.Cell(theme.Muted, e.text, w, false)
	}
}

// themesBox chooses a theme; moving shows it at once.
type themesBox struct {
	names []string
	at    int
	was   *theme.Styles
}

func newThemes(m *Model) overlay {
	b := &themesBox{names: m.opt.Themes, was: m.s}
	if len(b.names) == 0 {
		b.names = theme.Names()[1:]
	}
	for i, n := range b.names {
		if n == m.s.Theme.Name {
			b.at = i
		}
	}
	return b
}

func (b *themesBox) in() Ctx { return InDialog }

func (b *themesBox) act(m *Model, action string) {
	switch action {
	case "down", "pane.next", "right":
		b.show(m, b.at+1)
	case "up", "pane.back", "left":
		b.show(m, b.at-1)
	case "dialog.close":
		m.s = b.was
		m.closeIt(b)
	case "dialog.enter":
		m.closeIt(b)
		m.do(SaveTheme{b.names[b.at]})
		m.say(theme.OK, "theme: "+b.names[b.at])
	}
}

func (b *themesBox) show(m *Model, i int) {
	b.at = (i + len(b.names)) % len(b.names)
	load := m.opt.Load
	if load == nil {
		load = func(n string) (theme.Theme, error) { return theme.Builtin(n, !m.s.Theme.Light) }
	}
	t, err := load(b.names[b.at])
	if err != nil {
		m.say(theme.Err, err.Error())
		return
	}
	depth := m.s.Depth
	m.s = theme.NewStyles(t, depth, m.s.Glyphs.ASCII)
}

func (b *themesBox) draw(m *Model, w, h int) []string {
	w = min(w, 46)
	iw := max(0, w-4)
	var lines []string
	for i, n := range b.names {
		l := part.NewLine(m.s, iw)
		if i == b.at {
			l.B(theme.Focus, m.s.Glyphs.Cursor+" ").Cell(theme.Text, n, 16, false)
			lines = append(lines, m.s.Row(l.String()))
			continue
		}
		lines = append(lines, l.Sp(2).Cell(theme.Muted, n, 16, false).String())
	}
	sample := part.NewLine(m.s, iw)
	for _, t := range []struct {
		tok  theme.Token
		text string
	}{{theme.OK, "done"}, {theme.Run, "running"}, {theme.Warn, "retry"}, {theme.Err, "failed"}, {theme.Lost, "lost"}} {
		sample.T(t.tok, t.text).Sp(2)
	}
	lines = append(lines, part.NewLine(m.s, iw).String(), sample.String())
	return part.Dialog{Title: "Theme", Lines: lines, Focus: -1}.Draw(m.s, w, h)
}

func (b *themesBox) foot(*Model) []hint {
	return []hint{{"up down", "look at one"}, {"enter", "keep it"}, {"esc", "as it was"}}
}
