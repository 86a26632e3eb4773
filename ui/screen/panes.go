package screen

// newPanes makes all panes of a screen.
func newPanes() map[PaneID]Pane {
	output := newOutput()
	return map[PaneID]Pane{
		RatePane: &paneRate{}, QueuePane: &paneQueue{}, FleetPane: &paneFleet{}, SummaryPane: &paneSummary{},
		NodesPane: &paneNodes{}, NodePane: &paneNode{}, HeatPane: &paneHeat{}, SpreadPane: &paneSpread{},
		TasksPane: &paneTasks{}, RunningPane: &paneRunning{}, FactsPane: &paneFacts{output}, OutputPane: output,
		EventsPane: &paneEvents{}, WelcomePane: &paneWelcome{},
	}
}
