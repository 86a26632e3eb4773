package ui

import (
	"context"
	"reflect"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Messages that are not Bubble Tea's own.
type (
	snapshotMsg struct{ s *scene.Snapshot }
	logMsg      struct {
		id  task.ID
		buf *part.LogBuffer
	}
	doneMsg struct {
		call scene.Call
		v    any
		err  error
	}
	sayMsg struct {
		token theme.Token
		text  string
	}
	offerMsg struct{ offer control.Offer }
	lateMsg  struct{} // a frame that was too early is due
)

// app is the shell around the pure screen: it turns messages into calls of
// the model and effects into commands.
type app struct {
	m        *screen.Model
	ctl      control.Control
	now      func() time.Time
	ask      func(scene.Want) // tells the pump what is wanted
	touch    func()           // a person did something
	slow     func(bool)       // the window is behind another one
	clip     clipboard
	save     func(name string) // remembers a theme
	remember func(command string)
	write    func(task.ID) (string, error) // saves output, returns the path
	limit    time.Duration                 // for one call to the cluster

	crash *crashes

	paint painter
	later func(time.Duration) // brings a lateMsg
	late  bool                // one will come
	stale bool
	want  scene.Want
	left  scene.Leaving
}

// Init asks for nothing: the pump is running already.
func (a *app) Init() tea.Cmd { return nil }

// Update gives each message to the part of the model that it is for.
func (a *app) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	defer func() {
		if v := recover(); v != nil {
			a.crash.keep(v)
			cmd = tea.Quit
		}
	}()
	return a, a.update(msg)
}

func (a *app) update(msg tea.Msg) tea.Cmd {
	if _, ok := msg.(lateMsg); ok {
		a.late = false
		return nil
	}
	a.stale = true
	switch v := msg.(type) {
	case tea.KeyMsg:
		a.m.Key(v, a.now())
	case tea.MouseMsg:
		a.m.Mouse(v, a.now())
	case tea.WindowSizeMsg:
		a.m.Resize(v.Width, v.Height)
		a.paint.forget()
	case tea.FocusMsg:
		a.m.Focused(a.now())
		a.slow(false)
	case tea.BlurMsg:
		a.slow(true)
	case snapshotMsg:
		a.m.See(v.s)
		if w := a.m.Want(); !reflect.DeepEqual(w, a.want) { // what was seen changed what is wanted
			a.want = w
			a.ask(w)
		}
		return a.effects()
	case offerMsg:
		a.m.Offered(v.offer, a.now())
		return a.effects()
	case logMsg:
		a.m.SeeLog(v.id, v.buf)
		return nil
	case doneMsg:
		v.call.Then(v.v, v.err)
	case sayMsg:
		a.m.Say(v.token, v.text)
		return nil
	case tea.SuspendMsg, tea.ResumeMsg:
		a.paint.forget()
	}
	a.touch()
	a.want = a.m.Want()
	a.ask(a.want)
	return a.effects()
}

// View draws when something changed since the last time, but not more often
// than anybody could see. Bubble Tea has nothing to draw itself.
func (a *app) View() string {
	defer a.crash.catch()
	now := time.Now()
	switch early := a.paint.early(now); {
	case !a.stale:
	case early <= 0:
		lines := a.m.View()
		for i, line := range lines {
			lines[i] = part.Squeeze(line)
		}
		a.paint.paint(lines, now)
		a.stale = false
	case !a.late:
		a.late = true
		a.later(early)
	}
	return ""
}

// effects turns what the model wants done into commands.
func (a *app) effects() tea.Cmd {
	var cmds []tea.Cmd
	for _, e := range a.m.TakeEffects() {
		if c := a.effect(e); c != nil {
			cmds = append(cmds, c)
		}
	}
	return tea.Batch(cmds...)
}

func (a *app) effect(e scene.Effect) tea.Cmd {
	switch v := e.(type) {
	case scene.Call:
		return a.call(v)
	case scene.Copy:
		return func() tea.Msg { return a.clip.copy(v) }
	case scene.WriteOutput:
		return a.writeOutput(v.ID)
	case scene.Quit:
		a.left = v.How
		return tea.Quit
	case scene.Suspend:
		return suspend()
	case scene.SetMouse:
		if v.On {
			return tea.EnableMouseCellMotion
		}
		return tea.DisableMouse
	case scene.Redraw:
		a.paint.forget()
	case scene.Remember:
		a.remember(v.Command) // small, and it must be there before the screen ends
	case scene.SaveTheme:
		a.save(v.Name)
	}
	return nil
}

func (a *app) call(c scene.Call) tea.Cmd {
	return func() tea.Msg {
		defer a.crash.catch()
		ctx, stop := context.WithTimeout(context.Background(), max(a.limit, c.Wait))
		defer stop()
		v, err := c.Do(ctx, a.ctl)
		return doneMsg{c, v, err}
	}
}

func (a *app) writeOutput(id task.ID) tea.Cmd {
	return func() tea.Msg {
		defer a.crash.catch()
		path, err := a.write(id)
		if err != nil {
			return sayMsg{theme.Err, "write output: " + err.Error()}
		}
		return sayMsg{theme.OK, "all output of task " + id.String() + " is in " + path}
	}
}
