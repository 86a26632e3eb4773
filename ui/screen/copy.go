package screen

import (
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
)

// copyShown copies the error that is shown, else the id of what is under the
// cursor, or the shown lines.
func (m *Model) copyShown() {
	if m.said.Token == theme.Err && m.said.Text != "" {
		m.view.Emit(Copy{m.said.Text, "the error"})
		return
	}
	var text, what string
	switch pane, ok := m.panes[m.view.Focus].(Copier); {
	case ok:
		text, what = pane.Copy(m.view)
	case m.view.Context()&someNode != 0:
		text, what = copyNode(m.view)
	default:
		text, what = copyTask(m.view)
	}
	if text == "" {
		m.view.Say(theme.Muted, "there is nothing to copy")
		return
	}
	m.view.Emit(Copy{text, what})
}

func copyNode(view *Scene) (text, what string) {
	n := view.Node()
	if n == nil {
		return "", ""
	}
	return n.Name, "the name of " + n.Name
}

func copyTask(view *Scene) (text, what string) {
	id := view.TaskID()
	if id == 0 {
		return "", ""
	}
	return id.String(), "the number of task " + id.String()
}

// copyCommand copies the command line that does or shows the same.
func (m *Model) copyCommand() {
	text := m.sameAsScreen()
	m.view.Emit(Copy{text, text})
}

// sameAsScreen is the octaskly command for what is on the screen.
func (m *Model) sameAsScreen() string {
	if c, ok := m.dialog().(Commander); ok {
		if text := c.Command(m.view); text != "" {
			return text
		}
	}
	return sameAsPane(m.view)
}

// sameAsPane is the octaskly command for what a pane shows.
func sameAsPane(view *Scene) string {
	id := view.TaskID().String()
	switch view.Context() {
	case InTasks:
		if view.Focus == RunningPane {
			return "octaskly ps --state running"
		}
		return psCommand(view)
	case InTask:
		return "octaskly show " + id
	case InOutput:
		if t := view.Task(); t != nil && t.State.Terminal() {
			return "octaskly logs " + id
		}
		return "octaskly logs -f " + id
	case InNode:
		if n := view.Node(); n != nil {
			return "octaskly nodes show " + text.QuoteShell(n.Name)
		}
	case InNodes, InHeat:
		return "octaskly nodes"
	case InEvents:
		return "octaskly events -f"
	}
	return "octaskly status"
}
