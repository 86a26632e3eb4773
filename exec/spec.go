package exec

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Stream names one of the two output streams of a command.
type Stream uint8

const (
	Stdout Stream = 1
	Stderr Stream = 2
)

// String returns "stdout" or "stderr".
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// DefaultGrace is how long a command may take to end after it was asked to,
// when its Spec does not say.
const DefaultGrace = 5 * time.Second

// Limits bound what a command and everything it starts may use. Zero means no
// limit.
type Limits struct {
	// CPUTime is processor time, summed over all processes of the command.
	CPUTime time.Duration
	// MemoryBytes is resident memory, summed over all processes.
	MemoryBytes int64
	// DiskBytes is what the command may have written under its directory.
	DiskBytes int64
	// OpenFiles is the number of open files of each single process.
	OpenFiles int
	// Processes is how many processes and threads may exist at once.
	Processes int
}

// IsZero reports whether nothing is limited.
func (l Limits) IsZero() bool { return l == Limits{} }

// Spec describes one command. A Runner does not change it and does not keep it
// after Wait.
type Spec struct {
	// Exactly one of Shell, Argv and Null is set.

	// Shell is a command line for the system's shell: sh -c, on Windows cmd /C.
	Shell string
	// Argv is a program and its arguments, run without a shell. A name without
	// a slash is looked up in the PATH the command gets.
	Argv []string
	// Null runs no process at all and succeeds at once.
	Null bool

	// Dir is the working directory, which must exist. Empty means a new, empty
	// directory of the command's own, removed at the end unless Keep.
	Dir  string
	Keep bool

	// Env holds NAME=value pairs, added to the minimal environment that the
	// Runner builds from nothing. Later pairs win.
	Env []string
	// Stdin is read to its end by the command; nil is empty input. A regular
	// file is handed to the command as it is. An io.Closer is closed when the
	// command ends, so that a blocked Read returns, and when it does not start.
	Stdin io.Reader

	// Timeout is the longest the command may run, from start to exit; zero is
	// no limit. Grace is how long it has between the polite and the hard
	// signal; zero is DefaultGrace, negative none.
	Timeout time.Duration
	Grace   time.Duration

	Limits Limits
	Level  Level

	// Cookie is unique to this attempt. The command sees it as OCTASKLY_COOKIE,
	// and what it leaves behind is found by it. Empty: the Runner makes one.
	Cookie string

	// Output receives what the command writes, in the order it was read, from
	// one goroutine at a time, and for the last time before Wait returns. p is
	// valid only during the call. A call that blocks holds the command back.
	// Nil discards all output.
	Output func(s Stream, p []byte)

	// BeforeStart is called when everything that can be checked has been, and
	// before the first instruction of the command. When it fails, nothing runs
	// and Start returns the error. When Start fails after it, nothing ran either.
	BeforeStart func() error
}

// CloseStdin closes Stdin if it can be closed. It is for those who implement
// Starter.
func (s *Spec) CloseStdin() {
	if c, ok := s.Stdin.(io.Closer); ok {
		_ = c.Close()
	}
}

// Check says what is wrong with the spec itself. Start does it before anything
// is touched.
func (s *Spec) Check() error {
	forms := 0
	if s.Shell != "" {
		forms++
	}
	if len(s.Argv) > 0 {
		forms++
	}
	if s.Null {
		forms++
	}
	switch {
	case forms == 0:
		return fmt.Errorf("nothing to run: give a command line or a program with its arguments")
	case forms > 1:
		return fmt.Errorf("give either a command line or a program with its arguments, not both")
	case len(s.Argv) > 0 && s.Argv[0] == "":
		return fmt.Errorf("the program to run has an empty name")
	case strings.ContainsRune(s.Shell, 0):
		return fmt.Errorf("the command line contains a NUL byte")
	case !s.Level.Valid():
		return fmt.Errorf("sandbox level %d does not exist", uint8(s.Level))
	case s.Timeout < 0:
		return fmt.Errorf("the timeout %v is negative", s.Timeout)
	}
	for i, a := range s.Argv {
		if strings.IndexByte(a, 0) >= 0 {
			return fmt.Errorf("argument %d contains a NUL byte", i)
		}
	}
	for _, kv := range s.Env {
		if i := strings.IndexByte(kv, '='); i <= 0 || strings.IndexByte(kv, 0) >= 0 {
			return fmt.Errorf("environment entry %q is not of the form NAME=value", kv)
		}
	}
	return s.Limits.check()
}

