package exec

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

// Files and processor seconds of each single process are limited by the
// kernel, from before the command's first instruction: it waits at a gate until
// the limits are set. What all processes together use is looked at again and
// again, at most pollMax apart, and the command killed when it is too much.
const (
	pollMin = 20 * time.Millisecond
	pollMax = 250 * time.Millisecond
)

// needsGate reports whether something has to be set before a command runs.
func (l Limits) needsGate(groups *account.Groups) bool {
	return l.OpenFiles > 0 || l.DiskBytes > 0 || l.CPUTime > 0 || groups.Keep(l.forGroup())
}

// forGroup are the limits that a control group can keep.
func (l Limits) forGroup() account.Limits {
	return account.Limits{MemoryBytes: l.MemoryBytes, Processes: l.Processes, CPUTime: l.CPUTime}
}

// watched are the limits that have to be looked at while a command runs.
func (l Limits) watched(g *account.Group) Limits {
	l.OpenFiles = 0
	if g != nil && g.Keeps(account.MemoryLimit) {
		l.MemoryBytes = 0
	}
	if g != nil && g.Keeps(account.ProcessLimit) {
		l.Processes = 0
	}
	return l
}

// rlimit is one limit the kernel keeps for a process.
type rlimit struct {
	what       int
	flag       byte // as the shell's ulimit names it
	unit       uint64
	soft, hard uint64
}

// rlimits are what the kernel is told of each process.
func (l Limits) rlimits() []rlimit {
	all := []rlimit{{unix.RLIMIT_CORE, 'c', 512, 0, 0}}
	if n := uint64(l.OpenFiles); n > 0 {
		n = min(n, hardOpenFiles())
		all = append(all, rlimit{unix.RLIMIT_NOFILE, 'n', 1, n, n})
	}
	if n := uint64(l.DiskBytes); n > 0 {
		all = append(all, rlimit{unix.RLIMIT_FSIZE, 'f', 512, n, n})
	}
	if l.CPUTime > 0 {
		// The first second too many is told by SIGXCPU, the next one kills.
		n := uint64((l.CPUTime + time.Second - 1) / time.Second)
		all = append(all, rlimit{unix.RLIMIT_CPU, 't', 1, n, n + 1})
	}
	return all
}

// hardOpenFiles is how many files a process of ours may have open: only root
// may allow more.
func hardOpenFiles() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return maxOpenFiles
	}
	return l.Max
}

// ulimits are the commands by which a shell limits itself, for when we may not:
// root without CAP_SYS_RESOURCE cannot limit another user's process.
func (l Limits) ulimits() string {
	var b strings.Builder
	for _, r := range l.rlimits() {
		fmt.Fprintf(&b, "ulimit -S -%c %d && ulimit -H -%c %d && ", r.flag, r.soft/r.unit, r.flag, r.hard/r.unit)
	}
	return b.String() + "echo >&3 && "
}

// limitsFirst is what the shell at the gate does before it waits: it limits itself
// where we may not.
func (r *Runner) limitsFirst(spec *Spec) string {
	if r.mayLimit(spec.Level) {
		return ""
	}
	return spec.Limits.ulimits()
}

