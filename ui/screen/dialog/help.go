package dialog

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// helpBox is the keys of a place, out of the key table; typing searches.
type helpBox struct {
	from  scene.Ctx
	title string
	field *part.Field
	top   int
}

var ctxNames = map[scene.Ctx]string{
	scene.InOverview: "Overview", scene.InTasks: "Tasks", scene.InTask: "Task", scene.InOutput: "Output", scene.InNodes: "Nodes", scene.InNode: "Node",
	scene.InHeat: "Heat map", scene.InEvents: "Events", scene.InWelcome: "Welcome",
}

func newHelp(view *scene.Scene) scene.Dialog {
	in := view.Context()
	return &helpBox{from: in, title: "Keys: " + ctxNames[in], field: part.NewField("", "", "", 40)}
}

func (b *helpBox) In() scene.Ctx { return scene.InHelp }

func (b *helpBox) Key(_ *scene.Scene, k tea.KeyMsg) {
	b.field.Key(k)
	b.top = 0
}

func (b *helpBox) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "field.close", "field.accept":
		view.Close(b)
	case "field.newer", "field.next":
		b.top++
	case "field.older", "field.back":
		b.top = max(0, b.top-1)
	}
}

func (b *helpBox) Foot(*scene.Scene) []scene.Hint {
	return []scene.Hint{{Key: "type", Text: "to search"}, {Key: "up down", Text: "scroll"}, {Key: "esc", Text: "close"}}
}

func (b *helpBox) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 116)
	iw := max(0, w-4)
	rows := b.entries(view)
	cols := 1
	if iw >= 74 && strings.TrimSpace(b.field.Value()) == "" {
		cols = 2
	}
	lines := flow(view, rows, iw, cols)
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
	return part.Dialog{Title: b.title, Remark: remark, Lines: shown, Focus: -1}.Draw(view.Styles, w, h)
}

// entry is one row of the help: a heading, or keys and what they do.
type entry struct {
	group, keys, text string
	action            scene.Action
}

func (b *helpBox) entries(view *scene.Scene) []entry {
	want := strings.ToLower(strings.TrimSpace(b.field.Value()))
	var out []entry
	group := ""
	for _, bd := range view.Keys.In(b.from) {
		if want != "" && !strings.Contains(strings.ToLower(bd.Help+" "+string(bd.Action)+" "+strings.Join(bd.Keys, " ")), want) {
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
func flow(view *scene.Scene, rows []entry, w, cols int) []string {
	per := (len(rows) + cols - 1) / cols
	cw := w / cols
	out := make([]string, 0, per)
	for i := 0; i < per; i++ {
		l := part.NewLine(view.Styles, w)
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
