package screen

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/theme"
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
	m.said, m.view.Note = m.view.Note, Note{}
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

func (m *Model) dialogKey(k tea.KeyMsg, action Action, at time.Time) {
	o := m.dialog()
	if action == "suspend" {
		m.view.Emit(Suspend{})
		return
	}
	if _, ok := o.(Unbidden); ok && at.Sub(m.openedAt) < calm {
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
		if h, ok := o.(Harmful); ok && h.Harms(action) && at.Sub(m.openedAt) < quiet {
			return
		}
		o.Act(m.view, action)
	} else if t, ok := o.(Typed); ok {
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
func (m *Model) field() (Typed, bool) {
	if d := m.dialog(); d != nil {
		t, ok := d.(Typed)
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
		m.view.Emit(Quit{KeepRunning})
		return
	}
	m.interrupted = at
	m.view.Dialogs, m.find, m.raised = nil, nil, 0
	leave(m.view)
	m.settle()
}

// router lets panes and dialogs reach the others without knowing them.
type router struct{ *Model }

// Perform does what a key with this action would do on the panes.
func (r router) Perform(action Action) { r.act(action) }

// Settle gives the focus to a pane that is on the screen.
func (r router) Settle() { r.settle() }

// Explain shows a text whole.
func (r router) Explain(title, text, same string) { r.view.Open(newText(title, text, same)) }

// act does what a key means on the panes.
func (m *Model) act(action Action) {
	if !m.view.Can(action) {
		m.view.Say(theme.Muted, m.view.WhyNot(action))
		return
	}
	if page, ok := pageOf(action, m.view.Page); ok {
		m.view.GoPage(page)
		return
	}
	if m.actGlobal(action) || openDialog(m.view, action) {
		return
	}
	if pane, ok := m.panes[m.view.Focus].(Actor); ok {
		pane.Act(m.view, action)
	}
}

// pageOf is the page that an action goes to from another.
func pageOf(action Action, from Page) (Page, bool) {
	switch action {
	case "screen.overview":
		return Overview, true
	case "screen.tasks":
		return Tasks, true
	case "screen.nodes":
		return Nodes, true
	case "screen.events":
		return Events, true
	case "screen.next":
		return (from + 1) % pageCount, true
	case "screen.back":
		return (from + pageCount - 1) % pageCount, true
	}
	return 0, false
}

func (m *Model) actGlobal(action Action) bool {
	switch action {
	case "demo":
		m.view.Emit(Quit{LookAround})
	case "suspend":
		m.view.Emit(Suspend{})
	case "refresh":
		m.view.Emit(Redraw{})
		m.view.Say(theme.Muted, "asked again")
	case "mouse":
		m.mouse = !m.mouse
		m.view.Emit(SetMouse{m.mouse})
		if m.mouse {
			m.view.Say(theme.Muted, "mouse on: wheel scrolls, a click selects, a double click opens")
		} else {
			m.view.Say(theme.Muted, "mouse off: the terminal selects text again")
		}
	case "freeze":
		m.freeze()
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
			m.view.OpenTask(id, DeepOutput)
		}
	case "write":
		m.view.Emit(WriteOutput{m.view.TaskID()})
	case "heat":
		m.toggleHeat()
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

func (m *Model) freeze() {
	if m.view.Frozen != nil {
		m.view.Frozen = nil
		m.view.Tasks.keep(m.view.Latest)
		return
	}
	m.view.Frozen = m.view.Latest
}

func (m *Model) nextPane(step int) {
	var list []PaneID
	at := 0
	for _, p := range Arrange(m.view.Page, m.view.Top(), m.view.Nodes.heat, m.content().W, m.content().H) {
		if p.Pane.focusable() {
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

// toggleHeat goes from the list of nodes to the heat map and back.
func (m *Model) toggleHeat() {
	view := m.view
	view.Nodes.heat = !view.Nodes.heat
	if view.Page != Nodes && view.Page != Overview || view.Top() == DeepNode {
		view.Page, view.Deep = Nodes, nil
	}
	view.Focus = NodesPane
	if view.Nodes.heat {
		view.Focus = HeatPane
	}
}

// back undoes one thing: a frozen screen, a zoom, a filter or marks of the pane,
// a page that was opened; in this order.
func (m *Model) back() {
	pane, _ := m.panes[m.view.Focus].(Actor)
	switch {
	case m.view.Frozen != nil:
		m.freeze()
	case m.view.Zoom:
		m.view.Zoom = false
	case pane != nil && pane.Back(m.view):
	case len(m.view.Deep) > 0:
		m.view.Pop()
		if m.view.Top() != DeepTask && m.view.Top() != DeepOutput {
			m.view.Pinned = 0
		}
	case m.view.Focus == OutputPane || m.view.Focus == FactsPane || m.view.Focus == NodePane:
		m.view.Focus = NoPane
	}
	m.settle()
}
