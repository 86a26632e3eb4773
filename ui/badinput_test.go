package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// refusing is a control that refuses to change anything.
type refusing struct {
	control.Control
	why error
}

func (r refusing) Submit(context.Context, control.SubmitRequest) (control.SubmitReply, error) {
	return control.SubmitReply{}, r.why
}

func (r refusing) Cancel(context.Context, control.CancelRequest) ([]control.CancelReply, error) {
	return nil, r.why
}

func (r refusing) Drain(context.Context, string) (control.Node, error) { return control.Node{}, r.why }

func (r refusing) Admit(context.Context, string, string) (control.Node, error) {
	return control.Node{}, r.why
}

// What a cluster refuses is said in one line, and nothing that was typed or
// marked is lost: it can be tried again.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		why  error
		keys []string
		want string
	}{
		{"full queue", task.Errorf(task.KindFull, "the queue is full: 1000000 tasks").WithHint("wait, or purge finished ones"), []string{"n", "type:make all", "enter"}, "submit: the queue is full: 1000000 tasks. wait, or purge"},
		{"no right to submit", task.Errorf(task.KindNotAllowed, "a client may not submit"), []string{"n", "type:make all", "enter"}, "submit: a client may not submit"},
		{"unreachable", task.Errorf(task.KindUnavailable, "mill-01 does not answer"), []string{"n", "type:make all", "enter"}, "submit: mill-01 does not answer"},
		{"no right to cancel", task.Errorf(task.KindNotAllowed, "this task is not yours"), []string{"2", "/", "type:state=running", "enter", "space", "x", "y", "enter"}, "cancel: this task is not yours"},
		{"no right to drain", task.Errorf(task.KindNotAllowed, "only an admin may drain"), []string{"3", "j", "j", "D", "y", "enter"}, "drain: only an admin may drain"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
			d.ctl.Control = refusing{d.ctl.Control, c.why}
			d.keys(c.keys...)
			lines := strings.Split(text(d.view(120, 35)), "\n")
			if said := lines[len(lines)-3]; !strings.Contains(said, c.want) {
				t.Errorf("the line says %q, want %q", said, c.want)
			}
			if c.keys[0] == "n" { // the form is as it was, and says why
				s := text(d.view(120, 35))
				for _, want := range []string{"New task", "make all", "✗ " + c.why.Error()} {
					if !strings.Contains(s, want) {
						t.Errorf("%q is missing:\n%s", want, s)
					}
				}
			}
			if strings.Contains(c.name, "cancel") && !strings.Contains(text(d.view(120, 35)), "1 marked") {
				d.keys("down")
				if s := text(d.view(120, 35)); !strings.Contains(s, "1 marked") {
					t.Errorf("the mark is lost:\n%s", s)
				}
			}
		})
	}
}

// Whatever was typed into the form stays there until a cluster took it: when
// it is refused, when no dispatcher is wanted after all, and from the palette.
func TestRefusedTaskStaysInTheForm(t *testing.T) {
	typed := []string{"n", "type:make all", "tab", "tab", "tab", "type:90s", "tab", "backspace", "type:3"}
	d := drive(t, setup{})
	was := d.ctl.Control
	d.ctl.Control = refusing{was, task.Errorf(task.KindFull, "the queue is full")}
	d.keys(append(typed, "enter")...)
	if s := text(d.view(120, 35)); !strings.Contains(s, "make all") || !strings.Contains(s, "90s") || !strings.Contains(s, "the queue is full") {
		t.Errorf("refused:\n%s", s)
	}
	d.ctl.Control = was
	d.keys("enter") // once more, and it is taken
	if s := text(d.view(120, 35)); strings.Contains(s, "New task ") || !strings.Contains(s, "$ make all") || !strings.Contains(s, "attempt 1/4") && !strings.Contains(s, "queued") {
		t.Errorf("tried again:\n%s", s)
	}
	d = drive(t, setup{demo: fresh})
	d.keys(append(typed, "enter", "esc")...)
	if s := text(d.view(120, 35)); !strings.Contains(s, "New task") || !strings.Contains(s, "make all") || !strings.Contains(s, "90s") {
		t.Errorf("no dispatcher wanted:\n%s", s)
	}
	d = drive(t, setup{})
	d.ctl.Control = refusing{d.ctl.Control, task.Errorf(task.KindFull, "the queue is full")}
	d.keys(":", "type:run make all", "enter")
	if s := text(d.view(120, 35)); !strings.Contains(s, "New task") || !strings.Contains(s, "make all") || !strings.Contains(s, "the queue is full") {
		t.Errorf("from the palette:\n%s", s)
	}
}