// Beyond these a limit is a mistake, or more than a kernel takes.
const (
	maxCPUTime   = 100 * 365 * 24 * time.Hour
	maxBytes     = 1 << 60
	maxOpenFiles = 1 << 20
	maxProcesses = 4 << 20
)

// check says which limit makes no sense.
func (l Limits) check() error {
	switch {
	case l.CPUTime < 0:
		return fmt.Errorf("the CPU time limit %v is negative", l.CPUTime)
	case l.MemoryBytes < 0:
		return fmt.Errorf("the memory limit %d is negative", l.MemoryBytes)
	case l.DiskBytes < 0:
		return fmt.Errorf("the disk limit %d is negative", l.DiskBytes)
	case l.OpenFiles < 0:
		return fmt.Errorf("the open files limit %d is negative", l.OpenFiles)
	case l.OpenFiles > 0 && l.OpenFiles < 16:
		return fmt.Errorf("the open files limit %d is too small: no shell does its work with fewer than 16", l.OpenFiles)
	case l.Processes < 0:
		return fmt.Errorf("the process limit %d is negative", l.Processes)
	case l.CPUTime > maxCPUTime:
		return fmt.Errorf("the CPU time limit %v is too large: the most that can be counted is %v; leave it out for no limit", l.CPUTime, maxCPUTime)
	case l.MemoryBytes > maxBytes:
		return fmt.Errorf("the memory limit of %d bytes is too large: no machine has that much; leave it out for no limit", l.MemoryBytes)
	case l.DiskBytes > maxBytes:
		return fmt.Errorf("the disk limit of %d bytes is too large: no machine has that much; leave it out for no limit", l.DiskBytes)
	case l.OpenFiles > maxOpenFiles:
		return fmt.Errorf("the open files limit %d is too large: a kernel allows %d; leave it out for no limit", l.OpenFiles, maxOpenFiles)
	case l.Processes > maxProcesses:
		return fmt.Errorf("the process limit %d is too large: a machine has at most %d; leave it out for no limit", l.Processes, maxProcesses)
	case l.MemoryBytes > 0 && l.MemoryBytes < 1<<20:
		return fmt.Errorf("the memory limit of %d bytes is too small: no program starts with less than 1 MiB", l.MemoryBytes)
	}
	return nil
}

// Reason says in one word how a command ended, or why it did not start.
type Reason string

const (
	// How a command ended.

	ReasonExit       Reason = "exit"       // by itself; Code says how
	ReasonSignal     Reason = "signal"     // by a signal that we did not send
	ReasonTimeout    Reason = "timeout"    // it ran longer than Spec.Timeout
	ReasonCancelled  Reason = "cancelled"  // Cancel was called or the context ended
	ReasonUnkillable Reason = "unkillable" // something of it still lives; see Survivors

	ReasonLimitMemory    Reason = "limit:memory"
	ReasonLimitCPU       Reason = "limit:cpu"
	ReasonLimitDisk      Reason = "limit:disk"
	ReasonLimitFiles     Reason = "limit:files"
	ReasonLimitProcesses Reason = "limit:processes"

	// Why it did not start: found in a StartError.

	ReasonInvalid       Reason = "invalid"        // the spec makes no sense
	ReasonNotFound      Reason = "not_found"      // exit code 127
	ReasonNotExecutable Reason = "not_executable" // exit code 126
	ReasonBadDir        Reason = "bad_dir"        // the working directory
	ReasonRefused       Reason = "refused"        // a level or limit not to be had here
	ReasonHost          Reason = "host"           // this machine could not, another may
	ReasonHeld          Reason = "held"           // BeforeStart said no
)

