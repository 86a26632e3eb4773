package scene

import (
	tea "github.com/charmbracelet/bubbletea"
)

// Pane is one rectangle of the screen. It draws what it is given and keeps
// nothing but where the person looks in it.
type Pane interface {
	// Draw makes exactly h lines of w cells, border included.
	Draw(view *Scene, w, h int, focus bool) []string
}

// Actor is a pane that takes keys: Act does what one means here, Back undoes
// one thing of the pane's own and reports whether there was one.
type Actor interface {
	Pane
	Act(view *Scene, action Action)
	Back(view *Scene) bool
}

// Filterer is a pane whose lines can be filtered or searched by what is typed.
type Filterer interface {
	Filter(view *Scene) string
	SetFilter(view *Scene, text string) error
	Found(view *Scene) string // how many it shows, in words; may be empty
	Syntax() string
}

// Clicker is a pane that has rows to click on, counted from its first one.
type Clicker interface{ Click(view *Scene, row int) }

// Copier is a pane that knows what there is to copy, and what to call it.
type Copier interface {
	Copy(view *Scene) (text, what string)
}

// Dialog is something over the panes that takes all keys.
type Dialog interface {
	In() Ctx
	// Act does what a key of the table means here.
	Act(view *Scene, action Action)
	// Draw makes a box at most w by h.
	Draw(view *Scene, w, h int) []string
}

// Typed is a dialog that also takes keys as text.
type Typed interface {
	Key(view *Scene, k tea.KeyMsg)
}

// Watcher is told when the facts change.
type Watcher interface{ See(view *Scene) }

// Wanter needs facts of its own.
type Wanter interface{ Want(w *Want) }

// Footed says what its footer shows; others have the dialog's.
type Footed interface{ Foot(view *Scene) []Hint }

// Commander knows the command line that does the same.
type Commander interface{ Command(view *Scene) string }

// Harmful dialogs say which actions do harm, so that they can wait.
type Harmful interface{ Harms(action Action) bool }

// Clickable dialogs have something to click on. A cell is counted from their
// own top left, of a drawing w by h.
type Clickable interface {
	Click(view *Scene, w, h, x, y int)
}

// Unbidden dialogs were not asked for by a key.
type Unbidden interface{ Unbidden() }

// Hint is a key and what it does, for the footer.
type Hint struct{ Key, Text string }
