package ui

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
)

// nasty is what a peer or a task could put into a field.
var nasty = []string{
	"\x1b]52;c;ZXZpbA==\x07", "\x1b]0;owned\x07", "\x1b]8;;http://x\x1b\\", "\x1b[2J", "\x1b[H", "\x1b[?1049l", "\x1b[31m", "\x1b[8m", "\x1bc", "\x1bP", "\x1b",
	"\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\r", "\n", "\t", "\x00", "\x07", "\x08", "\x7f", "\u0085", "\u009b31m", "\u009d", "\xff", "\xc3", "\xed\xa0\x80",
	"é́́́́́́", "👨‍👩‍👧", "🇩🇪", "👍🏽", "名前", "ｆｕｌｌ", "a", "rm -rf /", " ", "─", "\u2028", "\ue0b0", "\U000e0041", "ก็็็็็", "\u3164", "ﷺ",
}

func hostile(r *rand.Rand) string {
	var b strings.Builder
	for n := r.IntN(12); n >= 0; n-- {
		if r.IntN(6) == 0 {
			for k := r.IntN(8); k >= 0; k-- {
				b.WriteByte(byte(r.IntN(256)))
			}
			continue
		}
		b.WriteString(nasty[r.IntN(len(nasty))])
	}
	return b.String()
}

// evil is a control whose every string is hostile.
type evil struct {
	control.Control
	r *rand.Rand
}

func (e evil) str() string { return hostile(e.r) }

func (e evil) Status(ctx context.Context) (control.Status, error) {
	s, err := e.Control.Status(ctx)
	s.Dispatcher, s.Self.Name, s.Self.Fingerprint = e.str(), e.str(), e.str()
	s.Problems = []control.Problem{{Level: "error", Text: e.str(), Cure: e.str()}}
	return s, err
}

func (e evil) Nodes(ctx context.Context) ([]control.Node, error) {
	list, err := e.Control.Nodes(ctx)
	for i := range list {
		n := &list[i]
		n.Name, n.Version, n.Addr, n.Warnings, n.Doing = e.str(), e.str(), e.str(), []string{e.str()}, []string{e.str()}
		n.State = control.NodeState([]string{"up", "asks", e.str()}[e.r.IntN(3)])
		n.Capacity.Labels = map[string]string{"os": e.str(), "arch": e.str(), "rack": e.str(), e.str(): e.str()}
		n.Capacity.Sandboxes, n.Capacity.Default = []string{e.str()}, e.str()
	}
	return list, err
}

// Events are what the cluster tells; each line of them is somebody's words.
func (e evil) Events(context.Context, control.EventsRequest) (control.EventStream, error) {
	list := make([]control.Event, 20)
	for i := range list {
		kind := []control.EventKind{control.EventTask, control.EventNode, control.EventNotice, control.EventKind(e.str())}[e.r.IntN(4)]
		list[i] = control.Event{Position: uint64(i + 1), Time: int64(i) * 60_000, Kind: kind, Task: task.ID(i), To: task.Failed, Node: e.str(), Text: e.str()}
		if kind == control.EventNode && e.r.IntN(2) == 0 {
			list[i].NodeInfo = &control.Node{ID: "x", Name: e.str(), State: control.NodeState(e.str())}
		}
	}
	return &told{list}, nil
}

// told is a stream of events that are there already.
type told struct{ list []control.Event }

func (s *told) Now() []control.Event {
	list := s.list
	s.list = nil
	return list
}

func (s *told) Next() ([]control.Event, error) { return s.Now(), nil }

func (s *told) Close() error { return nil }

func (e evil) dirty(t *task.Task) {
	t.Spec.Shell, t.Spec.Name, t.Spec.Tags, t.By = e.str(), e.str(), []string{e.str()}, task.Principal(e.str())
	t.Spec.Need.On, t.Spec.Need.Sandbox, t.Spec.Need.Labels, t.Spec.Dir = e.str(), e.str(), map[string]string{e.str(): e.str()}, e.str()
	for i := range t.Attempts {
		a := &t.Attempts[i]
		a.Exit.Message, a.Exit.Reason, a.Enforced = e.str(), task.Reason(e.str()), e.str()
	}
}

