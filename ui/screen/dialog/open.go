// Package dialog is what asks or tells over the panes and takes all keys until
// it is answered: the form, the palette, questions, why, offers. Open says which
// action opens which. A dialog sees the scene and nothing else of the screen;
// what it wants done it emits as an effect, or asks the cluster with scene.Do.
// docs/checklists/dialog.md says how to write one.
package dialog

import (
	"github.com/adauldev/octaskly/ui/screen/scene"
)

var (
	_ scene.Dialog = (*form)(nil)
	_ scene.Dialog = (*palette)(nil)
	_ scene.Dialog = (*helpBox)(nil)
	_ scene.Dialog = (*themesBox)(nil)
	_ scene.Dialog = (*whyBox)(nil)
	_ scene.Dialog = (*question)(nil)
	_ scene.Dialog = (*typedDialog)(nil)
	_ scene.Dialog = (*OfferDialog)(nil)
)

// Open does what an action does by asking or telling first; false where
// it has no dialog.
func Open(view *scene.Scene, action scene.Action) bool {
	switch action {
	case "palette":
		view.Open(newPalette(view))
	case "help":
		view.Open(newHelp(view))
	case "theme":
		view.Open(newThemes(view))
	case "quit":
		Leave(view)
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
		if view.Context()&scene.SomeNode != 0 {
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
