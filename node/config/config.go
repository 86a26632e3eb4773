// Package config is how a node is told what to be: one struct, filled from
// defaults, a file, the environment and flags, in that order of precedence,
// with a note of where each value came from. It knows nothing of a running node.
package config

import "time"

// Config is everything that can be set. A zero Config is not useful; Default
// is the start of every other one. Paths are as written, not made absolute.
type Config struct {
	// Who this node is.

	Name string // shown to people, unique in the cluster by suffix; empty is made from the host name
	ID   string // a label of the owner's own; the identity is the key's fingerprint

	// Networking.

	Port          int      // this node's UDP port; if it is taken and nobody asked for it, another is used
	Bind          []string // addresses or interface names; empty is all
	DiscoveryPort int      // UDP port of the probe that finds other nodes
	P2PEnabled    bool     // nodes may move data between each other without the dispatcher

	// Dispatcher connection.

	Dispatcher     string // HOST or HOST:PORT; empty finds it
	DispatcherPort int    // used when Dispatcher names no port; 0 is 7878

	// Worker management and task settings, on the dispatcher.

	MaxWorkers   int           // most workers admitted; 0 is no limit
	MaxQueueSize int           // most tasks that are not finished; more are refused
	TaskTimeout  time.Duration // for tasks that name none; 0 is none

	// Output of tasks.

	OutputQuota     int64 // MiB of output kept on this node, as dispatcher and as worker; the oldest makes room; 10 GiB
	TaskOutputQuota int64 // MiB of output kept of one attempt, its head and its end; 1 GiB

	// Resource declaration, on a worker.

	CPUCores     float64           // 0 is what this process may use
	Memory       int64             // MiB; 0 is what the machine has
	GPU          bool              // has GPUs; how many is found out or given by GPUs
	GPUs         int               // how many; 0 with GPU set is found out
	MaxJobs      int               // most tasks at once; 0 takes none, MaxJobsAuto is one a usable CPU
	Labels       map[string]string // beside os, arch and host
	SandboxLevel string            // floor for all tasks here: none, basic, strict, very-strict

	// Security.

	RequireAuth    bool   // REST asks for a token; false only on a loopback address
	Secret         string // signs REST tokens; seen by others in the list of processes
	SecretFile     string // file that holds it
	AllowRootTasks bool   // tasks at level none may run as root
	TaskUser       string // who contained tasks run as when the node is root; empty is nobody
	// AllowDir are folders that a task's --dir may name, or name something in, besides the
	// system's folders for temporary files. Absolute.
	AllowDir []string
	// AllowRead are files and folders in homes that tasks at level basic may read. Absolute.
	AllowRead []string

	// Running it.

	Headless     bool          // no screen; log lines
	API          string        // address of REST, or "off"
	NodeDir      string        // where this node keeps its state; empty takes a free slot
	DrainTimeout time.Duration // how long running tasks may go on after the first signal

	// Logging.

	Verbose   bool   // log level debug
	LogLevel  string // debug, info, warn, error
	LogFormat string // text or json
	LogFile   string // empty is standard error, or nowhere while a screen is open
}

// MaxJobsAuto is Config.MaxJobs when nobody set it: one task a usable CPU.
const MaxJobsAuto = -1

// The ports that nodes use unless told otherwise.
const (
	DefaultPort          = 7878
	DefaultDiscoveryPort = 5555
)

// LevelName is the log level in force: Verbose wins over LogLevel.
func (c *Config) LevelName() string {
	if c.Verbose {
		return "debug"
	}
	return c.LogLevel
}
