package exec

import (
	"time"

	"golang.org/x/sys/unix"
)

// killWait is how long a killed process may take to disappear. One that waits
// for a device that never answers stays longer, and is reported.
const killWait = 5 * time.Second

// quickSpan is how long a command may have run for the fast check to be
// trusted: too short for process ids to have gone all the way round.
const quickSpan = 250 * time.Millisecond

// clear removes what the command left behind and names what could not be
// removed. For a command that left nothing it costs a few microseconds.
func (p *process) clear() (survivors []int) {
	if p.cage != nil {
		return nil // the kernel let its first process go when all others were gone
	}
	if p.quickClean() {
		return nil
	}
	p.waitPolitely()
	return p.sweep()
}

// quickClean reports whether the command certainly left nothing.
func (p *process) quickClean() bool {
	if time.Since(p.started) > quickSpan {
		return false
	}
	clean := true
	complete := p.r.table.since(p.pid, func(pid int) bool {
		clean = !p.r.suspect(p, pid)
		return clean
	})
	return clean && complete
}

// suspect reports whether pid might be a leftover of p.
func (r *Runner) suspect(p *process, pid int) bool {
	sid, err := unix.Getsid(pid)
	switch {
	case err != nil || sid == r.sid || sid == 0:
		return false
	case sid == p.pid:
		return true
	case r.isLive(sid):
		return false
	}
	s, ok := readStat(pid)
	for ok && s.ppid > 1 && s.ppid != r.self {
		s, ok = readStat(s.ppid)
	}
	if !ok || s.ppid != r.self || s.sid == r.sid {
		return false
	}
	if r.isNewborn(s) || r.isLive(s.pid) {
		return false
	}
	if r.births.Load() > 0 {
		// While the kernel replaces its program a newborn shows neither mark.
		// Let the births in progress end and look again.
		r.forking.Lock()
		defer r.forking.Unlock()
	}
	if r.isLive(s.pid) {
		return false
	}
	// It may have been another command's main process that is collected by now.
	_, err = unix.Getsid(s.pid)
	return err == nil
}

// isNewborn reports whether a child of ours is a main process that is not
// listed yet. Until it executes its program it shares our memory, and so has
// its arguments where we have ours, at an address chosen by chance; from then
// on it has the cookie of a command being started.
func (r *Runner) isNewborn(s procStat) bool {
	if s.args != 0 && s.args == r.args {
		return true
	}
	if r.births.Load() == 0 {
		return false
	}
	cookie := readCookie(s.pid)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.starting[cookie]
}

// isLive reports whether pid is the main process, and so the session, of a
// command that has not been cleared away.
func (r *Runner) isLive(pid int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live[pid] != nil
}

// forgetLive strikes p off. The last command that could own a stray takes it
// along.
func (r *Runner) forgetLive(p *process) {
	r.mu.Lock()
	delete(r.live, p.pid)
	strays := r.strays
	r.mu.Unlock()
	if strays {
		r.sweepUnowned()
	}
}

// waitPolitely lets a command that is being stopped use the rest of its grace
// when its main process ended first.
func (p *process) waitPolitely() {
	pause := time.Millisecond
	for {
		p.mu.Lock()
		stopping, deadline, hard := p.reason != "", p.deadline, p.hard
		p.mu.Unlock()
		if !stopping || hard || !p.r.anyLeft(p) {
			return
		}
		left := time.Until(deadline)
		if left <= 0 {
			p.mu.Lock()
			p.hard = true
			p.mu.Unlock()
			return
		}
		p.listen(min(pause, left))
		pause = min(2*pause, 50*time.Millisecond)
	}
}

// anyLeft reports whether a living process of p is there.
func (r *Runner) anyLeft(p *process) bool {
	r.forking.Lock()
	defer r.forking.Unlock()
	for _, s := range r.snapshot(p).members {
		if !s.dead() {
			return true
		}
	}
	return false
}

// sweep kills everything of p until two looks in a row find nothing.
func (p *process) sweep() (survivors []int) {
	p.sweeping.Lock()
	defer p.sweeping.Unlock()
	return p.r.killAll(func() snapshot { return p.r.snapshot(p) }, p.countSwept)
}

// sweepUnowned kills the strays that no live command can own.
func (r *Runner) sweepUnowned() {
	if left := r.killAll(func() snapshot { return r.snapshot(nil) }, func(int) {}); len(left) > 0 {
		r.log.Error("processes left by a command could not be killed", "pids", left)
	}
}

// killAll stops, kills and collects what look finds, until two looks find
// nothing, or what was killed will not go. It calls found with each process once.
func (r *Runner) killAll(look func() snapshot, found func(pid int)) []int {
	pause := time.Millisecond
	deadline := time.Now().Add(killWait)
	known := make(map[int]bool)
	for empty := 0; ; {
		alive := r.killOnce(look)
		for _, pid := range alive {
			if !known[pid] {
				known[pid] = true
				deadline, pause = time.Now().Add(killWait), time.Millisecond
				found(pid)
			}
		}
		switch {
		case len(alive) == 0:
			if empty++; empty == 2 {
				return nil
			}
			continue
		case time.Now().After(deadline):
			return alive
		}
		empty = 0
		time.Sleep(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// countSwept counts a killed process other than the main one.
func (p *process) countSwept(pid int) {
	if pid == p.pid {
		return
	}
	p.mu.Lock()
	p.swept++
	p.mu.Unlock()
}

// killOnce takes one look, stops all it finds so that they cannot multiply,
// kills them, and collects the dead that have become our children. It returns
// what it found alive. No command is born meanwhile.
func (r *Runner) killOnce(look func() snapshot) (alive []int) {
	r.forking.Lock()
	defer r.forking.Unlock()
	snap := look()
	for _, s := range snap.members {
		if !s.dead() {
			_ = unix.Kill(s.pid, unix.SIGSTOP)
			alive = append(alive, s.pid)
		}
	}
	for _, s := range snap.members {
		if !s.dead() && same(s) {
			_ = unix.Kill(s.pid, unix.SIGKILL)
		}
	}
	for _, s := range snap.members {
		if s.ppid == r.self && !r.isLive(s.pid) {
			_, _ = unix.Wait4(s.pid, nil, unix.WNOHANG, nil)
		}
	}
	r.mu.Lock()
	r.strays = snap.strays
	r.mu.Unlock()
	return alive
}

// remaining remembers processes and tells which of them are still there.
func remaining(pids []int) func() []int {
	var seen []procStat
	for _, pid := range pids {
		if s, ok := readStat(pid); ok {
			seen = append(seen, s)
		}
	}
	return func() (left []int) {
		for _, s := range seen {
			if now, ok := readStat(s.pid); ok && now.start == s.start && !now.dead() {
				left = append(left, s.pid)
			}
		}
		return left
	}
}

// same reports whether the process is still the one that was seen.
func same(s procStat) bool {
	now, ok := readStat(s.pid)
	return ok && now.start == s.start
}

// reapStrays collects dead strays of long commands. At most one look is taken
// every reapEvery, whoever asks.
func (r *Runner) reapStrays() {
	now := time.Now().UnixNano()
	next := r.nextReap.Load()
	if now < next || !r.nextReap.CompareAndSwap(next, now+int64(reapEvery)) {
		return
	}
	r.forking.Lock()
	defer r.forking.Unlock()
	_ = r.table.all(func(pid int) bool {
		if sid, err := unix.Getsid(pid); err != nil || sid == r.sid || r.isLive(pid) {
			return true
		}
		if s, ok := readStat(pid); ok && s.dead() && s.ppid == r.self {
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		}
		return true
	})
}
