package exec

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

// process is one command that runs. It costs no goroutine of its own: the one
// that calls Wait reads the output. Goroutines exist only while a command is
// being stopped or fed.
type process struct {
	r       *Runner
	spec    *Spec
	pid     int
	pidfd   int
	label   uint64    // 0 if it could not be given one
	fds     [3]int    // our ends: unused, stdout, stderr
	held    [3]int    // the command's ends of the same, which pump keeps open
	inodes  [3]uint64 // of the pipes, as /proc names them
	dirs    *workDirs
	home    workDir
	given   int    // the directory given, open until the start; -1 if none is
	opening string // what lets it go from the gate, if it waits at one
	cell    *cell  // where it runs, nil if in none
	cage    *cage  // likewise
	full    bool   // its home in memory was full at the end
	// dirBefore is what a directory given took on disk before, if that is limited.
	dirBefore int64
	started   time.Time

	stdin   *os.File // our end, when a goroutine feeds it
	fed     bool     // one does
	helpers sync.WaitGroup

	group    *account.Group // what keeps its limits, nil if none does
	over     chan struct{}  // closed at the end, when somebody watches
	timer    *time.Timer
	stopCtx  func() bool
	sweeping sync.Mutex // one sweep of this command at a time

	mu       sync.Mutex
	gone     bool          // the main process has been reaped
	reason   Reason        // why it was stopped, or empty
	message  string        // which limit it exceeded
	deadline time.Time     // when stopping turns hard
	hard     bool          // it did
	nudge    chan struct{} // tells the stopper of a new deadline or the end
	swept    int
	largest  int64 // memory of the largest process as far as it was looked at
	counters int   // an open file, or -1
	written  int64 // bytes written by the main process and those it collected
}

var _ Run = (*process)(nil)

// arm sets what may end the command early.
func (p *process) arm(ctx context.Context) {
	if p.stdin != nil {
		p.fed = true
		p.helpers.Add(1)
		go p.feed()
	}
	if p.group != nil || !p.spec.Limits.watched(p.group).IsZero() {
		p.over = make(chan struct{})
		p.helpers.Add(1)
		go p.watch(p.over)
	}
	if p.spec.Timeout > 0 {
		p.timer = time.AfterFunc(p.spec.Timeout, func() { p.stop(ReasonTimeout, 0) })
	}
	if ctx.Done() != nil {
		p.stopCtx = context.AfterFunc(ctx, func() { p.stop(ReasonCancelled, 0) })
	}
}

// feed carries Spec.Stdin to the command until either ends.
func (p *process) feed() {
	defer p.helpers.Done()
	_, _ = io.Copy(p.stdin, struct{ io.Reader }{p.spec.Stdin})
	_ = p.stdin.Close()
}

// PID is the process id of the main process.
func (p *process) PID() int { return p.pid }

// Wait reads the output until the command is over and cleared away.
func (p *process) Wait() Result {
	p.pump()
	p.letGo()
	status, usage := p.reap()
	if p.cage != nil {
		status, usage = p.hearEnd(status, usage)
	}
	p.disarm()
	survivors := p.clear()
	p.drain()
	p.r.forgetLive(p)
	p.helpers.Wait()
	res := p.result(status, usage)
	res.Enforced = p.enforced()
	res.Survivors = survivors
	if len(survivors) > 0 {
		res.Reason = ReasonUnkillable
		res.Remaining = remaining(survivors)
		res.Message = fmt.Sprintf("%d of its processes could not be killed: %v", len(survivors), survivors)
	}
	p.explainGroup(&res)
	p.explainFull(&res)
	p.explainDisk(&res)
	p.spec.Limits.explainCPU(&res)
	if p.group != nil {
		if err := p.group.Close(); err != nil {
			p.r.log.Warn("a control group could not be removed", "error", err)
		}
	}
	p.finishDir(&res)
	return res
}

