// Package pane is the rectangles of the dashboard, one type a file. A pane draws
// the scene that it is given and keeps only where the person looks in it. It
// opens nothing itself: it asks the router to perform an action.
// docs/checklists/pane.md says how to write one.
package pane

import (
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// New makes all panes of a screen.
func New() map[scene.PaneID]scene.Pane {
	output := newOutput()
	return map[scene.PaneID]scene.Pane{
		scene.RatePane: &Rate{}, scene.QueuePane: &Queue{}, scene.FleetPane: &Fleet{}, scene.SummaryPane: &Summary{},
		scene.NodesPane: &Nodes{}, scene.NodePane: &Node{}, scene.HeatPane: &Heat{}, scene.SpreadPane: &Spread{},
		scene.TasksPane: &Tasks{}, scene.RunningPane: &Running{}, scene.FactsPane: &Facts{output}, scene.OutputPane: output,
		scene.EventsPane: &Events{}, scene.WelcomePane: &Welcome{},
	}
}
