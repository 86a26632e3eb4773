package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

func (d *Dispatcher) Events(ctx context.Context, r control.EventsRequest) (control.EventStream, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &eventStream{d: d, r: r, ctx: ctx, cancel: cancel, changes: d.queue.Watch(r.From), tick: d.feed.now()}
	s.told = s.changes.Position()
	if len(s.r.Kinds) == 0 {
		s.r.Kinds = []control.EventKind{control.EventTask, control.EventNode, control.EventNotice, control.EventGap}
	}
	return s, nil
}

// eventStream merges the queue's changes with what happens to nodes, by
// position. Next is called by one goroutine.
type eventStream struct {
	d       *Dispatcher
	r       control.EventsRequest
	ctx     context.Context
	cancel  context.CancelFunc
	changes *queue.Watcher
	told    uint64 // node events up to this position were told
	tick    uint64 // loads up to this were told
}

var _ control.EventStream = (*eventStream)(nil)

func (s *eventStream) wants(k control.EventKind) bool {
	return k == control.EventGap || slices.Contains(s.r.Kinds, k)
}

func (s *eventStream) Close() error {
	s.cancel()
	return nil
}

func (s *eventStream) Next() ([]control.Event, error) {
	for s.ctx.Err() == nil {
		more, closed := s.d.feed.state()
		list, wake, err := s.changes.Poll()
		es := s.merge(list, err)
		if s.wants(control.EventLoad) && !s.r.Past {
			var names []string
			names, s.tick = s.d.feed.loaded(s.tick)
			es = append(es, s.d.loadEvents(names)...)
		}
		switch {
		case len(es) > 0:
			return es, nil
		case wake == nil: // there was something, but nothing for this reader
			continue
		case closed, s.r.Past:
			return nil, io.EOF
		}
		select {
		case <-more:
		case <-wake:
		case <-s.ctx.Done():
		}
	}
	return nil, io.EOF
}

// merge makes events of one step: changes, or an error that is a gap, and what
// happened to nodes up to the same position.
func (s *eventStream) merge(list []queue.Change, err error) []control.Event {
	var es []control.Event
	after, upTo := s.told, s.changes.Position()
	s.told = upTo
	if g, ok := errors.AsType[*queue.Gap](err); ok {
		if e, told := s.gap(g); told && s.wants(control.EventTask) {
			es = append(es, e)
		}
	}
	nodes, lost := s.d.feed.between(after, upTo)
	if lost && len(es) == 0 {
		es = append(es, control.Event{Kind: control.EventGap, Text: "events of nodes are no longer kept: read everything again"})
	}
	gaps := len(es)
	for _, e := range nodes {
		if s.wants(e.Kind) && e.Time >= s.r.Since {
			es = append(es, e)
		}
	}
	var names map[task.NodeID]string
	if len(list) > 0 {
		names = s.d.names()
	}
	for _, c := range list {
		if s.wants(control.EventTask) && (!s.r.Ends || c.To.Terminal()) && c.Time >= s.r.Since {
			es = append(es, taskEvent(c, names))
		}
	}
	slices.SortFunc(es[gaps:], func(a, b control.Event) int { return cmp.Compare(a.Position, b.Position) })
	return es
}

// gap says what is missing, unless it is older than what is asked for.
func (s *eventStream) gap(g *queue.Gap) (e control.Event, told bool) {
	e = control.Event{Kind: control.EventGap, Missed: g.Missed}
	var words []string
	if at := s.d.queue.Oldest(); at == 0 || at > s.r.Since {
		switch {
		case g.Missed > 0:
			words = append(words, fmt.Sprintf("%d events were dropped here", g.Missed))
		case !g.Earlier:
			words = append(words, "events were dropped here")
		}
	}
	if g.Earlier && s.d.started.UnixMilli() > s.r.Since {
		words = append(words, "nothing is kept from before "+s.d.started.UTC().Format(time.RFC3339)+", when the dispatcher started")
	}
	e.Text = strings.Join(words, "; ")
	return e, e.Text != ""
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
