package task

import "time"

// Exit says how one attempt ended.
type Exit struct {
	Code    int32  `msgpack:"c"`           // the command's own code; 128+n when ended by signal n
	Signal  int32  `msgpack:"s,omitempty"` // 0 when it exited by itself
	Reason  Reason `msgpack:"r"`
	Message string `msgpack:"m,omitempty"` // one line for people, when Reason needs words
}

// Reason is why an attempt ended as it did.
type Reason string

// The reasons. "limit:" is followed by the limit that was hit: memory, cpu,
// disk, files, processes, output.
const (
	ReasonExit          Reason = "exit"           // the command ended by itself
	ReasonSignal        Reason = "signal"         // ended by a signal nobody of ours sent
	ReasonTimeout       Reason = "timeout"        // wall-clock limit
	ReasonCancelled     Reason = "cancelled"      // somebody cancelled it
	ReasonNotFound      Reason = "not_found"      // no such executable on the worker (127)
	ReasonNotExecutable Reason = "not_executable" // found but not executable (126)
	ReasonBadDir        Reason = "bad_dir"        // the directory asked for does not exist there
	ReasonDeclined      Reason = "declined"       // the worker did not start it; costs no attempt of the person's budget
	ReasonRefused       Reason = "refused"        // makes no sense on any worker
	ReasonNodeLost      Reason = "node_lost"      // its lease ran out or its worker forgot it
	ReasonUnkillable    Reason = "unkillable"     // processes survived the kill
	ReasonPoison        Reason = "poison"         // too many workers were lost under it
	ReasonLimitPrefix          = "limit:"
)

// Usage is what an attempt consumed, as far as the worker can tell.
type Usage struct {
	CPU     time.Duration `msgpack:"c,omitempty"`
	MaxRSS  int64         `msgpack:"r,omitempty"` // bytes
	Written int64         `msgpack:"w,omitempty"` // bytes written to storage
}

// Output describes what an attempt wrote. Bytes and SHA256 are over the
// recorded chunk stream as the worker spooled it.
type Output struct {
	Inline    []byte `msgpack:"i,omitempty"` // the whole chunk stream when it is at most MaxInlineOutput
	Bytes     int64  `msgpack:"n,omitempty"` // payload bytes written by the command, stdout and stderr together
	Length    int64  `msgpack:"l,omitempty"` // length of the chunk stream in the file; 0 when inline
	SHA256    []byte `msgpack:"h,omitempty"` // of the chunk stream; nil when inline
	Truncated bool   `msgpack:"t,omitempty"` // something was dropped; the stream has a marker where
	CutBy     string `msgpack:"w,omitempty"` // what cut it, when that was no quota: "the worker's disk is full"
}

// MaxInlineOutput is the largest output that rides in the result record.
const MaxInlineOutput = 4 << 10

// Attempt is one try to run a task. Times are by the dispatcher's clock,
// Unix milliseconds; 0 is "did not happen" or "not known".
type Attempt struct {
	Fence    Fence  `msgpack:"f"`
	Node     NodeID `msgpack:"n"`
	Assigned int64  `msgpack:"a"`
	Started  int64  `msgpack:"s,omitempty"`
	Ended    int64  `msgpack:"e,omitempty"`
	Exit     Exit   `msgpack:"x"`
	Usage    Usage  `msgpack:"u"`
	Enforced string `msgpack:"E,omitempty"` // sandbox mechanisms in force, as the worker names them
	Output   Output `msgpack:"o"`
	Live     *Live  `msgpack:"v,omitempty"` // while it runs and its worker tells; never stored
}

// ExitCode is the code with which the attempt ended, and whether that is known:
// an attempt that did not start, or whose end nobody saw, has none.
func (a *Attempt) ExitCode() (code int32, known bool) {
	if !a.Exit.HasCode() || a.Exit.Reason == ReasonCancelled && a.Started == 0 {
		return 0, false
	}
	return a.Exit.Code, true
}

// HasCode reports whether an attempt that ended so has an exit code at all.
func (x *Exit) HasCode() bool {
	switch x.Reason {
	case "", ReasonNodeLost, ReasonDeclined, ReasonPoison:
		return false
	}
	return true
}

// Live is what an attempt uses at this moment, as its worker says.
type Live struct {
	CPUPercent float32 `msgpack:"c"` // of one CPU
	MemoryMB   int64   `msgpack:"m"`
}

// Task is a task as it stands: what was asked, where it is, what happened.
type Task struct {
	ID         ID        `msgpack:"i"`
	Spec       Spec      `msgpack:"p"`
	Key        string    `msgpack:"k,omitempty"` // idempotency key, if the submitter gave one
	By         Principal `msgpack:"b,omitempty"`
	State      State     `msgpack:"s"`
	Submitted  int64     `msgpack:"S"`           // Unix ms, dispatcher's clock
	NotBefore  int64     `msgpack:"B,omitempty"` // Unix ms; set in Retry
	Finished   int64     `msgpack:"F,omitempty"` // Unix ms; set when terminal
	Cancelling bool      `msgpack:"c,omitempty"` // cancel was accepted, the kill is not proved yet
	Attempts   []Attempt `msgpack:"a,omitempty"` // oldest first; the last is the current one while Holds
}

// Last is the newest attempt, or nil if there was none.
func (t *Task) Last() *Attempt {
	if len(t.Attempts) == 0 {
		return nil
	}
	return &t.Attempts[len(t.Attempts)-1]
}
