package scene

// Rect is a part of the screen, in cells.
type Rect struct{ X, Y, W, H int }

// Has reports whether a cell is inside.
func (r Rect) Has(x, y int) bool { return x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H }

// PaneID names one of the things that can be on the screen.
type PaneID uint8

// The panes.
const (
	NoPane PaneID = iota
	RatePane
	QueuePane
	FleetPane
	SummaryPane // counts in three lines, where there is no room for cards
	NodesPane
	NodePane // the node under the cursor
	HeatPane
	SpreadPane // distribution beside a heat map
	TasksPane
	RunningPane
	FactsPane // the task under the cursor
	OutputPane
	EventsPane
	WelcomePane
)

// Focusable panes take keys.
func (p PaneID) Focusable() bool {
	switch p {
	case NodesPane, NodePane, HeatPane, TasksPane, RunningPane, FactsPane, OutputPane, EventsPane, WelcomePane:
		return true
	}
	return false
}

// Page is one of the four screens.
type Page uint8

// The pages.
const (
	Overview Page = iota
	Tasks
	Nodes
	Events
	PageCount
)

// PageNames are the pages as their tabs call them.
var PageNames = [PageCount]string{"Overview", "Tasks", "Nodes", "Events"}

// Deep is what was opened over a page.
type Deep uint8

// What can be opened.
const (
	NoDeep Deep = iota
	DeepTask
	DeepOutput
	DeepNode
)

// Placed is a pane and where it is.
type Placed struct {
	Pane PaneID
	Rect
}

// Smallest is the smallest terminal that gets tables; below it there is a summary.
const (
	SmallestW = 60
	SmallestH = 15
)

// Frame is how the rows of the whole screen are used.
type Frame struct {
	Head, Rules int // rows above the content; whether there are rules
	Content     Rect
	NoteY       int
	FootY       int
}

// FrameOf divides the screen's rows.
func FrameOf(w, h int) Frame {
	if h < 20 {
		return Frame{Head: 2, Content: Rect{0, 2, w, max(0, h-4)}, NoteY: h - 2, FootY: h - 1}
	}
	return Frame{Head: 3, Rules: 1, Content: Rect{0, 3, w, max(0, h-6)}, NoteY: h - 3, FootY: h - 1}
}

// Arrange places the panes of a page in w by h cells.
func Arrange(page Page, deep Deep, heat bool, w, h int) []Placed {
	all := Rect{0, 0, w, h}
	switch deep {
	case DeepOutput:
		return []Placed{{OutputPane, all}}
	case DeepTask:
		return arrangeTask(w, h)
	case DeepNode:
		return []Placed{{NodePane, all}}
	}
	switch page {
	case Tasks:
		return arrangeTasks(w, h)
	case Nodes:
		return arrangeNodes(heat, w, h)
	case Events:
		return []Placed{{EventsPane, all}}
	}
	return arrangeOverview(heat, w, h)
}

func arrangeTask(w, h int) []Placed {
	facts := min(9, max(5, h/3))
	if h < 12 {
		facts = 4
	}
	if w >= 180 {
		side := 64
		return []Placed{{FactsPane, Rect{0, 0, side, h}}, {OutputPane, Rect{side, 0, w - side, h}}}
	}
	return []Placed{{FactsPane, Rect{0, 0, w, facts}}, {OutputPane, Rect{0, facts, w, h - facts}}}
}

func arrangeTasks(w, h int) []Placed {
	if w < 110 {
		return []Placed{{TasksPane, Rect{0, 0, w, h}}}
	}
	left := w * 58 / 100
	if w >= 180 {
		left = w * 56 / 100
	}
	facts := min(9, h/3)
	return []Placed{
		{TasksPane, Rect{0, 0, left, h}},
		{FactsPane, Rect{left, 0, w - left, facts}},
		{OutputPane, Rect{left, facts, w - left, h - facts}},
	}
}

func arrangeNodes(heat bool, w, h int) []Placed {
	list := NodesPane
	if heat {
		list = HeatPane
	}
	if w >= 110 {
		side := 38
		if w >= 180 {
			side = 62
		}
		out := []Placed{{list, Rect{0, 0, w - side, h}}}
		if heat && h >= 26 {
			return append(out, Placed{NodePane, Rect{w - side, 0, side, h - 14}}, Placed{SpreadPane, Rect{w - side, h - 14, side, 14}})
		}
		return append(out, Placed{NodePane, Rect{w - side, 0, side, h}})
	}
	if h >= 16 {
		return []Placed{{list, Rect{0, 0, w, h - 7}}, {NodePane, Rect{0, h - 7, w, 7}}}
	}
	return []Placed{{list, Rect{0, 0, w, h}}}
}

func arrangeOverview(heat bool, w, h int) []Placed {
	list := NodesPane
	if heat {
		list = HeatPane
	}
	switch {
	case h < 15:
		return []Placed{{SummaryPane, Rect{0, 0, w, 2}}, {list, Rect{0, 2, w, h - 2}}}
	case w < 110 || h < 24:
		q := min(36, w*45/100)
		return []Placed{{RatePane, Rect{0, 0, w - q, 8}}, {QueuePane, Rect{w - q, 0, q, 8}}, {list, Rect{0, 8, w, h - 8}}}
	case w >= 180 && h >= 34:
		return arrangeOperations(list, w, h)
	}
	top, bottom, side := 9, max(6, h/4), 36
	mid := h - top - bottom
	q := 48
	return []Placed{
		{RatePane, Rect{0, 0, w - q, top}},
		{QueuePane, Rect{w - q, 0, q, top}},
		{list, Rect{0, top, w - side, mid}},
		{NodePane, Rect{w - side, top, side, mid}},
		{RunningPane, Rect{0, top + mid, w, bottom}},
	}
}

// arrangeOperations is the wall: everything at once in three columns.
func arrangeOperations(list PaneID, w, h int) []Placed {
	top := 10
	fleet, queue := w/4, w/4
	rest := h - top
	c1, c3 := w*44/100, w*28/100
	c2 := w - c1 - c3
	nodes := rest * 55 / 100
	return []Placed{
		{RatePane, Rect{0, 0, w - fleet - queue, top}},
		{QueuePane, Rect{w - fleet - queue, 0, queue, top}},
		{FleetPane, Rect{w - fleet, 0, fleet, top}},
		{list, Rect{0, top, c1, nodes}},
		{EventsPane, Rect{0, top + nodes, c1, rest - nodes}},
		{TasksPane, Rect{c1, top, c2, rest}},
		{FactsPane, Rect{c1 + c2, top, c3, 9}},
		{OutputPane, Rect{c1 + c2, top + 9, c3, rest - 9}},
	}
}