// mayLimit reports whether we can limit commands of a level from outside.
func (r *Runner) mayLimit(l Level) bool {
	if r.userOf(l) == nil || r.levels[l].caged {
		return true // in a namespace that we made we may
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&hdr, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

// passGate sees to it that the waiting process is limited and lets it go.
func (p *process) passGate(gate int) error {
	pid := p.pid
	if p.cage != nil {
		var err error
		if pid, err = p.cage.child(); err != nil {
			return startError(ReasonRefused, "set a limit: %w", err)
		}
	}
	if limits := p.spec.Limits.forGroup(); p.r.groups.Keep(limits) {
		g, err := p.r.groups.Open(limits)
		if err != nil {
			return startError(ReasonRefused, "set a limit: %w", err)
		}
		p.group = g
		if err := g.Add(pid); err != nil {
			return startError(ReasonRefused, "set a limit: %w", err)
		}
	}
	if p.r.mayLimit(p.spec.Level) {
		for _, l := range p.spec.Limits.rlimits() {
			if err := unix.Prlimit(pid, l.what, &unix.Rlimit{Cur: l.soft, Max: l.hard}, nil); err != nil {
				return startError(ReasonRefused, "set a limit: %w", err)
			}
		}
	} else if err := p.limitedItself(gate); err != nil {
		return err
	}
	if err := held(p.spec); err != nil {
		return err
	}
	return p.open(gate)
}

// gateTime is how long a shell may take to limit itself.
const gateTime = 30 * time.Second

// limitedItself waits until the shell at the gate says that it has its limits.
func (p *process) limitedItself(gate int) error {
	fds := []unix.PollFd{{Fd: int32(gate), Events: unix.POLLIN}, {Fd: int32(p.pidfd), Events: unix.POLLIN}}
	for until := time.Now().Add(gateTime); ; {
		n, err := unix.Poll(fds, int(time.Until(until)/time.Millisecond))
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 {
			return startError(ReasonHost, "set a limit: the shell did not answer within %v", gateTime)
		}
		break
	}
	_ = unix.SetNonblock(gate, true)
	if n, _ := unix.Read(gate, make([]byte, 1)); n != 1 {
		return startError(ReasonRefused, "set a limit: the shell could not, and ended; the limits may be too small for one")
	}
	return nil
}

// abandon ends a process that never passed the gate.
func (p *process) abandon() {
	_ = unix.Kill(-p.pid, unix.SIGKILL)
	p.reap()
	p.r.forgetLive(p)
	if p.group != nil {
		_ = p.group.Close()
	}
}

// excess says which limit is exceeded, if any.
func (l Limits) excess(u use) (Reason, string) {
	switch {
	case l.MemoryBytes > 0 && u.memory > l.MemoryBytes:
		return ReasonLimitMemory, l.memoryMessage(u.memory)
	case l.CPUTime > 0 && u.cpu > l.CPUTime:
		return ReasonLimitCPU, l.cpuMessage(u.cpu)
	case l.Processes > 0 && u.processes > l.Processes:
		return ReasonLimitProcesses, fmt.Sprintf("had %d processes and threads, its limit being %d", u.processes, l.Processes)
	case l.DiskBytes > 0 && u.disk > l.DiskBytes:
		return ReasonLimitDisk, fmt.Sprintf("wrote %s, its limit being %s", size(u.disk), size(l.DiskBytes))
	}
	return "", ""
}

func (l Limits) memoryMessage(used int64) string {
	return fmt.Sprintf("used %s of memory, its limit being %s", size(used), size(l.MemoryBytes))
}

// explainGroup adds what the control group counted, and names its limit when
// that was hit and the command failed.
func (p *process) explainGroup(res *Result) {
	if p.group == nil {
		return
	}
	res.MaxRSS = max(res.MaxRSS, p.group.Peak())
	res.CPU = max(res.CPU, p.group.CPUTime())
	if res.Reason != ReasonExit && res.Reason != ReasonSignal || res.Code == 0 {
		return
	}
	switch p.group.Hit() {
	case account.MemoryLimit:
		res.Reason, res.Message = ReasonLimitMemory, p.spec.Limits.memoryMessage(p.group.Peak())
	case account.ProcessLimit:
		res.Reason = ReasonLimitProcesses
		res.Message = fmt.Sprintf("could not start another process, its limit being %d processes and threads", p.spec.Limits.Processes)
	}
}

// explainSignal names the limit when the kernel's signal for it ended the
// command. A shell passes the end of its last program on as an exit code.
func (l Limits) explainSignal(res *Result) {
	switch {
	case l.CPUTime > 0 && res.Code == 128+int(unix.SIGXCPU):
		res.Reason, res.Message = ReasonLimitCPU, l.cpuMessage(res.CPU)
	case l.DiskBytes > 0 && res.Code == 128+int(unix.SIGXFSZ):
		res.Reason, res.Message = ReasonLimitDisk, fmt.Sprintf("wrote a file of %[1]s and wanted more, its limit being %[1]s", size(l.DiskBytes))
	}
}

func (l Limits) cpuMessage(used time.Duration) string {
	return fmt.Sprintf("used %v of processor time, its limit being %v", used.Round(time.Millisecond), l.CPUTime)
}

// explainCPU names the limit on processor time when all that the command waited for
// passed it together, seen or not: the kernel limits each process by itself, and a
// shell that lost its children to that may end well.
func (l Limits) explainCPU(res *Result) {
	if l.CPUTime == 0 || res.CPU <= l.CPUTime || res.Reason != ReasonExit && res.Reason != ReasonSignal {
		return
	}
	res.Reason = ReasonLimitCPU
	res.Message = l.cpuMessage(res.CPU)
	if res.Code == 0 {
		res.Code = codeOfLimit
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// watch looks at what a command uses until it ends.
func (p *process) watch(ended <-chan struct{}) {
	defer p.helpers.Done()
	l := p.spec.Limits.watched(p.group)
	if p.tmpfs() > 0 {
		l.DiskBytes = 0
	}
	pause := pollMin
	for {
		at := time.Now()
		if p.group != nil && p.group.Hit() == account.MemoryLimit {
			// The kernel ended one process; without it the others are no use.
			p.stopFor(ReasonLimitMemory, p.spec.Limits.memoryMessage(p.group.Peak()), -1)
			return
		}
		var u use
		if !l.IsZero() {
			u = p.r.useOf(p, pollMax/4)
		}
		if p.group != nil {
			u.cpu = max(u.cpu, p.group.CPUTime())
		}
		if l.DiskBytes > 0 {
			disk := p.diskNow(ended)
			if disk.Deep {
				p.stopFor(ReasonLimitDisk, l.deepMessage(), -1)
				return
			}
			u.disk = disk.Bytes + p.unnamedUse()
		}
		if reason, message := l.excess(u); reason != "" {
			p.stopFor(reason, message, -1)
			return
		}
		// Looking takes at most a tenth of the time.
		timer := time.NewTimer(max(pause, 10*time.Since(at)))
		select {
		case <-timer.C:
		case <-ended:
			timer.Stop()
			return
		}
		pause = min(pause*3/2, pollMax)
	}
}