// reap collects the main process. It blocks until that has ended.
func (p *process) reap() (syscall.WaitStatus, syscall.Rusage) {
	// Wait without collecting first: while the id is ours nobody else can get
	// it, so stop may signal it under the lock.
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	var status syscall.WaitStatus
	var usage syscall.Rusage
	if p.counters < 0 && p.cage == nil {
		p.counters = account.OpenCounters(p.pid) // root may still do so
	}
	written := account.ReadWritten(p.counters)
	p.counters = -1
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written = written
	for {
		_, err := syscall.Wait4(p.pid, &status, 0, &usage)
		if err != syscall.EINTR {
			break
		}
	}
	p.gone = true
	if p.cage != nil {
		p.cage.gone = true
	}
	if p.nudge != nil {
		close(p.nudge)
		p.nudge = nil
	}
	return status, usage
}

// disarm stops what could have ended the command early.
func (p *process) disarm() {
	if p.over != nil {
		close(p.over)
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.stopCtx != nil {
		p.stopCtx()
	}
	if p.stdin != nil {
		_ = p.stdin.Close()
	}
	p.spec.CloseStdin()
}

// closeFiles closes our ends of the pipes and the handle of the process.
func (p *process) closeFiles() {
	p.letGo()
	for i, fd := range p.fds {
		if fd >= 0 {
			unix.Close(fd)
			p.fds[i] = -1
		}
	}
	if p.pidfd >= 0 {
		unix.Close(p.pidfd)
		p.pidfd = -1
	}
	if !p.fed && p.stdin != nil {
		_ = p.stdin.Close()
	}
}

// finishDir gives the directory back or leaves it where it is.
func (p *process) finishDir(res *Result) {
	res.Dir = p.spec.Dir
	if p.spec.Keep && p.spec.Dir == "" {
		res.Dir = p.home.work()
		if p.cage != nil {
			p.cage.discard()
		}
		return
	}
	p.vacate(len(res.Survivors) == 0)
}

// enforced names what contained and limited the command.
func (p *process) enforced() string {
	names := p.r.caps.Levels[p.spec.Level].Mechanisms
	l, caps := p.spec.Limits, p.r.caps
	disk := caps.Disk
	if p.tmpfs() > 0 {
		disk = "rlimit,tmpfs"
	}
	for _, v := range []struct {
		asked    bool
		name, by string
	}{
		{l.MemoryBytes > 0, "memory", caps.Memory},
		{l.CPUTime > 0, "cpu", caps.CPU},
		{l.DiskBytes > 0, "disk", disk},
		{l.OpenFiles > 0, "files", caps.OpenFiles},
		{l.Processes > 0, "processes", caps.Processes},
	} {
		if v.asked {
			names += "," + v.name + "=" + strings.ReplaceAll(v.by, ",", "+")
		}
	}
	return names
}

// result puts into words how the main process ended.
func (p *process) result(status syscall.WaitStatus, usage syscall.Rusage) Result {
	res := Result{
		Reason: ReasonExit, Code: status.ExitStatus(),
		Started: p.started, Ended: time.Now(),
		CPU: time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
	}
	if status.Signaled() {
		sig := status.Signal()
		res.Signal, res.Code, res.Reason = int(sig), 128+int(sig), ReasonSignal
		res.Message = fmt.Sprintf("ended by %s", signalName(sig))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	res.Swept, res.BytesWritten = p.swept, p.written
	res.MaxRSS = p.peakMemory(int64(usage.Maxrss) * 1024) //nolint:unconvert // narrower on 32-bit processors
	switch {
	case p.reason == "":
		p.spec.Limits.explainSignal(&res)
		return res
	case p.message != "": // a limit that was seen to be passed, perhaps just as the command ended
		res.Reason, res.Message = p.reason, p.message
		if res.Code == 0 {
			res.Code = codeOfLimit
		}
		return res
	}
	res.Reason = p.reason
	res.Message = stopMessage(p.reason, p.spec, p.hard, res.Signal != 0, p.swept)
	return res
}

// signalName gives the name people know, such as SIGKILL.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}
