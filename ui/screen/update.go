package screen

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/dialog"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// quiet is how long a new dialog does not take the Enter that would do harm,
// so that keys in one breath, a fallen pen or a paste, never reach a
// destructive call. Two keys never do, however long one waits.
const quiet = 400 * time.Millisecond

// Key takes one key, pressed at a time.
func (m *Model) Key(k tea.KeyMsg, at time.Time) {
	name := k.String()
	if name == "ctrl+c" {
		m.interrupt(at)
		return
	}
	if k.Paste || k.Type == tea.KeyRunes && len(k.Runes) > 1 {
		m.burst(k, at)
		return
	}
	m.said, m.view.Note = m.view.Note, scene.Note{}
	in := m.in()
	action := m.view.Keys.Action(in, name)
	switch {
	case m.find != nil:
		m.findKey(k, action)
	case len(m.view.Dialogs) > 0:
		m.dialogKey(k, action, at)
	case action != "":
		before := len(m.view.Dialogs)
		m.act(action)
		m.stamp(before, at)
	}
	m.settle()
	m.raise(at)
}

// stamp starts the quiet time of a dialog that was just opened.
func (m *Model) stamp(before int, at time.Time) {
	if len(m.view.Dialogs) > before {
		m.openedAt = at
	}
}

func (m *Model) dialogKey(k tea.KeyMsg, action scene.Action, at time.Time) {
	o := m.dialog()
	if action == "suspend" {
		m.view.Emit(scene.Suspend{})
		return
	}
	if _, ok := o.(scene.Unbidden); ok && at.Sub(m.openedAt) < dialog.Calm {
		m.openedAt = at
		m.view.Say(theme.Muted, "that key was not taken: the question came up just now")
		return
	}
	if action == "copy.command" || action == "field.copy" {
		m.copyCommand()
		return
	}
	before := len(m.view.Dialogs)
	if action != "" {
		if h, ok := o.(scene.Harmful); ok && h.Harms(action) && at.Sub(m.openedAt) < quiet {
			return
		}
		o.Act(m.view, action)
	} else if t, ok := o.(scene.Typed); ok {
		t.Key(m.view, k)
	}
	m.stamp(before, at)
}

// maxBurst is how many different letters that arrive at once are still keys:
// what a fast typist presses while a line is slow. More is a paste.
const maxBurst = 4

// burst takes several letters that arrived at once. In a text field they are
// text. Elsewhere a held key, or a few keys over a slow line, are keys.
func (m *Model) burst(k tea.KeyMsg, at time.Time) {
	held := true
	for _, r := range k.Runes {
		held = held && r == k.Runes[0]
	}
	if _, typing := m.field(); k.Paste || typing || !held && len(k.Runes) > maxBurst {
		m.paste(k)
		return
	}
	for _, r := range k.Runes {
		m.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: k.Alt}, at)
	}
}

// field is the text field that takes letters now, if there is one.
func (m *Model) field() (scene.Typed, bool) {
	if d := m.dialog(); d != nil {
		t, ok := d.(scene.Typed)
		return t, ok
	}
	return nil, m.find != nil
}

// paste takes a burst of text. It means something in a text field only;
// anywhere else it is dropped, for it was meant for another window.
func (m *Model) paste(k tea.KeyMsg) {
	if m.find != nil {
		m.findKey(k, "")
		return
	}
	if t, ok := m.field(); ok {
		t.Key(m.view, k)
		return
	}
	m.view.Say(theme.Muted, "pasted text was ignored: there is no text field here")
}

// interrupt is ctrl+c: like q, and twice within two seconds leaves at once.
func (m *Model) interrupt(at time.Time) {
	if !m.interrupted.IsZero() && at.Sub(m.interrupted) < 2*time.Second {
		m.view.Emit(scene.Quit{How: scene.KeepRunning})
		return
	}
	m.interrupted = at
	m.view.Dialogs, m.find, m.raised = nil, nil, 0
	dialog.Leave(m.view)
	m.settle()
}

// router lets panes and dialogs reach the others without knowing them.
type router struct{ *Model }

