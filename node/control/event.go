package control

import "github.com/adauldev/octaskly/queue/task"

// EventKind is a kind of event. State changes must arrive, in order; load
// samples are lossy: a slow reader sees the newest.
type EventKind string

// The kinds of event.
const (
	EventTask   EventKind = "task"   // a task changed state; must arrive
	EventNode   EventKind = "node"   // a node came, went or changed; must arrive
	EventLoad   EventKind = "load"   // load of a node; lossy
	EventNotice EventKind = "notice" // something a person should know; must arrive
	EventGap    EventKind = "gap"    // events are missing here; read everything again
)

// Event is one thing that happened. Position increases; it is the place to
// resume from after a broken connection.
type Event struct {
	Position uint64     `msgpack:"p"`
	Time     int64      `msgpack:"t"` // Unix ms, dispatcher's clock
	Kind     EventKind  `msgpack:"k"`
	Task     task.ID    `msgpack:"i,omitempty"`
	From     task.State `msgpack:"f,omitempty"`
	To       task.State `msgpack:"s,omitempty"`
	Attempt  uint32     `msgpack:"a,omitempty"`
	Exit     *task.Exit `msgpack:"x,omitempty"`
	Node     string     `msgpack:"n,omitempty"` // name
	NodeInfo *Node      `msgpack:"N,omitempty"` // for EventNode and EventLoad
	Text     string     `msgpack:"m,omitempty"` // one line for people
	Missed   uint64     `msgpack:"g,omitempty"` // for EventGap: so many; 0 is not known
}

// EventsRequest says where to start and what to leave out. What happened before
// the dispatcher started, or too long ago, is not kept: an EventGap says so.
type EventsRequest struct {
	From  uint64      `msgpack:"f,omitempty"` // after this position; 0 is from now, 1 from the oldest that is kept
	Since int64       `msgpack:"s,omitempty"` // of the past only what happened since, Unix ms
	Past  bool        `msgpack:"p,omitempty"` // end with the latest event there is
	Kinds []EventKind `msgpack:"k,omitempty"` // empty is all but load
	Ends  bool        `msgpack:"e,omitempty"` // of tasks, only final states
}

// EventStream yields events in the order of their positions. It ends when the
// cluster says goodbye or there is no more.
type EventStream = Stream[[]Event]

// Offer is a cluster that wants the asked node as a member. The zero value is
// none.
type Offer struct {
	ID      uint64 `msgpack:"i"`
	By      string `msgpack:"b"` // the name of the node that dials, as it says itself
	Cluster string `msgpack:"c"`
	Addr    string `msgpack:"a"` // where it dials from
	Until   int64  `msgpack:"u"` // without an answer it is no from then on, Unix ms
}

// OfferStream yields the offer that is open, each time that changes; the zero
// Offer says that it is over.
type OfferStream = Stream[Offer]
