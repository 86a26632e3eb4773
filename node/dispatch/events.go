package dispatch

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

// Events implements control.Watch.
func (d *Dispatcher) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &eventStream{d: d, ctx: ctx, cancel: cancel, kinds: r.Kinds, ends: r.Ends, place: d.feed.now(), out: make(chan []control.Event)}
	if len(s.kinds) == 0 {
		s.kinds = []control.EventKind{control.EventTask, control.EventNode, control.EventNotice, control.EventGap}
	}
	if s.wants(control.EventTask) {
		w := d.queue.Watch(r.From)
		s.wg.Go(func() { s.tasks(w) })
	}
	s.wg.Go(s.nodes)
	return s, nil
}

// eventStream merges the queue's changes with what happens to nodes.
type eventStream struct {
	d      *Dispatcher
	ctx    context.Context
	cancel context.CancelFunc
	kinds  []control.EventKind
	ends   bool // of tasks, only final states
	place  cursor
	out    chan []control.Event
	wg     sync.WaitGroup
}

var _ control.EventStream = (*eventStream)(nil)

func (s *eventStream) wants(k control.EventKind) bool {
	return k == control.EventGap || slices.Contains(s.kinds, k)
}

// Next implements control.EventStream.
func (s *eventStream) Next() ([]control.Event, error) {
	select {
	case es := <-s.out:
		return es, nil
	case <-s.ctx.Done():
		return nil, io.EOF
	}
}

// Close implements control.EventStream.
func (s *eventStream) Close() error {
	s.cancel()
	s.wg.Wait()
	return nil
}

func (s *eventStream) emit(es []control.Event) bool {
	if len(es) == 0 {
		return true
	}
	select {
	case s.out <- es:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *eventStream) tasks(w *queue.Watcher) {
	for {
		cs, err := w.Next(s.ctx)
		switch {
		case errors.Is(err, queue.ErrGap):
			if !s.emit([]control.Event{{Kind: control.EventGap, Text: "the reader was too slow: read everything again"}}) {
				return
			}
			continue
		case err != nil:
			s.cancel()
			return
		}
		names := s.d.names()
		es := make([]control.Event, 0, len(cs))
		for _, c := range cs {
			if s.ends && !c.To.Terminal() {
				continue
			}
			es = append(es, taskEvent(c, names))
		}
		if !s.emit(es) {
			return
		}
	}
}

func taskEvent(c queue.Change, names map[task.NodeID]string) control.Event {
	e := control.Event{Position: c.Seq, Time: c.Time, Kind: control.EventTask, Task: c.ID, From: c.From, To: c.To, Attempt: c.Fence.Attempt}
	if c.Node != "" {
		if e.Node = names[c.Node]; e.Node == "" {
			e.Node = c.Node.Short()
		}
	}
	if c.Exit.Reason != "" {
		x := c.Exit
		e.Exit = &x
		e.Text = x.Message
	}
	return e
}

func (s *eventStream) nodes() {
	for {
		events, loads, gap, more, closed := s.d.feed.since(&s.place)
		var es []control.Event
		if gap {
			es = append(es, control.Event{Kind: control.EventGap, Text: "the reader was too slow: read everything again"})
		}
		for _, e := range events {
			if s.wants(e.Kind) {
				es = append(es, e)
			}
		}
		if s.wants(control.EventLoad) {
			es = append(es, s.d.loadEvents(loads)...)
		}
		if !s.emit(es) {
			return
		}
		if closed {
			s.cancel()
			return
		}
		select {
		case <-more:
		case <-s.ctx.Done():
			return
		}
	}
}

// loadEvents is the newest load of the named nodes.
func (d *Dispatcher) loadEvents(names []string) []control.Event {
	if len(names) == 0 {
		return nil
	}
	var es []control.Event
	for _, n := range d.nodes() {
		if slices.Contains(names, n.Name) {
			es = append(es, control.Event{Time: n.Seen, Kind: control.EventLoad, Node: n.Name, NodeInfo: &n})
		}
	}
	return es
}
