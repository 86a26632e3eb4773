package screen

// openDialog does what an action does by asking or telling first; false where
// it has no dialog.
func openDialog(view *Scene, action Action) bool {
	switch action {
	case "palette":
		view.Open(newPalette(view))
	case "help":
		view.Open(newHelp(view))
	case "theme":
		view.Open(newThemes(view))
	case "quit":
		leave(view)
	case "task.new":
		view.Open(newForm(view, nil))
	case "task.edit":
		if t := view.Task(); t != nil {
			view.Open(newForm(view, t))
		}
	case "task.rerun":
		rerun(view)
	case "task.cancel":
		view.Open(newCancel(view))
	case "why":
		if view.Context()&someNode != 0 {
			view.Open(newNodeWhy(view))
		} else {
			view.Open(newWhy(view.TaskID()))
		}
	case "promote":
		view.Open(newPromote(view))
	case "admit":
		startAdmit(view)
	case "invite":
		startInvite(view)
	case "join":
		view.Open(newJoin())
	case "node.drain":
		view.Open(newDrain(drainTargets(view)))
	case "node.remove":
		view.Open(newRemove(view.Node()))
	default:
		return false
	}
	return true
}