// Result is how a command ended.
type Result struct {
	// Code is the exit code, 128+n when signal n ended it.
	Code   int
	Signal int
	Reason Reason
	// Message is a sentence for a person; empty for an ordinary exit.
	Message string

	// Dir is the working directory it had, if it was kept or given.
	Dir            string
	Started, Ended time.Time
	// CPU is user and system time of the main process and of all children it
	// waited for; of the whole tree where a cgroup counts.
	CPU time.Duration
	// MaxRSS is the peak resident memory in bytes of the largest process; of
	// the whole tree where a cgroup counts. Zero means that it is not known: on
	// Linux the kernel tells it only of a command that needed more than this
	// process ever did, else the largest figure that Usage or a limit met counts.
	MaxRSS int64
	// BytesWritten is how many bytes the main process and all children it
	// waited for handed to the kernel to be written: into files, as output and
	// into pipes among themselves, but not through mapped memory. Zero also
	// where the system does not count it.
	BytesWritten int64
	// Enforced names the mechanisms that contained it, such as
	// "pgroup,subreaper".
	Enforced string
	// Swept is how many processes it left behind that had to be killed.
	Swept int
	// Survivors are processes of it that could not be killed.
	Survivors []int
	// Remaining says which of the survivors are still there; nil without any.
	Remaining func() []int
}

// StartError says why nothing ran.
type StartError struct {
	Reason Reason
	// Code is the exit code a shell would give: 127, 126 or 125.
	Code int
	Err  error
}

func (e *StartError) Error() string { return e.Err.Error() }
func (e *StartError) Unwrap() error { return e.Err }

// Declined reports whether the cause lies with this machine, so that the
// command may succeed on another or later. Otherwise it fails everywhere.
func (e *StartError) Declined() bool {
	switch e.Reason {
	case ReasonRefused, ReasonHost, ReasonHeld:
		return true
	}
	return false
}

// startError builds a StartError with the code that belongs to the reason.
func startError(reason Reason, format string, args ...any) *StartError {
	code := 125
	switch reason {
	case ReasonNotFound:
		code = 127
	case ReasonNotExecutable:
		code = 126
	}
	return &StartError{Reason: reason, Code: code, Err: fmt.Errorf(format, args...)}
}

// Starter runs commands. *Runner is the real one; exectest has one that
// follows a script.
type Starter interface {
	// Start runs a command. The error is a *StartError and means that not one
	// instruction of it ran. When ctx ends, the command is cancelled with the
	// grace of its Spec.
	Start(ctx context.Context, spec Spec) (Run, error)
	// Capabilities says which levels are offered here and by what.
	Capabilities() Capabilities
	// SweepLeftovers kills what an earlier Runner, ended without warning, left
	// running: every process whose cookie begins with the prefix.
	SweepLeftovers(ctx context.Context, cookiePrefix string) (killed int, err error)
}

// Run is one started command. Wait must be called, exactly once: it is what
// reads the command's output.
type Run interface {
	// PID is the process id of the main process, 0 for a Null command.
	PID() int
	// Cancel asks the command to end, and ends it with all its descendants
	// after grace; zero means the grace of the Spec, negative none. It returns
	// at once and may be called again; the earliest deadline counts.
	Cancel(grace time.Duration)
	// Usage says what the command and all it started use now, or did up to half
	// a second ago; zero right after the start and after the end. All commands
	// of a Starter share one look at the process table, so that asking once a
	// second for each of a thousand costs little more than for one.
	Usage() Usage
	// Wait returns when the command has ended and no process of it lives; if
	// some could not be killed, the Result names them.
	Wait() Result
}

// Usage is what a command uses at one moment. Where nothing counts for a whole
// tree, memory shared by several processes is counted for each.
type Usage struct {
	CPU         time.Duration
	MemoryBytes int64
	Processes   int // and threads
}

// Capabilities says what can be contained on this machine.
type Capabilities struct {
	Levels [levelCount]LevelInfo
	// Memory, CPU, Disk, OpenFiles and Processes name what enforces each limit:
	// "cgroup2", "cgroup1", "rlimit", "poll", or "" when nothing does.
	Memory, CPU, Disk, OpenFiles, Processes string
	// Kill names what removes a process tree: "cgroup2", "subreaper", "pgroup",
	// "job".
	Kill string
}

// LevelInfo is what a machine can say of one level.
type LevelInfo struct {
	Level     Level
	Available bool
	// Mechanisms is what enforces it, such as "landlock:7,seccomp".
	Mechanisms string
	// Reason says why the level is absent, in words.
	Reason string
}

// Offers reports whether commands at level l can be run.
func (c Capabilities) Offers(l Level) bool { return l.Valid() && c.Levels[l].Available }
