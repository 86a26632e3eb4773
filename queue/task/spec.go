package task

import "time"

// Limits on what one submit may carry.
const (
	MaxCommandBytes  = 256 << 10   // all arguments together
	MaxArgumentBytes = 128<<10 - 1 // one argument, a shell string, or one variable with its name; more no Linux gives to a program
	MaxInlineStdin   = 64 << 10    // more becomes a blob
	MaxStdin         = 64 << 20
	MaxEnv           = 512 // variables
	MaxEnvBytes      = 128 << 10
	MaxSecrets       = 32
	MaxSecretBytes   = 32 << 10 // of one secret, before it is sealed
	MaxTags          = 32
	MaxLabels        = 32
	MaxNameBytes     = 128
	MaxRetries       = 1000
	MaxBatch         = 1000 // tasks in one replicated command
)

// Priorities by name. Any number from 0 to 100 may be used; higher runs first.
const (
	PriorityLow      = 25
	PriorityNormal   = 50
	PriorityHigh     = 75
	PriorityCritical = 100
)

// Delivery says what happens to a task whose worker was lost.
type Delivery uint8

// AtLeastOnce (the zero value) runs again, so it may run twice. AtMostOnce
// never runs twice and becomes Lost when nobody can tell.
const (
	AtLeastOnce Delivery = iota
	AtMostOnce
)

// String is the word used in JSON and on the command line.
func (d Delivery) String() string {
	if d == AtMostOnce {
		return "at-most-once"
	}
	return "at-least-once"
}

// Backoff is how the delay between attempts grows.
type Backoff uint8

// BackoffExponential (the zero value) doubles the delay each time.
const (
	BackoffExponential Backoff = iota
	BackoffFixed
)

// String is the word used in JSON and on the command line.
func (b Backoff) String() string {
	if b == BackoffFixed {
		return "fixed"
	}
	return "exponential"
}

// Milli is a number of CPUs in thousandths: 1000 is one CPU.
type Milli int32

// Need is what a task wants from the node that runs it; it is a requirement
// for placement and, where a node can enforce it, a limit while it runs.
type Need struct {
	CPU      Milli             `msgpack:"c,omitempty"` // 0 means one CPU
	MemoryMB int64             `msgpack:"m,omitempty"` // MiB; 0 none asked
	DiskMB   int64             `msgpack:"d,omitempty"` // MiB; 0 none asked
	GPUs     int32             `msgpack:"g,omitempty"`
	Labels   map[string]string `msgpack:"l,omitempty"` // all must match
	On       string            `msgpack:"o,omitempty"` // a node's name or id; empty is any
	Sandbox  string            `msgpack:"s,omitempty"` // level asked for; empty is the node's default
	Limits   Limits            `msgpack:"L,omitempty"`
}

// CPUs is the CPU requirement with its default of one CPU applied.
func (n *Need) CPUs() Milli {
	if n.CPU <= 0 {
		return 1000
	}
	return n.CPU
}

// Spec is what a person asks for. It never changes after the submit was
// applied. Exactly one of Shell, Argv and Null is set.
type Spec struct {
	Shell string   `msgpack:"h,omitempty"` // given to the worker's shell
	Argv  []string `msgpack:"v,omitempty"` // executed directly, no shell
	Null  bool     `msgpack:"z,omitempty"` // no process at all; for measuring

	Name     string            `msgpack:"n,omitempty"`
	Tags     []string          `msgpack:"t,omitempty"`
	Dir      string            `msgpack:"w,omitempty"` // must exist on the worker; empty is a new empty directory
	Env      map[string]string `msgpack:"e,omitempty"`
	Secrets  map[string][]byte `msgpack:"S,omitempty"` // variables, sealed; in what faces see only their names
	Stdin    []byte            `msgpack:"i,omitempty"` // at most MaxInlineStdin
	StdinRef string            `msgpack:"I,omitempty"` // blob that holds a larger stdin: "sha256-hex:size"

	Timeout  time.Duration `msgpack:"o,omitempty"` // wall clock; 0 is the dispatcher's default, negative none
	Grace    time.Duration `msgpack:"G,omitempty"` // between TERM and KILL; 0 is the worker's default
	Retries  int32         `msgpack:"r,omitempty"` // further attempts after an attempt that failed
	Backoff  Backoff       `msgpack:"b,omitempty"`
	RetryOn  []int32       `msgpack:"R,omitempty"` // exit codes worth a retry; empty is all but 0
	Priority uint8         `msgpack:"p"`           // 0 to 100
	Delivery Delivery      `msgpack:"d,omitempty"`
	Need     Need          `msgpack:"N,omitempty"`
	Keep     bool          `msgpack:"k,omitempty"` // keep the work directory after the end

	RetryOf ID `msgpack:"f,omitempty"` // the finished task that this one runs again
}

// Principal says on whose behalf something is done: "user:UID@NODEID",
// "token:NAME" or "node:NODEID". It is decided by who authenticated the
// caller, never by the caller.
type Principal string
