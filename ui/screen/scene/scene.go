package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// Options is what does not change while the screen is open, but for the
// history, which grows.
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

// Scene is what panes and dialogs share: what is known, where the person is,
// what is selected and marked, and what is to be done. Only the goroutine that
// takes keys touches it.
type Scene struct {
	Options Options
	Styles  *theme.Styles
	Keys    *Keys
	Router  Router

	Latest *Snapshot
	Frozen *Snapshot // drawn instead of Latest, while the person holds the screen
	Log    *part.LogBuffer
	LogID  task.ID // whose output Log holds

	Width, Height int // of the terminal, in cells

	Place
	Tasks   TaskList
	Nodes   NodeList
	Running int     // cursor in the pane of running tasks
	Pinned  task.ID // the task of an opened page; 0 is the one under the cursor

	Dialogs []Dialog // the last one takes all keys
	Note    Note
	Refused []Refusal // what failed on this screen, oldest first

	effects []Effect
}

// Router is the part of the screen that knows all panes and dialogs.
type Router interface {
	// Perform does what a key with this action would do on the panes.
	Perform(action Action)
	// Settle gives the focus to a pane that is on the screen.
	Settle()
	// Explain shows a text whole, and the command that shows the same.
	Explain(title, text, same string)
}

// Note is one line for the person.
type Note struct {
	Text  string
	Token theme.Token
}

// Refusal is an error of this screen, kept so that it can be read whole.
type Refusal struct {
	At       int64  // Unix ms
	Position uint64 // of the newest event then
	Text     string
}

// keepRefused is how many of this screen's own errors are kept.
const keepRefused = 50

// NewScene makes an empty one.
func NewScene(styles *theme.Styles, keys *Keys, o Options) *Scene {
	return &Scene{
		Options: o, Styles: styles, Keys: keys, Latest: &Snapshot{}, Log: part.NewLogBuffer(),
		Tasks: TaskList{Marks: map[task.ID]task.State{}}, Nodes: NodeList{Marks: map[task.NodeID]bool{}},
	}
}

// Facts is the snapshot to draw.
func (view *Scene) Facts() *Snapshot {
	if view.Frozen != nil {
		return view.Frozen
	}
	return view.Latest
}

// Now is the time of the drawn snapshot.
func (view *Scene) Now() time.Time { return view.Facts().Now }

// Dimmed reports that what is shown is old.
func (view *Scene) Dimmed() bool { return view.Facts().Link.State == Gone }

// Welcome reports whether the first-run page is shown.
func (view *Scene) Welcome() bool {
	return view.Page == Overview && view.Top() == NoDeep && view.Facts().Alone()
}

// Emit adds something that is to be done outside of the screen.
func (view *Scene) Emit(e Effect) { view.effects = append(view.effects, e) }

// TakeEffects gives what is to be done and forgets it.
func (view *Scene) TakeEffects() []Effect {
	e := view.effects
	view.effects = nil
	return e
}

// Say shows one line until the next key.
func (view *Scene) Say(t theme.Token, text string) { view.Note = Note{Text: text, Token: t} }

// Fail shows an error as one line: what failed, why, and what to do.
// It stays among the events, where it can be read when it is longer.
func (view *Scene) Fail(what string, err error) {
	text := what + ": " + err.Error() + HintText(task.HintOf(err))
	view.Say(theme.Err, text)
	refusal := Refusal{At: view.Latest.Now.UnixMilli(), Text: text}
	if n := len(view.Latest.Events); n > 0 {
		refusal.Position = view.Latest.Events[n-1].Position
	}
	view.Refused = append(view.Refused, refusal)
	view.Refused = view.Refused[max(0, len(view.Refused)-keepRefused):]
}

// HintText is advice behind an error, on the same line.
func HintText(hint string) string {
	if hint == "" {
		return ""
	}
	return ". " + strings.ReplaceAll(hint, "\n", " ")
}

// Open puts a dialog over everything else.
func (view *Scene) Open(dialog Dialog) {
	view.Dialogs = append(view.Dialogs, dialog)
	if w, ok := dialog.(Watcher); ok {
		w.See(view)
	}
}

// Close takes away one dialog, wherever it is.
func (view *Scene) Close(dialog Dialog) {
	for i, x := range view.Dialogs {
		if x == dialog {
			view.Dialogs = append(view.Dialogs[:i:i], view.Dialogs[i+1:]...)
			break
		}
	}
	view.Router.Settle()
}

// IsOpen reports whether a dialog is still there.
func (view *Scene) IsOpen(dialog Dialog) bool {
	for _, x := range view.Dialogs {
		if x == dialog {
			return true
		}
	}
	return false
}

// Push opens something over the page.
func (view *Scene) Push(d Deep) {
	view.push(d)
	view.Router.Settle()
}

// OpenTask opens a task, so that moving in lists behind it does not change it.
func (view *Scene) OpenTask(id task.ID, d Deep) {
	view.Pinned = id
	view.Push(d)
}

// GoPage goes to a page as it is from its beginning.
func (view *Scene) GoPage(page Page) {
	view.Place = Place{Page: page}
	view.Pinned = 0
	view.Router.Settle()
}

