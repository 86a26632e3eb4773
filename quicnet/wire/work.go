package wire

import "github.com/adauldev/octaskly/queue/task"

// The kinds of the work stream. The worker opens it, sends Register, and the
// dispatcher answers with Accepted or a Fault; after that both send what they
// have. Nothing on it is answered in order: every item names its task and fence.
const (
	KindRegister  Kind = 16
	KindAccepted  Kind = 17
	KindBeat      Kind = 18
	KindBeatAck   Kind = 19
	KindAssign    Kind = 20
	KindStarted   Kind = 21
	KindResults   Kind = 22
	KindResultAck Kind = 23
	KindStop      Kind = 24
	KindDeclined  Kind = 25
	KindRelease   Kind = 26
)

// MaxItems is the most items in one message of the work stream.
const MaxItems = 1000

// Lease names one attempt of one task.
type Lease = task.Lease

// Register is the worker's first message: who it is, what it offers, and every
// attempt that it still knows. A lease that it does not name, it does not hold.
type Register struct {
	Boot     string        `msgpack:"b"` // random, one run of the program
	Name     string        `msgpack:"n"`
	Label    string        `msgpack:"l,omitempty"` // what its owner calls it besides
	Capacity task.Capacity `msgpack:"c"`
	Draining bool          `msgpack:"d,omitempty"`
	Holds    []Held        `msgpack:"h,omitempty"` // in parts of MaxItems; More says that another Register follows
	More     bool          `msgpack:"m,omitempty"`
	Warnings []string      `msgpack:"w,omitempty"`
	Term     uint64        `msgpack:"t,omitempty"` // highest it has obeyed
	Version  string        `msgpack:"v,omitempty"`
	Renew    []byte        `msgpack:"k,omitempty"` // its public key, when its certificate should be renewed
	Seal     []byte        `msgpack:"s,omitempty"` // public key that secrets for it are sealed with, of this run
}

// Held is one attempt that a worker knows.
type Held struct {
	Lease
	Started int64 `msgpack:"s,omitempty"` // ms since it started; 0 is not started
	Ended   bool  `msgpack:"e,omitempty"` // its result is on its way
}

// Accepted answers Register: the rhythm of the lease, and what of Holds is of
// no more use.
type Accepted struct {
	Term    uint64  `msgpack:"t"`
	BeatMs  int64   `msgpack:"b"`
	LeaseMs int64   `msgpack:"l"`
	Name    string  `msgpack:"n"`           // the name the cluster knows it by
	Drop    []Lease `msgpack:"d,omitempty"` // stop these and forget them

	Chain [][]byte `msgpack:"x,omitempty"` // the renewed certificate, DER, its issuers after it
}

// Beat is the worker's heartbeat. Answered, it renews all leases of the worker
// from the moment it was sent.
type Beat struct {
	Seq  uint64    `msgpack:"s"`
	Load task.Load `msgpack:"l"`
	RTT  int64     `msgpack:"r,omitempty"` // ns, as measured by the connection
	Use  []TaskUse `msgpack:"u,omitempty"` // of running tasks, the largest first, at most MaxTaskUses
	Now  int64     `msgpack:"t,omitempty"` // the sender's clock, Unix ms; for people only
}

// MaxTaskUses is of how many tasks a heartbeat tells what they use.
const MaxTaskUses = 256

// TaskUse is what one running task uses now.
type TaskUse struct {
	ID    task.ID `msgpack:"i"`
	CPU   float32 `msgpack:"c"` // percent of one CPU
	MemMB int64   `msgpack:"m"`
}

// BeatAck answers a Beat.
type BeatAck struct {
	Seq  uint64 `msgpack:"s"`
	Term uint64 `msgpack:"t"`
}

// Assign gives the worker attempts to run.
type Assign struct {
	Term  uint64       `msgpack:"t"`
	Items []Assignment `msgpack:"i"`
}

// Assignment is one attempt to run.
type Assignment struct {
	ID    task.ID    `msgpack:"i"`
	Fence task.Fence `msgpack:"f"`
	Spec  task.Spec  `msgpack:"s"` // Timeout is final: the dispatcher's default is filled in
}

