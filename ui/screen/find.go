package screen

import (
	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// findLine is the filter of a list or the search in the output, while it is
// being typed. It works with each letter.
type findLine struct {
	pane  scene.Filterer
	field *part.Field
	old   string
}

// startFind opens the line for the pane with the focus; one that has nothing to
// filter goes to the list of tasks.
func (m *Model) startFind() {
	switch m.view.Focus {
	case scene.RunningPane, scene.NodePane, scene.FactsPane:
		m.view.GoPage(scene.Tasks)
		m.view.Focus = scene.TasksPane
	}
	if pane, ok := m.panes[m.view.Focus].(scene.Filterer); ok {
		old := pane.Filter(m.view)
		m.find = &findLine{pane: pane, field: part.NewField("", "", old, 200), old: old}
	}
}

func (m *Model) findKey(k tea.KeyMsg, action scene.Action) {
	f := m.find
	switch action {
	case "field.accept":
		m.find = nil
		if f.field.Fault != "" {
			_ = f.pane.SetFilter(m.view, f.old)
			m.view.Say(theme.Err, f.field.Fault)
		}
	case "field.close":
		m.find = nil
		_ = f.pane.SetFilter(m.view, "")
	case "field.older", "field.newer", "field.next", "field.back":
	default:
		if f.field.Key(k) {
			if err := f.pane.SetFilter(m.view, f.field.Value()); err != nil {
				f.field.Fault = err.Error()
			}
		}
	}
}

func (f *findLine) draw(view *scene.Scene, l *part.Line) string {
	l.B(theme.Accent, "/ ")
	room := l.Left() - 30
	if f.field.Fault != "" {
		room = l.Left() - min(l.Left()/2, part.Width(f.field.Fault)+2)
	}
	f.field.Draw(l, max(8, room), true)
	if f.field.Fault != "" {
		l.Sp(1).T(theme.Err, f.field.Fault)
	} else if found := f.pane.Found(view); found != "" {
		l.Sp(1).T(theme.Muted, found)
	}
	return l.String()
}