// What is typed while a task is on its way is not for the form.
func TestFormWaitsForItsAnswer(t *testing.T) {
	d := drive(t, setup{})
	d.keys("n", "type:make all")
	d.m.Key(keyMsg("enter"), d.clk)
	sent := d.m.TakeEffects()
	d.m.Key(keyMsg("enter"), d.clk)
	d.m.Key(keyMsg("w"), d.clk)
	for _, e := range d.m.TakeEffects() {
		if c, ok := e.(scene.Call); ok {
			t.Errorf("%s was called a second time", c.What)
		}
	}
	if s := text(d.view(120, 35)); !strings.Contains(s, "submitting") || strings.Contains(s, "make allw") {
		t.Errorf("\n%s", s)
	}
	for _, e := range sent {
		if c, ok := e.(scene.Call); ok {
			v, err := c.Do(t.Context(), d.ctl)
			c.Then(v, err)
		}
	}
	if s := text(d.view(120, 35)); strings.Contains(s, "New task ") {
		t.Errorf("the form stays:\n%s", s)
	}
}

// A code that is refused is said beside the field, with what was typed in it.
func TestRefusedCodeStaysInTheField(t *testing.T) {
	d := drive(t, setup{})
	d.ctl.Control = refusing{d.ctl.Control, task.Errorf(task.KindNotAllowed, "no node that asks shows this code")}
	d.keys("t", "type:K7QM-3XPA tower", "enter")
	if s := text(d.view(120, 35)); !strings.Contains(s, "K7QM-3XPA tower") || !strings.Contains(s, "no node that asks shows this code") {
		t.Errorf("\n%s", s)
	}
}

// Every field of the form says what is wrong with it, and keeps what was typed.
func TestFieldsSayWhatIsWrong(t *testing.T) {
	for field, wrong := range map[int]string{2: "urgent", 3: "soon", 4: "many", 5: "lots", 6: "big", 7: "some", 8: "loose", 10: "NOVALUE"} {
		d := drive(t, setup{})
		d.keys("n", "type:make")
		for range field {
			d.keys("tab")
		}
		for range 8 {
			d.keys("backspace")
		}
		before := d.col.status.Tasks[task.Queued]
		d.keys("type:"+wrong, "enter")
		s := text(d.view(120, 35))
		if !strings.Contains(s, "✗ ") || !strings.Contains(s, wrong) || !strings.Contains(s, "New task") {
			t.Errorf("field %d with %q:\n%s", field, wrong, s)
		}
		if d.col.status.Tasks[task.Queued] > before {
			t.Errorf("field %d with %q was submitted", field, wrong)
		}
	}
}

// elsewhere is a control asked from another node than the dispatcher.
type elsewhere struct {
	control.Control
	self control.Identity
}

func (e elsewhere) Status(ctx context.Context) (control.Status, error) {
	s, err := e.Control.Status(ctx)
	s.Self = e.self
	return s, err
}

// A dashboard on a worker says that it is on a worker, although the dispatcher
// that made the list marked itself.
func TestDashboardOnAWorker(t *testing.T) {
	d := drive(t, setup{})
	for _, n := range d.col.nodes {
		if n.Name == "mill-02" {
			d.ctl.Control = elsewhere{d.ctl.Control, control.Identity{ID: n.ID, Name: n.Name}}
		}
	}
	d.pass(6 * time.Second)
	if head := text(d.view(120, 35)[:1]); !strings.Contains(head, "mill-02") || !strings.Contains(head, "WORKER") || !strings.Contains(head, "dispatcher mill-01") {
		t.Errorf("it says %q", head)
	}
}

// lists is the list on a screen, without the charts beside it: those begin
// when a dashboard is opened.
func lists(d *driver) string {
	var out []string
	for _, ln := range strings.Split(text(d.view(120, 35)), "\n") {
		if left, _, ok := strings.Cut(ln, "┃│"); ok {
			out = append(out, left)
		}
	}
	return strings.Join(out, "\n")
}

// Two dashboards on one cluster show the same, and what one does the other
// shows; both can act.
func TestTwoDashboards(t *testing.T) {
	a := drive(t, setup{demo: demo.Options{Nodes: 8, Tasks: 300}})
	b := &driver{t: t, clk: a.clk, ctl: a.ctl, logs: a.logs}
	b.col = NewCollector(b.ctl, func() time.Time { return a.clk })
	k, err := scene.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.m = screen.New(a.m.Styles(), k, scene.Options{})
	b.m.Resize(120, 35)
	b.look()
	same := func(when string) {
		t.Helper()
		b.clk = a.clk
		if x, y := lists(a), lists(b); x != y {
			t.Fatalf("%s they differ:\n%s\n%s", when, x, y)
		}
	}
	page := []string{"2", "/", "type:state=running", "enter"}
	a.keys(page...)
	b.clk = a.clk
	b.keys(page...)
	a.clk = b.clk
	same("at first")
	victim := a.m.Want().Task
	a.keys("x", "y", "enter", "esc", "esc", "2")
	a.pass(5 * time.Second)
	if got, err := b.ctl.Get(t.Context(), victim); err != nil || got.State != task.Cancelled {
		t.Fatalf("the first did not cancel %s: %v %v", victim, got.State, err)
	}
	b.clk = a.clk
	b.keys("esc", "2", "3", "j", "j", "D", "y", "enter")
	a.clk = b.clk
	a.keys("3", "j", "j")
	if s := text(a.view(120, 35)); !strings.Contains(s, "drain") {
		t.Errorf("the first does not show what the second did:\n%s", s)
	}
	b.keys("esc")
	a.keys("esc")
	b.clk = a.clk
	same("after both acted")
}
