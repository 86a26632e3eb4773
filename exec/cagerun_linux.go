package exec

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// launchCaged starts the main process of a command in its cage.
func (r *Runner) launchCaged(p *process, file string, argv []string, attr *syscall.ProcAttr) (int, error) {
	k := p.cage
	order := cageOrder{File: file, Argv: argv, Env: attr.Env, Dir: attr.Dir, Tmpfs: p.tmpfs()}
	if k.started() {
		order.Tmpfs = 0 // it is there from the first try
	}
	files := make([]int, len(attr.Files))
	for i, fd := range attr.Files {
		files[i] = int(fd)
	}
	p.pid, p.started = k.pid, time.Now()
	r.mu.Lock()
	r.live[p.pid] = p
	r.mu.Unlock()
	err := k.ask(order, files...)
	var errno syscall.Errno
	if err != nil {
		r.mu.Lock()
		delete(r.live, p.pid)
		r.mu.Unlock()
		if !errors.As(err, &errno) {
			err = startError(ReasonRefused, "sandbox level %s cannot be had here: %w", k.plan.Level, err)
		} else if _, serr := os.Stat(file); k.plan.Level > Basic && errno == syscall.ENOENT && serr == nil && !inView(file) && !below(file, p.dir()) {
			err = startError(ReasonNotFound, "run %s: no such program at sandbox level %s, which shows only %s and the command's own directory", argv[0], k.plan.Level, strings.Join(cageTrees[:3], ", "))
		}
		return 0, err
	}
	p.pidfd, k.pidfd = k.pidfd, -1
	_ = unix.SetsockoptTimeval(k.sock, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{})
	return p.pid, nil
}

// houseCaged finds a command a cage and the directory in it, a waiting one
// where that will do.
func (r *Runner) houseCaged(p *process, c *confinement) (err error) {
	p.dirs = c.dirs
	if p.spec.Dir == "" && !p.spec.Keep {
		p.cage, err = c.cages.take()
	} else {
		get := c.dirs.get
		if p.spec.Keep && p.spec.Dir == "" {
			get = c.dirs.kept
		}
		if p.home, err = get(); err != nil {
			return &StartError{Reason: ReasonHost, Code: 125, Err: err}
		}
		if p.cage, err = c.openCage(p.home, p.spec.Dir, p.given); err != nil {
			_ = c.dirs.put(p.home, false)
		}
	}
	if err != nil {
		return startError(ReasonRefused, "sandbox level %s cannot be had here: %w", c.level, err)
	}
	p.home = p.cage.home
	return nil
}

// started reports whether a cage has left our session, which it does with its
// first order.
func (k *cage) started() bool {
	sid, err := unix.Getsid(k.pid)
	return err == nil && sid == k.pid
}

// inView reports whether a path is to be seen in every cage.
func inView(path string) bool {
	for _, tree := range cageTrees {
		if below(path, tree) {
			return true
		}
	}
	return false
}

// inViews are those of some paths that are to be seen in every cage.
func inViews(paths []string) (in []string) {
	for _, p := range paths {
		if inView(p) {
			in = append(in, p)
		}
	}
	return in
}

// tmpfs is the size of a home in memory, for a disk limit kept exactly; 0 where
// the home is on disk: without such a limit, where what is written is to stay,
// or where it might take more than a quarter of the memory.
func (p *process) tmpfs() int64 {
	n := p.spec.Limits.DiskBytes
	if p.spec.Level != VeryStrict || n == 0 || p.spec.Keep || p.spec.Dir != "" {
		return 0
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil || uint64(n) > uint64(info.Totalram)*uint64(info.Unit)/4 { //nolint:unconvert // narrower on 32-bit processors
		return 0
	}
	return n
}

// hearEnd takes from the cage how the main process in it ended. A cage that
// was killed tells nothing, and its own end is the command's.
func (p *process) hearEnd(status syscall.WaitStatus, usage syscall.Rusage) (syscall.WaitStatus, syscall.Rusage) {
	report, ok := p.cage.report()
	if !ok {
		return status, usage
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written, p.largest, p.full = report.Written, max(p.largest, report.MaxRSS), report.Full
	p.swept = max(p.swept, report.Swept)
	return syscall.WaitStatus(report.Status), syscall.Rusage{Utime: syscall.NsecToTimeval(report.CPU)}
}

// explainFull names the disk limit when the command failed with its directory
// in memory full.
func (p *process) explainFull(res *Result) {
	if p.full && res.Reason == ReasonExit && res.Code != 0 {
		res.Reason = ReasonLimitDisk
		res.Message = fmt.Sprintf("filled its directory, its limit being %s", size(p.spec.Limits.DiskBytes))
	}
}
