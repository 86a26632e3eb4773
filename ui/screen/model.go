package screen

import (
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// Options is what does not change while the screen is open.
type Options struct {
	ReadOnly bool
	Reduced  bool // reduced motion
	Graph    part.Graph
	Mouse    bool
	Demo     bool
	NoDemo   bool     // nothing to look around in
	Windows  bool     // the worker's shell here is cmd
	History  []string // commands submitted before, oldest first
	Themes   []string // names that can be chosen
	Load     func(name string) (theme.Theme, error)
	Attached bool // the node runs in another process and outlives the screen
}

// Model is the whole state of the screen.
type Model struct {
	opt  Options
	s    *theme.Styles
	keys *Keys

	snap   *Snapshot
	frozen *Snapshot // shown instead while frozen
	log    *part.LogBuffer
	logID  task.ID

	w, h  int
	page  Page
	deep  []Deep
	focus Pane
	zoom  bool
	mouse bool

	tasks  taskList
	nodes  nodeList
	output outputPane
	events eventList

	overlays []overlay
	find     *findLine
	offer    control.Offer // a cluster that wants this node
	raised   uint64        // the offer that came up last
	note     note
	said     note // what stood there before the last key
	effects  []Effect

	running     int // cursor in the running pane
	cameFrom    Pane
	openedAt    time.Time // of the newest overlay
	interrupted time.Time
	clicked     time.Time
	focused     time.Time // when the window came to the front
	clickY      int
}

// note is one line for the person.
type note struct {
	text  string
	token theme.Token
}

// New makes the screen.
func New(s *theme.Styles, k *Keys, o Options) *Model {
	m := &Model{opt: o, s: s, keys: k, snap: &Snapshot{}, log: part.NewLogBuffer(), mouse: o.Mouse}
	m.tasks.marks = map[task.ID]task.State{}
	m.nodes.init()
	m.output.view = part.LogView{Follow: true, Colors: true}
	m.settle()
	return m
}

// Resize tells the screen's size.
func (m *Model) Resize(w, h int) {
	m.w, m.h = max(w, 0), max(h, 0)
	m.settle()
}

// See takes a new snapshot.
func (m *Model) See(s *Snapshot) {
	first := m.snap.Link.State == Starting && s.Link.State == Live
	m.snap = s
	if m.frozen == nil {
		m.tasks.keep(s)
	}
	if first && len(s.Nodes) > 200 {
		m.nodes.heat = true
	}
	for _, o := range m.overlays {
		if w, ok := o.(watcher); ok {
			w.see(m)
		}
	}
	m.settle()
	m.raise(s.Now)
}

// SeeLog tells which buffer holds the output of which task.
func (m *Model) SeeLog(id task.ID, b *part.LogBuffer) { m.logID, m.log = id, b }

// Styles is how things are painted now.
func (m *Model) Styles() *theme.Styles { return m.s }

// TakeEffects gives what is to be done and forgets it.
func (m *Model) TakeEffects() []Effect {
	e := m.effects
	m.effects = nil
	return e
}

func (m *Model) do(e Effect) { m.effects = append(m.effects, e) }

// say shows one line until the next key.
func (m *Model) say(t theme.Token, text string) { m.note = note{text: text, token: t} }

// Say is say for the program around the screen.
func (m *Model) Say(t theme.Token, text string) { m.say(t, text) }

// view is the snapshot to draw.
func (m *Model) view() *Snapshot {
	if m.frozen != nil {
		return m.frozen
	}
	return m.snap
}

// now is the time of the drawn snapshot.
func (m *Model) now() time.Time { return m.view().Now }

func (m *Model) top() Deep {
	if len(m.deep) == 0 {
		return NoDeep
	}
	return m.deep[len(m.deep)-1]
}

// placed is the panes on the screen now, in content coordinates.
func (m *Model) placed() []Placed {
	c := m.content()
	if m.welcome() {
		return []Placed{{WelcomePane, Rect{0, 0, c.W, c.H}}}
	}
	list := Arrange(m.page, m.top(), m.nodes.heat, c.W, c.H)
	if m.zoom {
		for _, p := range list {
			if p.Pane == m.focus {
				return []Placed{{p.Pane, Rect{0, 0, c.W, c.H}}}
			}
		}
	}
	return list
}

// content is where panes go: the frame's content less the banner.
func (m *Model) content() Rect {
	c := FrameOf(m.w, m.h).Content
	n := min(len(m.banner()), c.H)
	return Rect{c.X, c.Y + n, c.W, c.H - n}
}

// welcome reports whether the first-run page is shown.
func (m *Model) welcome() bool {
	return m.page == Overview && m.top() == NoDeep && m.view().Alone()
}

// settle keeps the focus on a pane that is there.
func (m *Model) settle() {
	first := NoPane
	for _, p := range m.placed() {
		if !p.Pane.focusable() {
			continue
		}
		if p.Pane == m.focus {
			return
		}
		if first == NoPane {
			first = p.Pane
		}
	}
	switch m.top() {
	case DeepTask, DeepOutput:
		first = OutputPane
	}
	m.focus, m.zoom = first, false
}

// paneRect is where a pane is on the content, or an empty rectangle.
func (m *Model) paneRect(p Pane) Rect {
	for _, q := range m.placed() {
		if q.Pane == p {
			return q.Rect
		}
	}
	return Rect{}
}

// in is where keys are meant for now.
func (m *Model) in() Ctx {
	if m.find != nil {
		return InFind
	}
	if n := len(m.overlays); n > 0 {
		return m.overlays[n-1].in()
	}
	return m.paneCtx()
}

func (m *Model) paneCtx() Ctx {
	switch m.focus {
	case NodesPane:
		return InNodes
	case NodePane:
		return InNode
	case HeatPane:
		return InHeat
	case TasksPane, RunningPane:
		return InTasks
	case FactsPane:
		return InTask
	case OutputPane:
		return InOutput
	case EventsPane:
		return InEvents
	case WelcomePane:
		return InWelcome
	}
	return InOverview
}

// Want is what the screen needs to know.
func (m *Model) Want() Want {
	w := Want{Tasks: m.tasks.want(m.paneRect(TasksPane).H - 3), Node: m.nodes.cursor}
	if m.page == Overview {
		w.Running = max(0, m.paneRect(RunningPane).H-3)
	}
	for _, p := range m.placed() {
		switch p.Pane {
		case FactsPane:
			w.Task = m.taskID()
		case OutputPane:
			w.Task, w.Output = m.taskID(), m.taskID()
		case NodePane:
			if m.top() == DeepNode {
				w.Tasks = m.nodeTasks(p.Rect.H)
			}
		}
	}
	for _, o := range m.overlays {
		if x, ok := o.(wanter); ok {
			x.want(&w)
		}
	}
	return w
}

// taskID is the task that the person looks at.
func (m *Model) taskID() task.ID {
	if m.output.pinned != 0 {
		return m.output.pinned
	}
	if m.focus == RunningPane {
		if t := m.runningAt(); t != nil {
			return t.ID
		}
	}
	if t := m.tasks.at(m.view()); t != nil {
		return t.ID
	}
	return 0
}

// current is that task itself, if it is known.
func (m *Model) current() *task.Task {
	id := m.taskID()
	if id == 0 {
		return nil
	}
	s := m.view()
	if s.Task != nil && s.Task.ID == id {
		return s.Task
	}
	for i := range s.Rows.Tasks {
		if s.Rows.Tasks[i].ID == id {
			return &s.Rows.Tasks[i]
		}
	}
	for i := range s.Running {
		if s.Running[i].ID == id {
			return &s.Running[i]
		}
	}
	return nil
}
