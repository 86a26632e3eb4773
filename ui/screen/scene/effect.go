package scene

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Effect is something that must be done outside of the screen.
type Effect interface{ effect() }

// Call asks the cluster something. Then is given the answer; it runs where
// keys run, so it may change the scene. Make one with Do.
type Call struct {
	About
	Do   func(ctx context.Context, c control.Control) (any, error)
	Then func(reply any, err error)
}

// About is what is known of a call before it is made.
type About struct {
	What string        // for people: "cancel 1042"
	Harm bool          // it ends or takes away something
	Wait time.Duration // how long the answer may take; 0 is as usual
}

// Do asks the cluster something and gives then its answer.
func Do[T any](view *Scene, about About, ask func(context.Context, control.Control) (T, error), then func(reply T, err error)) {
	view.Emit(Call{
		About: about,
		Do:    func(ctx context.Context, c control.Control) (any, error) { return ask(ctx, c) },
		Then: func(reply any, err error) {
			value, _ := reply.(T)
			then(value, err)
		},
	})
}

// Copy puts text on the clipboard.
type Copy struct{ Text, What string }

// WriteOutput saves all output of a task to a file and says where.
type WriteOutput struct{ ID task.ID }

// Quit leaves the screen.
type Quit struct{ How Leaving }

// Leaving is what becomes of the node when the screen ends.
type Leaving uint8

// The ways to leave.
const (
	KeepRunning Leaving = iota // the node, if there is one here, goes on
	DrainAndStop
	StopNow
	LookAround // not at all: a simulated fleet is shown for a while
)

// Suspend gives the terminal back to the shell for a while.
type Suspend struct{}

// SetMouse turns mouse reports on or off.
type SetMouse struct{ On bool }

// Redraw draws everything anew.
type Redraw struct{}

// SaveTheme remembers the chosen theme.
type SaveTheme struct{ Name string }

// Remember keeps a command that was submitted, for the form's history.
type Remember struct{ Command string }

func (Call) effect()        {}
func (Copy) effect()        {}
func (WriteOutput) effect() {}
func (Quit) effect()        {}
func (Suspend) effect()     {}
func (SetMouse) effect()    {}
func (Redraw) effect()      {}
func (SaveTheme) effect()   {}
func (Remember) effect()    {}
