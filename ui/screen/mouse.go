package screen

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/dialog"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Mouse takes a click or a turn of the wheel.
func (m *Model) Mouse(e tea.MouseMsg, at time.Time) {
	if m.find != nil || at.Sub(m.focused) < toFront {
		return
	}
	if len(m.view.Dialogs) > 0 {
		m.clickDialog(e, at)
		return
	}
	c := m.content()
	x, y := e.X-c.X, e.Y-c.Y
	switch e.Button {
	case tea.MouseButtonWheelUp, tea.MouseButtonWheelDown:
		m.wheel(x, y, e.Button == tea.MouseButtonWheelUp)
	case tea.MouseButtonLeft:
		if e.Action != tea.MouseActionPress {
			return
		}
		if e.Y == 1 {
			m.clickTab(e.X)
			return
		}
		m.click(x, y, at)
	}
	m.settle()
}

// clickDialog gives a click to the dialog. As with keys, what comes too soon
// after it opened was meant for something else.
func (m *Model) clickDialog(e tea.MouseMsg, at time.Time) {
	o, ok := m.dialog().(scene.Clickable)
	if !ok || e.Button != tea.MouseButtonLeft || e.Action != tea.MouseActionPress || m.view.Width < scene.SmallestW || m.view.Height < scene.SmallestH {
		return
	}
	wait := quiet
	if _, ok := o.(scene.Unbidden); ok {
		wait = dialog.Calm
	}
	if at.Sub(m.openedAt) < wait {
		m.openedAt = at
		return
	}
	top := scene.FrameOf(m.view.Width, m.view.Height).Head
	back := m.view.Height - 1 - top
	box := m.dialog().Draw(m.view, m.view.Width, back)
	if len(box) == 0 {
		return
	}
	w := part.Width(box[0])
	x, y := e.X-max(0, (m.view.Width-w)/2), e.Y-top-max(0, (back-len(box))/2)
	before := len(m.view.Dialogs)
	o.Click(m.view, w, len(box), x, y)
	m.stamp(before, at)
	m.settle()
	m.raise(at)
}

func (m *Model) wheel(x, y int, up bool) {
	for _, p := range m.placed() {
		if !p.Has(x, y) || !p.Pane.Focusable() {
			continue
		}
		old := m.view.Focus
		m.view.Focus = p.Pane
		for i := 0; i < 3; i++ {
			if up {
				m.act("up")
			} else {
				m.act("down")
			}
		}
		m.view.Focus = old
	}
}

func (m *Model) click(x, y int, at time.Time) {
	for _, p := range m.placed() {
		if !p.Has(x, y) || !p.Pane.Focusable() {
			continue
		}
		double := m.view.Focus == p.Pane && m.clickY == y && at.Sub(m.clicked) < 400*time.Millisecond
		m.view.Focus, m.clicked, m.clickY = p.Pane, at, y
		if pane, ok := m.panes[p.Pane].(scene.Clicker); ok && y-p.Y >= 2 { // border and column titles
			pane.Click(m.view, y-p.Y-2)
		}
		if double {
			m.act("open")
		}
		return
	}
}

func (m *Model) clickTab(x int) {
	at := 1
	for i, n := range scene.PageNames {
		w := len(n) + 5
		if x >= at && x < at+w {
			m.view.Page, m.view.Deep, m.view.Focus = scene.Page(i), nil, scene.NoPane
			return
		}
		at += w
	}
}

// toFront is how soon after the window got the focus a click is the one that
// brought it to the front.
const toFront = 300 * time.Millisecond

// Focused tells that the terminal's window got the focus: a click that only
// brought it to the front must not act.
func (m *Model) Focused(at time.Time) { m.focused = at }