func (e evil) List(ctx context.Context, q control.Query) (control.Page, error) {
	p, err := e.Control.List(ctx, control.Query{Limit: q.Limit, Oldest: q.Oldest, After: q.After})
	for i := range p.Tasks {
		e.dirty(&p.Tasks[i])
	}
	if e.r.IntN(10) == 0 {
		err = errors.New(e.str())
	}
	return p, err
}

func (e evil) Get(ctx context.Context, id task.ID) (task.Task, error) {
	t, err := e.Control.Get(ctx, id)
	e.dirty(&t)
	return t, err
}

func (e evil) Why(_ context.Context, id task.ID) (control.Why, error) {
	w := control.Why{ID: id, Told: []string{e.str()}, Would: e.str()}
	if e.r.IntN(2) == 0 {
		w.Waits = &control.Waits{Nodes: []control.NodeVerdict{{Node: e.str(), Terms: []control.Term{{Name: e.str(), Want: e.str(), Have: e.str()}}}}}
	}
	return w, nil
}

func (e evil) Submit(context.Context, control.SubmitRequest) (control.SubmitReply, error) {
	return control.SubmitReply{}, task.Errorf(task.KindFull, "%s", e.str()).WithHint("%s", e.str())
}

func (e evil) Invite(context.Context, control.InviteRequest) (control.Invite, error) {
	return control.Invite{Code: e.str()}, nil
}

// Whatever peers and tasks write, nothing of it moves the cursor or leaves
// its cell.
func TestHostileStrings(t *testing.T) {
	runs := 250 // each draws some forty strings on several screens: 10,000 and more
	if testing.Short() {
		runs = 40
	}
	paths := [][]string{
		{"1"},
		{"2"},
		{"2", "enter"},
		{"2", "j", "L", "|", "t"},
		{"3"},
		{"3", "enter"},
		{"3", "h"},
		{"3", "w"},
		{"4"},
		{"4", "j", "enter"},
		{"4", "!"},
		{"2", "x"},
		{"2", "w"},
		{"2", "e"},
		{"i"},
		{"n", "enter"},
		{"3", "D"},
		{"3", "x"},
		{"t"},
		{"3", "p"},
		{"q"},
		{"2", "/", "type:a", "enter", "y"},
	}
	for i := range runs {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		look := looks[i%len(looks)]
		d := drive(t, setup{demo: demo.Options{Nodes: 6, Tasks: 40, Seed: uint64(i)}, theme: look.theme, depth: look.depth, ascii: look.ascii})
		d.ctl.Control = evil{d.ctl.Control, r}
		w, h := 60+r.IntN(150), 15+r.IntN(40)
		d.m.Resize(w, h)
		d.keys(paths[i%len(paths)]...)
		id, buf := task.ID(1), newTail(nil).buf
		for range 30 {
			buf.Add(uint8(r.IntN(3)), 0, []byte(hostile(r)))
		}
		d.m.SeeLog(id, buf)
		d.m.Say(theme.Err, hostile(r))
		if err := shape(d.m.View(), w, h); err != nil {
			t.Fatalf("run %d, %dx%d, %q: %v", i, w, h, paths[i%len(paths)], err)
		}
	}
}

// A line of a megabyte costs what its visible part costs.
func TestHugeLine(t *testing.T) {
	d := drive(t, setup{})
	d.keys("2", "L")
	w := d.m.Want()
	_, buf := newTail(nil).shown()
	buf.Add(1, 0, []byte(strings.Repeat("名\x1b[31mx", 200_000)+"\n"))
	d.m.SeeLog(w.Output, buf)
	d.m.Resize(80, 24)
	if err := shape(d.m.View(), 80, 24); err != nil {
		t.Fatal(err)
	}
}
