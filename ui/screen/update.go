package screen

import (
	"strings"
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
	m.said, m.note = m.note, note{}
	in := m.in()
	action := m.keys.Action(in, name)
	switch {
	case m.find != nil:
		m.findKey(k, action)
	case len(m.overlays) > 0:
		m.overlayKey(k, action, at)
	case action != "":
		before := len(m.overlays)
		m.act(action)
		m.stamp(before, at)
	}
	m.settle()
	m.raise(at)
}

// stamp starts the quiet time of a dialog that was just opened.
func (m *Model) stamp(before int, at time.Time) {
	if len(m.overlays) > before {
		m.openedAt = at
	}
}

func (m *Model) overlayKey(k tea.KeyMsg, action string, at time.Time) {
	o := m.overlays[len(m.overlays)-1]
	if action == "suspend" {
		m.do(Suspend{})
		return
	}
	if _, ok := o.(unbidden); ok && at.Sub(m.openedAt) < calm {
		m.openedAt = at
		m.say(theme.Muted, "that key was not taken: the question came up just now")
		return
	}
	if action == "copy.command" || action == "field.copy" {
		m.copyCommand()
		return
	}
	before := len(m.overlays)
	if action != "" {
		if h, ok := o.(harmful); ok && h.harms(action) && at.Sub(m.openedAt) < quiet {
			return
		}
		o.act(m, action)
	} else if t, ok := o.(typed); ok {
		t.key(m, k)
	}
	m.stamp(before, at)
}

// harmful overlays say which actions do harm, so that they can wait.
type harmful interface{ harms(action string) bool }

func (q *question) harms(action string) bool {
	for i, b := range q.buttons {
		if b.harm && action == "dialog.enter" && i == q.focus {
			return true
		}
	}
	return false
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
func (m *Model) field() (typed, bool) {
	if n := len(m.overlays); n > 0 {
		t, ok := m.overlays[n-1].(typed)
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
		t.key(m, k)
		return
	}
	m.say(theme.Muted, "pasted text was ignored: there is no text field here")
}

// interrupt is ctrl+c: like q, and twice within two seconds leaves at once.
func (m *Model) interrupt(at time.Time) {
	if !m.interrupted.IsZero() && at.Sub(m.interrupted) < 2*time.Second {
		m.do(Quit{KeepRunning})
		return
	}
	m.interrupted = at
	m.overlays, m.find, m.raised = nil, nil, 0
	m.quit()
	m.settle()
}

// act does what a key means on the panes.
func (m *Model) act(action string) {
	if !m.can(action) {
		m.say(theme.Muted, m.whyNot(action))
		return
	}
	if p, ok := strings.CutPrefix(action, "screen."); ok {
		m.goPage(p)
		return
	}
	if m.actGlobal(action) || m.actTask(action) || m.actNode(action) {
		return
	}
	switch m.focus {
	case NodesPane, HeatPane:
		m.nodes.act(m, action)
	case TasksPane:
		m.tasks.act(m, action)
	case RunningPane:
		m.runningAct(action)
	case OutputPane, FactsPane:
		m.output.act(m, action)
	case EventsPane:
		m.events.act(m, action)
	}
}

func (m *Model) goPage(name string) {
	switch name {
	case "overview":
		m.page = Overview
	case "tasks":
		m.page = Tasks
	case "nodes":
		m.page = Nodes
	case "events":
		m.page = Events
	case "next":
		m.page = (m.page + 1) % pageCount
	case "back":
		m.page = (m.page + pageCount - 1) % pageCount
	}
	m.deep, m.zoom, m.output.pinned = nil, false, 0
	m.focus = NoPane
	m.settle()
}

func (m *Model) actGlobal(action string) bool {
	switch action {
	case "palette":
		m.open(newPalette(m))
	case "help":
		m.open(newHelp(m))
	case "quit":
		m.quit()
	case "demo":
		m.do(Quit{LookAround})
	case "suspend":
		m.do(Suspend{})
	case "theme":
		m.open(newThemes(m))
	case "refresh":
		m.do(Redraw{})
		m.say(theme.Muted, "asked again")
	case "mouse":
		m.mouse = !m.mouse
		m.do(SetMouse{m.mouse})
		if m.mouse {
			m.say(theme.Muted, "mouse on: wheel scrolls, a click selects, a double click opens")
		} else {
			m.say(theme.Muted, "mouse off: the terminal selects text again")
		}
	case "freeze":
		m.freeze()
	case "zoom":
		m.zoom = !m.zoom
	case "pane.next":
		m.nextPane(1)
	case "pane.back":
		m.nextPane(-1)
	case "filter", "find":
		m.startFind()
	case "copy":
		m.copyThing(m.said)
	case "copy.command":
		m.copyCommand()
	case "back":
		m.back()
	case "task.new":
		m.open(newForm(m, nil))
	default:
		return false
	}
	return true
}

func (m *Model) freeze() {
	if m.frozen != nil {
		m.frozen = nil
		m.tasks.keep(m.snap)
		return
	}
	m.frozen = m.snap
}

func (m *Model) nextPane(step int) {
	var list []Pane
	at := 0
	for _, p := range Arrange(m.page, m.top(), m.nodes.heat, m.content().W, m.content().H) {
		if p.Pane.focusable() {
			if p.Pane == m.focus {
				at = len(list)
			}
			list = append(list, p.Pane)
		}
	}
	if len(list) < 2 || m.welcome() {
		return
	}
	m.focus = list[(at+step+len(list))%len(list)]
}

// back undoes one thing: a frozen screen, a zoom, a page that was opened, a
// filter, marks; in this order.
func (m *Model) back() {
	switch {
	case m.frozen != nil:
		m.freeze()
	case m.zoom:
		m.zoom = false
	case m.focus == OutputPane && m.output.view.Find != "":
		m.output.view.Find, m.output.view.Only = "", false
	case len(m.deep) > 0:
		m.deep = m.deep[:len(m.deep)-1]
		if m.top() != DeepTask && m.top() != DeepOutput {
			m.output.pinned = 0
		}
		m.focus = m.cameFrom
	case m.focus == TasksPane && m.tasks.back(), (m.focus == NodesPane || m.focus == HeatPane) && m.nodes.back(), m.focus == EventsPane && m.events.back():
	case m.focus == OutputPane || m.focus == FactsPane || m.focus == NodePane:
		m.focus = NoPane
	}
	m.settle()
}

// push opens something over the page.
func (m *Model) push(d Deep) {
	if len(m.deep) == 0 {
		m.cameFrom = m.focus
	}
	if m.top() != d {
		m.deep = append(m.deep, d)
	}
	m.zoom = false
	m.focus = NoPane
	m.settle()
}
