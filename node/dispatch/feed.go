package dispatch

import (
	"sort"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// feedKeep is how many node events and notices are kept for readers that are
// behind or ask for the past.
const feedKeep = 4096

// feed carries what happens to nodes. Task changes come from the queue's own
// feed; stamp gives both their positions, so that a reader can merge them.
// Loads are marked, not stored: a reader asks for the newest.
type feed struct {
	stamp func() uint64

	mu      sync.Mutex
	events  []control.Event // by position
	dropped uint64          // how many are no longer kept
	base    uint64          // events up to this position are not kept
	loads   map[string]uint64
	tick    uint64
	more    chan struct{} // closed and replaced at every change
	closed  bool
}

func (f *feed) init(stamp func() uint64) {
	f.stamp = stamp
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
	f.events = append(f.events, control.Event{
		Position: f.stamp(), Time: time.Now().UnixMilli(), Kind: control.EventNode, Node: name, Text: name + " " + what,
	})
	if len(f.events) > 2*feedKeep {
		n := len(f.events) - feedKeep
		f.base = f.events[n-1].Position
		f.events = append([]control.Event(nil), f.events[n:]...)
		f.dropped += uint64(n)
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

// state is a channel that is closed at the next change, and whether there will
// be none.
func (f *feed) state() (more <-chan struct{}, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.more, f.closed
}

// now is the latest load that was told.
func (f *feed) now() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tick
}

// between is the node events after one position and up to another, and whether
// older ones of them are no longer kept.
func (f *feed) between(after, upTo uint64) (events []control.Event, gap bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := func(p uint64) int {
		return sort.Search(len(f.events), func(i int) bool { return f.events[i].Position > p })
	}
	return append(events, f.events[at(after):max(at(after), at(upTo))]...), after < f.base
}

// loaded is the nodes whose load was told after tick, and the latest tick.
func (f *feed) loaded(tick uint64) (names []string, now uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, t := range f.loads {
		if t > tick {
			names = append(names, n)
		}
	}
	return names, f.tick
}
