package scene

// Place is where the person is: a page, what was opened over it, and the pane
// that takes keys.
type Place struct {
	Page  Page
	Deep  []Deep
	Focus PaneID
	Zoom  bool // the pane with the focus has all of the screen

	cameFrom PaneID // had the focus before anything was opened
}

// Top is what was opened last over the page.
func (p *Place) Top() Deep {
	if len(p.Deep) == 0 {
		return NoDeep
	}
	return p.Deep[len(p.Deep)-1]
}

func (p *Place) push(d Deep) {
	if len(p.Deep) == 0 {
		p.cameFrom = p.Focus
	}
	if p.Top() != d {
		p.Deep = append(p.Deep, d)
	}
	p.Zoom, p.Focus = false, NoPane
}

// Pop closes what was opened last.
func (p *Place) Pop() {
	p.Deep = p.Deep[:len(p.Deep)-1]
	p.Focus = p.cameFrom
}

// Context is where keys are meant for on the panes.
func (p *Place) Context() Ctx {
	switch p.Focus {
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