// Perform does what a key with this action would do on the panes.
func (r router) Perform(action scene.Action) { r.act(action) }

// Settle gives the focus to a pane that is on the screen.
func (r router) Settle() { r.settle() }

// Explain shows a text whole.
func (r router) Explain(title, text, same string) { r.view.Open(dialog.NewText(title, text, same)) }

// act does what a key means on the panes.
func (m *Model) act(action scene.Action) {
	if !m.view.Can(action) {
		m.view.Say(theme.Muted, m.view.WhyNot(action))
		return
	}
	if page, ok := pageOf(action, m.view.Page); ok {
		m.view.GoPage(page)
		return
	}
	if m.actGlobal(action) || dialog.Open(m.view, action) {
		return
	}
	if pane, ok := m.panes[m.view.Focus].(scene.Actor); ok {
		pane.Act(m.view, action)
	}
}

// pageOf is the page that an action goes to from another.
func pageOf(action scene.Action, from scene.Page) (scene.Page, bool) {
	switch action {
	case "screen.overview":
		return scene.Overview, true
	case "screen.tasks":
		return scene.Tasks, true
	case "screen.nodes":
		return scene.Nodes, true
	case "screen.events":
		return scene.Events, true
	case "screen.next":
		return (from + 1) % scene.PageCount, true
	case "screen.back":
		return (from + scene.PageCount - 1) % scene.PageCount, true
	}
	return 0, false
}

func (m *Model) actGlobal(action scene.Action) bool {
	switch action {
	case "demo":
		m.view.Emit(scene.Quit{How: scene.LookAround})
	case "suspend":
		m.view.Emit(scene.Suspend{})
	case "refresh":
		m.view.Emit(scene.Redraw{})
		m.view.Say(theme.Muted, "asked again")
	case "mouse":
		m.mouse = !m.mouse
		m.view.Emit(scene.SetMouse{On: m.mouse})
		if m.mouse {
			m.view.Say(theme.Muted, "mouse on: wheel scrolls, a click selects, a double click opens")
		} else {
			m.view.Say(theme.Muted, "mouse off: the terminal selects text again")
		}
	case "freeze":
		m.view.Freeze()
	case "zoom":
		m.view.Zoom = !m.view.Zoom
	case "pane.next":
		m.nextPane(1)
	case "pane.back":
		m.nextPane(-1)
	case "filter", "find":
		m.startFind()
	case "output":
		if id := m.view.TaskID(); id != 0 {
			m.view.OpenTask(id, scene.DeepOutput)
		}
	case "write":
		m.view.Emit(scene.WriteOutput{ID: m.view.TaskID()})
	case "heat":
		m.view.ToggleHeat()
	case "copy":
		m.copyShown()
	case "copy.command":
		m.copyCommand()
	case "back":
		m.back()
	default:
		return false
	}
	return true
}

func (m *Model) nextPane(step int) {
	var list []scene.PaneID
	at := 0
	for _, p := range scene.Arrange(m.view.Page, m.view.Top(), m.view.Nodes.Heat, m.content().W, m.content().H) {
		if p.Pane.Focusable() {
			if p.Pane == m.view.Focus {
				at = len(list)
			}
			list = append(list, p.Pane)
		}
	}
	if len(list) < 2 || m.view.Welcome() {
		return
	}
	m.view.Focus = list[(at+step+len(list))%len(list)]
}

// back undoes one thing: a frozen screen, a zoom, a filter or marks of the pane,
// a page that was opened; in this order.
func (m *Model) back() {
	pane, _ := m.panes[m.view.Focus].(scene.Actor)
	switch {
	case m.view.Frozen != nil:
		m.view.Freeze()
	case m.view.Zoom:
		m.view.Zoom = false
	case pane != nil && pane.Back(m.view):
	case len(m.view.Deep) > 0:
		m.view.Pop()
		if m.view.Top() != scene.DeepTask && m.view.Top() != scene.DeepOutput {
			m.view.Pinned = 0
		}
	case m.view.Focus == scene.OutputPane || m.view.Focus == scene.FactsPane || m.view.Focus == scene.NodePane:
		m.view.Focus = scene.NoPane
	}
	m.settle()
}