// ToggleHeat goes from the list of nodes to the heat map and back.
func (view *Scene) ToggleHeat() {
	view.Nodes.Heat = !view.Nodes.Heat
	if view.Page != Nodes && view.Page != Overview || view.Top() == DeepNode {
		view.Page, view.Deep = Nodes, nil
	}
	view.Focus = NodesPane
	if view.Nodes.Heat {
		view.Focus = HeatPane
	}
}

// Freeze stops the screen at what it shows, or lets it go on.
func (view *Scene) Freeze() {
	if view.Frozen != nil {
		view.Frozen = nil
		view.Tasks.Keep(view.Latest)
		return
	}
	view.Frozen = view.Latest
}

// RunningTask is the task under the cursor of the running pane.
func (view *Scene) RunningTask() *task.Task {
	list := view.Facts().Running
	if len(list) == 0 {
		return nil
	}
	view.Running = min(max(0, view.Running), len(list)-1)
	return &list[view.Running]
}

// TaskID is the task that the person looks at.
func (view *Scene) TaskID() task.ID {
	if view.Pinned != 0 {
		return view.Pinned
	}
	if view.Focus == RunningPane {
		if t := view.RunningTask(); t != nil {
			return t.ID
		}
	}
	if t := view.Tasks.At(view.Facts()); t != nil {
		return t.ID
	}
	return 0
}

// Task is that task itself, if it is known.
func (view *Scene) Task() *task.Task {
	id := view.TaskID()
	if id == 0 {
		return nil
	}
	return view.Facts().FindTask(id)
}

// Node is the node under the cursor.
func (view *Scene) Node() *control.Node {
	list := view.Nodes.Shown(view.Facts())
	if len(list) == 0 {
		return nil
	}
	return list[view.Nodes.Index(list)]
}

// Text makes plain lines of a dialog, wrapped to its width.
func (view *Scene) Text(w int, tok theme.Token, paragraphs ...string) []string {
	var out []string
	for _, p := range paragraphs {
		for _, ln := range part.Wrap(part.Clean(p), w) {
			out = append(out, part.NewLine(view.Styles, w).T(tok, ln).String())
		}
	}
	return out
}

// SameAs is the line that names the command which does the same.
func (view *Scene) SameAs(w int, command string) string {
	return part.NewLine(view.Styles, w).T(theme.Muted, "same as  ").T(theme.Text, command).String()
}

// writes are the actions that change something.
var writes = map[Action]bool{
	"task.new": true, "task.edit": true, "task.rerun": true, "task.cancel": true, "promote": true,
	"admit": true, "invite": true, "node.drain": true, "node.remove": true,
}

// Can reports whether an action works here and now.
func (view *Scene) Can(action Action) bool { return view.WhyNot(action) == "" }

// WhyNot says in words why an action does not work now; empty if it does.
func (view *Scene) WhyNot(action Action) string {
	if view.Options.ReadOnly && writes[action] {
		return "this screen is read-only"
	}
	switch action {
	case "demo":
		if view.Options.NoDemo {
			return "there is no demo here; octaskly demo shows one"
		}
	case "output":
		if view.Focus == OutputPane && view.Top() == DeepOutput {
			return "it is full screen already"
		}
		return view.whyNotTask(action)
	case "task.cancel", "task.rerun", "task.edit", "write":
		return view.whyNotTask(action)
	case "promote":
		return view.whyNotPromote()
	case "node.drain", "node.remove":
		return view.whyNotNode(action)
	case "admit", "invite":
		if view.Facts().Status.Dispatcher == "" && view.Facts().Link.State != Live {
			return "there is no dispatcher to let nodes in"
		}
	case "why":
		if view.Context()&SomeNode == 0 && view.TaskID() == 0 {
			return "no task is selected"
		}
	case "open":
		if view.Focus == OutputPane && view.Top() == DeepOutput {
			return "it is full screen already"
		}
	}
	return ""
}

func (view *Scene) whyNotTask(action Action) string {
	if action == "task.cancel" && (len(view.Tasks.Marks) > 0 || view.Tasks.All) {
		return ""
	}
	t := view.Task()
	if t == nil {
		return "no task is selected"
	}
	switch {
	case action == "task.cancel" && t.State.Terminal():
		return fmt.Sprintf("task %s has ended: %s", t.ID, t.State)
	case action == "task.rerun" && !t.State.Terminal():
		return fmt.Sprintf("task %s is %s; only a finished one is rerun (e edits a copy)", t.ID, t.State)
	}
	return ""
}

func (view *Scene) whyNotPromote() string {
	s := view.Facts()
	if self := s.Self(); s.Status.Dispatcher != "" && Dispatches(self) {
		return self.Name + " is the dispatcher already"
	}
	return ""
}

func (view *Scene) whyNotNode(action Action) string {
	n := view.Node()
	switch {
	case n == nil:
		return "no node is selected"
	case !Member(n):
		return n.Name + " is not a member"
	case action == "node.remove" && Dispatches(n):
		return n.Name + " is the dispatcher and cannot be removed"
	}
	return ""
}
