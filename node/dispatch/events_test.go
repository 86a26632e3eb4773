package dispatch

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
)

// openDispatcher makes a dispatcher that does not run, on a queue in memory.
func openDispatcher(t *testing.T) *Dispatcher {
	t.Helper()
	o := queue.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), MinFree: -1}
	s, err := queue.OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	q := queue.New(s, queuetest.NewMemLog(s), o)
	t.Cleanup(func() { _ = q.Close() })
	d, err := New(Options{Queue: q, Dir: t.TempDir(), Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *Dispatcher) mustSubmit(t *testing.T) {
	t.Helper()
	if _, err := d.queue.Submit("me", []task.NewTask{{Spec: task.Spec{Shell: "true"}}}).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all reads a stream to its end.
func all(t *testing.T, d *Dispatcher, r control.EventsRequest) []control.Event {
	t.Helper()
	s, err := d.Events(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []control.Event
	for {
		es, err := s.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, es...)
	}
}

// The past has what happened to tasks and nodes in one order, and a reader that
// goes on behind any event gets exactly the rest.
func TestEventsGoOn(t *testing.T) {
	d := openDispatcher(t)
	for range 5 {
		d.mustSubmit(t)
		d.feed.node("mill", "is up")
		d.feed.node("mill", "left")
	}
	past := all(t, d, control.EventsRequest{From: 1, Past: true})
	if len(past) != 15 {
		t.Fatalf("%d events: %+v", len(past), past)
	}
	for i, e := range past {
		if want := []control.EventKind{control.EventTask, control.EventNode, control.EventNode}[i%3]; e.Kind != want {
			t.Fatalf("event %d is of a %s", i, e.Kind)
		}
		rest := all(t, d, control.EventsRequest{From: e.Position, Past: true})
		if len(rest) != len(past)-i-1 || len(rest) > 0 && rest[0].Position != past[i+1].Position {
			t.Fatalf("behind event %d: %+v", i, rest)
		}
	}
	if es := all(t, d, control.EventsRequest{From: 1, Past: true, Kinds: []control.EventKind{control.EventNode}}); len(es) != 10 {
		t.Errorf("%d node events", len(es))
	}
	if es := all(t, d, control.EventsRequest{From: 1, Past: true, Since: time.Now().Add(time.Hour).UnixMilli()}); len(es) != 0 {
		t.Errorf("since a time to come: %+v", es)
	}
}

// A reader whose position is of an earlier start is told so once.
func TestEventsSayTheGap(t *testing.T) {
	d := openDispatcher(t)
	for range feedKeep * 3 {
		d.feed.node("mill", "is up")
	}
	d.mustSubmit(t)
	es := all(t, d, control.EventsRequest{From: 2, Past: true})
	gaps := 0
	for _, e := range es {
		if e.Kind == control.EventGap {
			gaps++
		}
	}
	if es[0].Kind != control.EventGap || es[0].Text == "" || gaps != 1 {
		t.Errorf("%d gaps; first %+v", gaps, es[0])
	}
}