// Started says that attempts have started and still run.
type Started struct {
	Items []Held `msgpack:"i"`
}

// Results reports attempts that ended.
type Results struct {
	Items []Result `msgpack:"i"`
}

// Result is how one attempt ended. Times are durations, so that no clocks are
// compared.
type Result struct {
	Lease
	Exit     task.Exit   `msgpack:"x"`
	StartAgo int64       `msgpack:"s"` // ms before this message was made; 0 with EndAgo 0 is "now"
	EndAgo   int64       `msgpack:"e"`
	RanUs    int64       `msgpack:"r"` // microseconds between start and end
	Usage    task.Usage  `msgpack:"u"`
	Enforced string      `msgpack:"E,omitempty"`
	Output   task.Output `msgpack:"o"`
}

// Verdict is what became of a result.
type Verdict uint8

// The verdicts. After any of them the worker forgets the attempt.
const (
	Recorded        Verdict = 1
	AlreadyRecorded Verdict = 2
	Fenced          Verdict = 3 // a later attempt was granted
	Unknown         Verdict = 4 // no such task any more
)

// ResultAck answers results after they are durable.
type ResultAck struct {
	Items []Acked `msgpack:"i"`
}

// Acked is the verdict on one result.
type Acked struct {
	Lease
	Verdict Verdict `msgpack:"v"`
}

// Stop tells the worker to end attempts: cancelled by a person, or fenced.
type Stop struct {
	Items []StopItem `msgpack:"i"`
}

// StopItem is one attempt to end.
type StopItem struct {
	Lease
	GraceMs int64 `msgpack:"g"`           // 0 is the task's own; negative is none
	Drop    bool  `msgpack:"d,omitempty"` // nobody waits for its result
}

// Declined gives back attempts that were not started and never will be.
type Declined struct {
	Items []Decline `msgpack:"i"`
}

// Decline says why one attempt was not started.
type Decline struct {
	Lease
	Why string `msgpack:"w"`
}

// Release is sent by a worker that drains: it takes no more, and On false says
// that it takes tasks again.
type Release struct {
	On bool `msgpack:"o"`
}

func (Register) WireKind() Kind  { return KindRegister }
func (Accepted) WireKind() Kind  { return KindAccepted }
func (Beat) WireKind() Kind      { return KindBeat }
func (BeatAck) WireKind() Kind   { return KindBeatAck }
func (Assign) WireKind() Kind    { return KindAssign }
func (Started) WireKind() Kind   { return KindStarted }
func (Results) WireKind() Kind   { return KindResults }
func (ResultAck) WireKind() Kind { return KindResultAck }
func (Stop) WireKind() Kind      { return KindStop }
func (Declined) WireKind() Kind  { return KindDeclined }
func (Release) WireKind() Kind   { return KindRelease }

func init() {
	register(
		Info{Kind: KindRegister, Name: "register", Stream: StreamWork, From: Opener},
		Info{Kind: KindAccepted, Name: "accepted", Stream: StreamWork, From: Acceptor},
		Info{Kind: KindBeat, Name: "beat", Stream: StreamWork, From: Opener, Max: 64 << 10},
		Info{Kind: KindBeatAck, Name: "beat-ack", Stream: StreamWork, From: Acceptor, Max: 1 << 10},
		Info{Kind: KindAssign, Name: "assign", Stream: StreamWork, From: Acceptor},
		Info{Kind: KindStarted, Name: "started", Stream: StreamWork, From: Opener},
		Info{Kind: KindResults, Name: "results", Stream: StreamWork, From: Opener},
		Info{Kind: KindResultAck, Name: "result-ack", Stream: StreamWork, From: Acceptor},
		Info{Kind: KindStop, Name: "stop", Stream: StreamWork, From: Acceptor},
		Info{Kind: KindDeclined, Name: "declined", Stream: StreamWork, From: Opener},
		Info{Kind: KindRelease, Name: "release", Stream: StreamWork, From: Opener, Max: 64},
	)
}
