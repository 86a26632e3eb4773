package exec

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How a leftover is told from everything else.
//
// Every command's main process leads a session of its own. No process can
// enter a session that exists, only found a new one. So a process in our own
// session is never a command's, and one in a command's session is that
// command's. What remains are those that founded a session themselves. One
// whose parents lead up to a process of the command is the command's. An
// orphan among them has this process as its parent: a stray. It is known by
// the cookie in its environment, by the directory it is in or by the pipe it
// writes to. One that has shed all of these belongs to the command that is
// left when all others are younger than it, and until there is such a one it
// stays.

// killWait is how long a killed process may take to disappear. One that waits
// for a device that never answers stays longer, and is reported.
const killWait = 5 * time.Second

// quickSpan is how long a command may have run for the fast check to be
// trusted: too short for process ids to have gone all the way round.
const quickSpan = 250 * time.Millisecond

// clear removes what the command left behind and names what could not be
// removed. For a command that left nothing it costs a few microseconds.
func (p *process) clear() (survivors []int) {
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
		time.Sleep(min(pause, left))
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
	return p.r.killAll(func() snapshot { return p.r.snapshot(p) }, p)
}

// sweepUnowned kills the strays that no live command can own.
func (r *Runner) sweepUnowned() {
	if left := r.killAll(func() snapshot { return r.snapshot(nil) }, nil); len(left) > 0 {
		r.log.Error("processes left by a command could not be killed", "pids", left)
	}
}

// killAll stops, kills and collects what look finds, until two looks find
// nothing, or what was killed will not go.
func (r *Runner) killAll(look func() snapshot, p *process) []int {
	pause := time.Millisecond
	deadline := time.Now().Add(killWait)
	known := make(map[int]bool)
	for empty := 0; ; {
		alive := r.killOnce(look)
		for _, pid := range alive {
			if !known[pid] {
				known[pid] = true
				deadline, pause = time.Now().Add(killWait), time.Millisecond
				if p != nil {
					p.countSwept(pid)
				}
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

// same reports whether the process is still the one that was seen.
func same(s procStat) bool {
	now, ok := readStat(s.pid)
	return ok && now.start == s.start
}

// snapshot is what one look at the process table finds.
type snapshot struct {
	members []procStat // of the command asked for, or owned by none
	strays  bool       // there are strays whose owner is not known yet
}

// snapshot looks for the processes of p, or with nil for strays that no live
// command can own. The caller holds forking.
func (r *Runner) snapshot(p *process) snapshot { return r.owned(p, r.readTable(), likely) }

// tableView is the process table at one moment, without our own session.
type tableView struct {
	at    time.Time
	seen  map[int]procStat
	order []int
}

// readTable reads the process table.
func (r *Runner) readTable() tableView {
	t := tableView{at: time.Now(), seen: make(map[int]procStat)}
	_ = r.table.all(func(pid int) bool {
		sid, err := unix.Getsid(pid)
		if err != nil || sid == r.sid || sid == 0 {
			return true
		}
		if s, ok := readStat(pid); ok {
			t.seen[pid] = s
			t.order = append(t.order, pid)
		}
		return true
	})
	return t
}

// recentTable is readTable for those who only count: many commands share one
// reading that is at most age old and younger than p.
func (r *Runner) recentTable(p *process, age time.Duration) tableView {
	r.recentMu.Lock()
	defer r.recentMu.Unlock()
	if time.Since(r.recent.at) > age || r.recent.at.Before(p.started) {
		r.recent = r.readTable()
	}
	return r.recent
}

// How certain it must be that a process belongs to a command.
const (
	sure   = true  // it shows it
	likely = false // or no other can own it
)

// owned picks the processes of p out of a table.
func (r *Runner) owned(p *process, t tableView, sure bool) snapshot {
	own := owners{r: r, p: p, sure: sure, seen: t.seen, live: r.liveNow(), known: make(map[int]verdict)}
	var snap snapshot
	for _, pid := range t.order {
		switch own.of(pid) {
		case mine:
			snap.members = append(snap.members, t.seen[pid])
		case unsure:
			snap.strays = true
		}
	}
	return snap
}

func (r *Runner) liveNow() map[int]*process {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := make(map[int]*process, len(r.live))
	for pid, p := range r.live {
		live[pid] = p
	}
	return live
}

// verdict is to whom a process belongs.
type verdict uint8

const (
	unasked verdict = iota
	others          // another command's, or no command's at all
	mine
	unsure // a stray that several commands may own
)

// owners decides about the processes of one look.
type owners struct {
	r     *Runner
	p     *process // nil: what no live command can own is mine
	sure  bool     // never decide by age
	seen  map[int]procStat
	live  map[int]*process
	known map[int]verdict
}

// of decides about one process, by its session, its parents and, for a stray,
// its marks.
func (o *owners) of(pid int) verdict {
	if v := o.known[pid]; v != unasked {
		return v
	}
	o.known[pid] = others // ends a circle, which a changing table may show
	v := o.decide(o.seen[pid])
	o.known[pid] = v
	return v
}

func (o *owners) decide(s procStat) verdict {
	if o.p != nil && s.sid == o.p.pid {
		return mine
	}
	if o.live[s.sid] != nil {
		return others
	}
	if s.ppid == o.r.self {
		return o.stray(s)
	}
	if _, ok := o.seen[s.ppid]; ok {
		return o.of(s.ppid)
	}
	return others
}

// stray decides about an orphan that leads a session or is in one whose
// founder is gone.
func (o *owners) stray(s procStat) verdict {
	if s.dead() {
		return o.eldest(s)
	}
	cookie := readCookie(s.pid)
	for _, q := range o.live {
		if cookie == q.spec.Cookie || q.marks(s.pid) {
			if q == o.p {
				return mine
			}
			return others
		}
	}
	return o.eldest(s)
}

// eldest decides by age: who is younger than a process cannot have started it.
func (o *owners) eldest(s procStat) verdict {
	if o.sure {
		return unsure
	}
	for _, q := range o.live {
		if q == o.p {
			continue
		}
		if main, ok := readStat(q.pid); !ok || main.start <= s.start {
			if s.dead() {
				return others
			}
			return unsure
		}
	}
	return mine
}

// marks reports whether a process is in the command's own directory or has one
// of its pipes as output.
func (p *process) marks(pid int) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	if cwd, err := os.Readlink(proc + "/cwd"); err == nil {
		cwd = strings.TrimSuffix(cwd, " (deleted)")
		if cwd == p.home.path || strings.HasPrefix(cwd, p.home.path+"/") {
			return true
		}
	}
	for _, fd := range []string{"/fd/1", "/fd/2", "/fd/0"} {
		if link, err := os.Readlink(proc + fd); err == nil && p.isPipe(link) {
			return true
		}
	}
	return false
}

// isPipe reports whether link, as /proc shows it, is one of the output pipes.
func (p *process) isPipe(link string) bool {
	for _, ino := range p.inodes {
		if ino != 0 && link == "pipe:["+strconv.FormatUint(ino, 10)+"]" {
			return true
		}
	}
	return false
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
