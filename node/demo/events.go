package demo

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

const ringSize = 8192

func (f *Fleet) event(e control.Event) {
	f.lastPos++
	e.Position, e.Time = f.lastPos, f.at
	if len(f.ring) < ringSize {
		f.ring = append(f.ring, e)
		return
	}
	f.ring[(f.lastPos-1)%ringSize] = e
}

func (f *Fleet) taskEvent(id task.ID, from task.State, words string) {
	r := &f.recs[id-1]
	e := control.Event{Kind: control.EventTask, Task: id, From: from, To: r.state, Attempt: uint32(r.attempt), Text: words}
	if r.node >= 0 {
		e.Node = f.nodes[r.node].name
	}
	if r.state.Terminal() {
		e.Exit = &task.Exit{Code: int32(r.exit), Reason: task.ReasonExit}
	}
	f.event(e)
}

func (f *Fleet) nodeEvent(n *node, words string) {
	v := f.view(n)
	f.event(control.Event{Kind: control.EventNode, Node: n.name, NodeInfo: &v, Text: words})
}

// makePastEvents gives the log something to show at the start.
func (f *Fleet) makePastEvents() {
	now := f.at
	defer func() { f.at = now }()
	var past []end
	for i := len(f.recs); i > 0 && len(past) < 2000; i-- {
		if r := &f.recs[i-1]; r.state.Terminal() {
			past = append(past, end{r.submitted + int64(r.ended), uint32(i)})
		}
	}
	slices.SortFunc(past, func(a, b end) int { return cmp.Compare(a.at, b.at) })
	for _, e := range past {
		r := &f.recs[e.id-1]
		f.at = e.at
		words := "done"
		if r.state != task.Done {
			words = ending(r.state, r.exit)
		}
		f.taskEvent(task.ID(e.id), task.Running, words+" on "+f.nodes[r.node].name)
	}
	f.at = now
	f.nodeStory()
}

// nodeStory is what happened to nodes just before the start.
func (f *Fleet) nodeStory() {
	for _, n := range f.nodes {
		switch n.state {
		case control.NodeStale:
			f.nodeEvent(n, n.name+" missed 3 heartbeats, marked stale")
		case control.NodeAsks:
			f.nodeEvent(n, n.name+" asks to join as worker")
		case control.NodeDraining:
			f.nodeEvent(n, n.name+" is draining (by ana)")
		}
	}
}

type stream struct {
	f     *Fleet
	pos   uint64
	kinds []control.EventKind
	past  bool  // ends with the latest event
	load  int64 // when load was last sent
	told  bool  // all there was
	close chan struct{}
	once  sync.Once
}

// Events streams what happens.
func (f *Fleet) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	s := &stream{f: f, pos: f.lastPos, kinds: r.Kinds, past: r.Past, close: make(chan struct{})}
	if r.From > 0 {
		s.pos = r.From
		if r.From == 1 {
			s.pos = 0
		}
	}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// Close ends the stream.
func (s *stream) Close() error {
	s.once.Do(func() { close(s.close) })
	return nil
}

// gather is how long a stream that has told all there was gathers more.
const gather = 100 * time.Millisecond

// Next waits for events.
func (s *stream) Next() ([]control.Event, error) {
	if s.told && !s.past {
		select {
		case <-s.close:
			return nil, io.EOF
		case <-time.After(gather):
		}
	}
	for {
		out, changed := s.take()
		if len(out) > 0 {
			s.told = len(out) < 500
			return out, nil
		}
		if s.past {
			return nil, io.EOF
		}
		t := time.NewTimer(time.Second)
		select {
		case <-s.close:
			t.Stop()
			return nil, io.EOF
		case <-changed:
			t.Stop()
		case <-t.C:
		}
	}
}

func (s *stream) wants(k control.EventKind) bool {
	if len(s.kinds) == 0 {
		return k != control.EventLoad
	}
	return slices.Contains(s.kinds, k)
}

func (s *stream) take() ([]control.Event, chan struct{}) {
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	f.advance()
	var out []control.Event
	if f.lastPos > ringSize && s.pos < f.lastPos-ringSize {
		s.pos = f.lastPos - ringSize
		out = append(out, control.Event{Position: s.pos, Time: f.at, Kind: control.EventGap})
	}
	for s.pos < f.lastPos && len(out) < 500 {
		if e := f.ring[s.pos%ringSize]; s.wants(e.Kind) {
			out = append(out, e)
		}
		s.pos++
	}
	if s.wants(control.EventLoad) && f.at-s.load >= 2000 {
		s.load = f.at
		for _, n := range f.nodes {
			v := f.view(n)
			out = append(out, control.Event{Position: s.pos, Time: f.at, Kind: control.EventLoad, Node: n.name, NodeInfo: &v})
		}
	}
	return out, f.changed
}

// Now is the events that are there already; it does not wait.
func (s *stream) Now() []control.Event {
	out, _ := s.take()
	return out
}
