// Package screen is the dashboard as a pure state machine: keys, sizes and
// snapshots go in; lines and effects come out. It gives keys to the pane or the
// dialog that takes them and puts their drawings into one frame; what these
// share is in scene.
package screen

import (
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/pane"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Model is the whole screen: it gives keys, clicks and snapshots to panes and
// dialogs, and puts their drawings together.
type Model struct {
	view  *scene.Scene
	panes map[scene.PaneID]scene.Pane

	find  *findLine
	mouse bool
	said  scene.Note // what stood there before the last key

	offer  control.Offer // a cluster that wants this node
	raised uint64        // the offer that came up last

	openedAt    time.Time // of the newest dialog
	interrupted time.Time
	focused     time.Time // when the window came to the front
	clicked     time.Time
	clickY      int
}

// New makes the screen.
func New(s *theme.Styles, k *scene.Keys, o scene.Options) *Model {
	m := &Model{view: scene.NewScene(s, k, o), panes: pane.New(), mouse: o.Mouse}
	m.view.Router = router{m}
	m.settle()
	return m
}

// Resize tells the screen's size.
func (m *Model) Resize(w, h int) {
	m.view.Width, m.view.Height = max(w, 0), max(h, 0)
	m.settle()
}

// See takes a new snapshot.
func (m *Model) See(s *scene.Snapshot) {
	first := m.view.Latest.Link.State == scene.Starting && s.Link.State == scene.Live
	m.view.Latest = s
	if m.view.Frozen == nil {
		m.view.Tasks.Keep(s)
	}
	if first && len(s.Nodes) > 200 {
		m.view.Nodes.Heat = true
	}
	for _, d := range m.view.Dialogs {
		if w, ok := d.(scene.Watcher); ok {
			w.See(m.view)
		}
	}
	m.settle()
	m.raise(s.Now)
}

// SeeLog tells which buffer holds the output of which task.
func (m *Model) SeeLog(id task.ID, b *part.LogBuffer) { m.view.LogID, m.view.Log = id, b }

// Styles is how things are painted now.
func (m *Model) Styles() *theme.Styles { return m.view.Styles }

// TakeEffects gives what is to be done and forgets it.
func (m *Model) TakeEffects() []scene.Effect { return m.view.TakeEffects() }

// Say shows one line until the next key.
func (m *Model) Say(t theme.Token, text string) { m.view.Say(t, text) }

// View draws the whole screen: exactly as many lines as the terminal has,
// each exactly as wide.
func (m *Model) View() []string { return frame{m}.draw() }

// placed is the panes on the screen now, in content coordinates.
func (m *Model) placed() []scene.Placed {
	c := m.content()
	if m.view.Welcome() {
		return []scene.Placed{{Pane: scene.WelcomePane, Rect: scene.Rect{X: 0, Y: 0, W: c.W, H: c.H}}}
	}
	list := scene.Arrange(m.view.Page, m.view.Top(), m.view.Nodes.Heat, c.W, c.H)
	if m.view.Zoom {
		for _, p := range list {
			if p.Pane == m.view.Focus {
				return []scene.Placed{{Pane: p.Pane, Rect: scene.Rect{X: 0, Y: 0, W: c.W, H: c.H}}}
			}
		}
	}
	return list
}

// content is where panes go: the frame's content less the banner.
func (m *Model) content() scene.Rect {
	c := scene.FrameOf(m.view.Width, m.view.Height).Content
	n := min(len(banner(m.view)), c.H)
	return scene.Rect{X: c.X, Y: c.Y + n, W: c.W, H: c.H - n}
}

// settle keeps the focus on a pane that is there.
func (m *Model) settle() {
	first := scene.NoPane
	for _, p := range m.placed() {
		if !p.Pane.Focusable() {
			continue
		}
		if p.Pane == m.view.Focus {
			return
		}
		if first == scene.NoPane {
			first = p.Pane
		}
	}
	switch m.view.Top() {
	case scene.DeepTask, scene.DeepOutput:
		first = scene.OutputPane
	}
	m.view.Focus, m.view.Zoom = first, false
}

// dialog is the one that takes keys; nil if none is open.
func (m *Model) dialog() scene.Dialog {
	if n := len(m.view.Dialogs); n > 0 {
		return m.view.Dialogs[n-1]
	}
	return nil
}

// in is where keys are meant for now.
func (m *Model) in() scene.Ctx {
	if m.find != nil {
		return scene.InFind
	}
	if d := m.dialog(); d != nil {
		return d.In()
	}
	return m.view.Context()
}

// Want is what the screen needs to know.
func (m *Model) Want() scene.Want {
	height := map[scene.PaneID]int{}
	for _, p := range m.placed() {
		height[p.Pane] = p.H
	}
	want := scene.Want{Tasks: m.view.Tasks.Want(height[scene.TasksPane] - 3), Node: m.view.Nodes.Cursor}
	if m.view.Page == scene.Overview {
		want.Running = max(0, height[scene.RunningPane]-3)
	}
	if height[scene.FactsPane] > 0 || height[scene.OutputPane] > 0 {
		want.Task = m.view.TaskID()
	}
	if height[scene.OutputPane] > 0 {
		want.Output = want.Task
	}
	if h := height[scene.NodePane]; h > 0 && m.view.Top() == scene.DeepNode {
		want.Tasks = nodeTasks(m.view.Node(), h)
	}
	for _, d := range m.view.Dialogs {
		if x, ok := d.(scene.Wanter); ok {
			x.Want(&want)
		}
	}
	return want
}

// nodeTasks is the window for one node's own page.
func nodeTasks(n *control.Node, h int) scene.TaskWant {
	if n == nil {
		return scene.TaskWant{}
	}
	return scene.TaskWant{Query: control.Query{Nodes: []string{string(n.ID)}}, Below: max(h, 1)}
}
