package dispatch

import (
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// feedKeep is how many node events and notices are kept for slow readers.
const feedKeep = 4096

// feed carries what happens to nodes. Task changes come from the queue's own
// feed and are merged in by each reader. Loads are marked, not stored: a reader
// asks for the newest.
type feed struct {
	mu     sync.Mutex
	events []control.Event
	first  uint64 // number of events[0]
	loads  map[string]uint64
	tick   uint64
	more   chan struct{} // closed and replaced at every change
	closed bool
}

func (f *feed) init() {
	f.more = make(chan struct{})
	f.loads = make(map[string]uint64)
}

func (f *feed) change() {
	close(f.more)
	f.more = make(chan struct{})
}

func (f *feed) node(name, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, control.Event{Time: time.Now().UnixMilli(), Kind: control.EventNode, Node: name, Text: name + " " + what})
	if len(f.events) > 2*feedKeep {
		n := len(f.events) - feedKeep
		f.events = append([]control.Event(nil), f.events[n:]...)
		f.first += uint64(n)
	}
	f.change()
}

func (f *feed) load(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tick++
	f.loads[name] = f.tick
	f.change()
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		f.change()
	}
}

// cursor is a reader's place in the feed.
type cursor struct{ event, tick uint64 }

func (f *feed) now() cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cursor{event: f.first + uint64(len(f.events)), tick: f.tick}
}

// since returns what is new and a channel that is closed when there is more.
func (f *feed) since(c *cursor) (events []control.Event, loads []string, gap bool, more <-chan struct{}, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.event < f.first {
		gap = true
		c.event = f.first
	}
	events = append(events, f.events[c.event-f.first:]...)
	c.event = f.first + uint64(len(f.events))
	for n, t := range f.loads {
		if t > c.tick {
			loads = append(loads, n)
		}
	}
	c.tick = f.tick
	return events, loads, gap, f.more, f.closed
}
