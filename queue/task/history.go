package task

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// EventKind says what an Event tells.
type EventKind string

// The kinds of event. Those of a client are recorded around its call; those of
// a dispatcher and a worker when they decide, before anybody can learn of it,
// unless it says otherwise. "Holds" names the fields beside Node and Time.
const (
	// A client. Call pairs a call with its end.
	EvSubmitCall EventKind = "submit_call" // Key, Hash (of the spec), By
	EvSubmitOK   EventKind = "submit_ok"   // Key, Hash, By, Task, Delivery, Retries
	EvSubmitFail EventKind = "submit_fail" // Key
	EvCancelOK   EventKind = "cancel_ok"   // Task, Grace
	EvReadCall   EventKind = "read_call"   // a complete list begins: Read
	EvSeen       EventKind = "seen"        // one task in it: Read, Task, State, Hash (of the result, when terminal)
	EvReadOK     EventKind = "read_ok"     // the list is complete: Read

	// A dispatcher.
	EvPromote  EventKind = "promote"   // it dispatches now: Term
	EvCapacity EventKind = "capacity"  // what a worker declared: Worker, CPU, MemoryMB, GPUs, Slots
	EvStore    EventKind = "store"     // a task was applied, before the submit is answered: Task, Key, Hash, By, Delivery, Retries
	EvGrant    EventKind = "grant"     // leased, before it is sent: Task, Term, Attempt, Worker, CPU, MemoryMB, GPUs, Backlog
	EvUngrant  EventKind = "ungrant"   // the lease came to nothing, before it is taken back: Task, Term, Attempt
	EvRelease  EventKind = "release"   // its result came: Task, Term, Attempt
	EvExpire   EventKind = "expire"    // its time ran out: Task, Term, Attempt, Worker
	EvRequeue  EventKind = "requeue"   // given back or forgotten by its worker: Task, Term, Attempt
	EvRecord   EventKind = "record"    // the end was applied, before it is answered: Task, Term, Attempt, State, Hash
	EvChange   EventKind = "change"    // a step of life was applied, in order: Task, From, State
	EvPurge    EventKind = "purge"     // forgotten after its retention: Task
	EvStepDown EventKind = "step_down" // it dispatches no more: Term

	// A worker.
	EvObey      EventKind = "obey"       // it acts on a message: Term
	EvRenewed   EventKind = "renewed"    // it believes in its leases until Until (same clock as Time)
	EvStart     EventKind = "start"      // before the first instruction of the command: Task, Term, Attempt
	EvExit      EventKind = "exit"       // Task, Term, Attempt, Code
	EvKilled    EventKind = "killed"     // its whole tree is proved gone: Task, Term, Attempt
	EvResultOK  EventKind = "result_ok"  // its result was acknowledged: Task, Term, Attempt, Verdict
	EvSpoolDrop EventKind = "spool_drop" // it deletes its copy of the result: Task, Term, Attempt

	// Whoever tests: the outside witness and the faults.
	EvWitness EventKind = "witness" // the command itself says that it ran: Task, Term, Attempt, PID
	EvAlive   EventKind = "alive"   // a process of the task lives: Task, Term, Attempt, PID
	EvCrash   EventKind = "crash"   // Node ends without a word
	EvRestart EventKind = "restart" // Node starts again
	EvFault   EventKind = "fault"   // for people: Text
)

// Event is one thing that happened, as one line of a history. Which fields are
// set depends on Kind.
type Event struct {
	Seq  uint64    `json:"seq,omitempty"`
	Time int64     `json:"t"` // ns; one clock for the whole history
	Node string    `json:"node,omitempty"`
	Kind EventKind `json:"kind"`

	Task    ID     `json:"task,omitempty"`
	Term    uint64 `json:"term,omitempty"`
	Attempt uint32 `json:"attempt,omitempty"`
	Worker  string `json:"worker,omitempty"`

	Key      string   `json:"key,omitempty"`
	Hash     string   `json:"hash,omitempty"`
	By       string   `json:"by,omitempty"`
	From     State    `json:"from,omitempty"`
	State    State    `json:"state,omitempty"`
	Delivery Delivery `json:"delivery,omitempty"`
	Retries  int32    `json:"retries,omitempty"`
	Verdict  string   `json:"verdict,omitempty"` // recorded, already, fenced, unknown

	CPU      Milli `json:"cpu,omitempty"`
	MemoryMB int64 `json:"mem,omitempty"`
	GPUs     int32 `json:"gpus,omitempty"`
	Slots    int32 `json:"slots,omitempty"`
	Backlog  bool  `json:"backlog,omitempty"`

	Code  int32  `json:"code,omitempty"`
	PID   int    `json:"pid,omitempty"`
	Until int64  `json:"until,omitempty"` // ns
	Grace int64  `json:"grace,omitempty"` // ns
	Read  uint64 `json:"read,omitempty"`
	Text  string `json:"text,omitempty"`
}

// Fence is the fence that the event names.
func (e Event) Fence() Fence { return Fence{Term: e.Term, Attempt: e.Attempt} }

// Recorder takes the events of one process. It is safe for concurrent use, and
// when Record returns, the event outlives the process.
type Recorder interface{ Record(e Event) }

// Note records an event, unless there is no recorder.
func Note(r Recorder, e Event) {
	if r != nil {
		r.Record(e)
	}
}

// NewRecorder writes one line of JSON for each event to w, with one write. Time
// is set where it is zero, Node where it is empty.
func NewRecorder(w io.Writer, node string) Recorder { return &lineRecorder{w: w, node: node} }

type lineRecorder struct {
	mu   sync.Mutex
	w    io.Writer
	node string
	seq  uint64
}

func (r *lineRecorder) Record(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	e.Seq = r.seq
	if e.Time == 0 {
		e.Time = time.Now().UnixNano()
	}
	if e.Node == "" {
		e.Node = r.node
	}
	if b, err := json.Marshal(e); err == nil {
		_, _ = r.w.Write(append(b, '\n')) // a history that lacks lines shows it
	}
}
