package screen

import (
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// copyShown copies the error that is shown, else the id of what is under the
// cursor, or the shown lines.
func (m *Model) copyShown() {
	if m.said.Token == theme.Err && m.said.Text != "" {
		m.view.Emit(scene.Copy{Text: m.said.Text, What: "the error"})
		return
	}
	var text, what string
	switch pane, ok := m.panes[m.view.Focus].(scene.Copier); {
	case ok:
		text, what = pane.Copy(m.view)
	case m.view.Context()&scene.SomeNode != 0:
		text, what = copyNode(m.view)
	default:
		text, what = copyTask(m.view)
	}
	if text == "" {
		m.view.Say(theme.Muted, "there is nothing to copy")
		return
	}
	m.view.Emit(scene.Copy{Text: text, What: what})
}

func copyNode(view *scene.Scene) (text, what string) {
	n := view.Node()
	if n == nil {
		return "", ""
	}
	return n.Name, "the name of " + n.Name
}

func copyTask(view *scene.Scene) (text, what string) {
	id := view.TaskID()
	if id == 0 {
		return "", ""
	}
	return id.String(), "the number of task " + id.String()
}

// copyCommand copies the command line that does or shows the same.
func (m *Model) copyCommand() {
	text := m.sameAsScreen()
	m.view.Emit(scene.Copy{Text: text, What: text})
}

// sameAsScreen is the octaskly command for what is on the screen.
func (m *Model) sameAsScreen() string {
	if c, ok := m.dialog().(scene.Commander); ok {
		if text := c.Command(m.view); text != "" {
			return text
		}
	}
	return sameAsPane(m.view)
}

// sameAsPane is the octaskly command for what a pane shows.
func sameAsPane(view *scene.Scene) string {
	id := view.TaskID().String()
	switch view.Context() {
	case scene.InTasks:
		if view.Focus == scene.RunningPane {
			return "octaskly ps --state running"
		}
		return scene.PsCommand(view)
	case scene.InTask:
		return "octaskly show " + id
	case scene.InOutput:
		if t := view.Task(); t != nil && t.State.Terminal() {
			return "octaskly logs " + id
		}
		return "octaskly logs -f " + id
	case scene.InNode:
		if n := view.Node(); n != nil {
			return "octaskly nodes show " + text.QuoteShell(n.Name)
		}
	case scene.InNodes, scene.InHeat:
		return "octaskly nodes"
	case scene.InEvents:
		return "octaskly events -f"
	}
	return "octaskly status"
}
