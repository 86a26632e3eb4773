package exec

import (
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
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
// orphan among them has this process as its parent: a stray. It is known by its
// label. One without is known by the cookie in its environment, by the directory
// it is in or by the pipe it writes to. One that has shed all of these belongs to
// the command that is left when all others are younger than it, and until there
// is such a one it stays.

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
	skip := r.foreign.known(r.table, t.at)
	_ = r.table.all(func(pid int) bool {
		sid, err := unix.Getsid(pid)
		if err != nil || sid == r.sid || sid == 0 || skip[sid] {
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
		case foreign:
			// A parent with a higher id was looked at after its child, and may
			// have ended in between: such a session is not remembered.
			if s := t.seen[pid]; s.ppid < pid {
				r.foreign.add(s.sid)
			}
		}
	}
	return snap
}

// foreignSessions are sessions that no command is in, so that a machine with
// many other processes is not read again and again. What is known is forgotten
// after a while, and when process ids start again from the bottom, since then
// a session of the same number may be another one.
type foreignSessions struct {
	mu   sync.Mutex
	sids map[int]bool
	from time.Time
	last int // the process id given out last when this began
}

// foreignFor is how long a foreign session is taken to be one.
const foreignFor = 5 * time.Second

// known returns the foreign sessions as of now. The map is not changed later.
func (f *foreignSessions) known(table *procTable, now time.Time) map[int]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, ok := table.last()
	if !ok || last < f.last || now.Sub(f.from) > foreignFor {
		f.sids, f.from, f.last = make(map[int]bool), now, last
	}
	if !ok {
		f.last = table.max // nothing is kept
	}
	return maps.Clone(f.sids)
}

func (f *foreignSessions) add(sid int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sids != nil {
		f.sids[sid] = true
	}
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
	others          // another command's
	foreign         // no command's
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
	owner map[int]*process // of others
}

// of decides about one process, by its session, its parents and, for a stray,
// its marks.
func (o *owners) of(pid int) verdict {
	if v := o.known[pid]; v != unasked {
		return v
	}
	o.known[pid] = unsure // ends a circle, which a changing table may show
	v := o.decide(o.seen[pid])
	o.known[pid] = v
	return v
}

func (o *owners) decide(s procStat) verdict {
	if o.p != nil && s.sid == o.p.pid {
		return mine
	}
	if q := o.live[s.sid]; q != nil {
		return o.belongs(s, q)
	}
	if s.ppid == o.r.self {
		return o.stray(s)
	}
	if _, ok := o.seen[s.ppid]; ok {
		v := o.of(s.ppid)
		if v == others {
			return o.belongs(s, o.owner[s.ppid])
		}
		return v
	}
	return foreign
}

// belongs notes that a process is of a live command.
func (o *owners) belongs(s procStat, q *process) verdict {
	if q == o.p {
		return mine
	}
	if o.owner == nil {
		o.owner = make(map[int]*process)
	}
	o.owner[s.pid] = q
	return others
}

// stray decides about an orphan that leads a session or is in one whose
// founder is gone.
func (o *owners) stray(s procStat) verdict {
	if s.dead() {
		return o.eldest(s)
	}
	if label := o.r.labels.of(s.pid); label != 0 {
		return o.labelled(s, label)
	}
	cookie := readCookie(s.pid)
	for _, q := range o.live {
		if q.indelible() {
			continue // it would have its label
		}
		if cookie == q.spec.Cookie || q.marks(s.pid) {
			return o.belongs(s, q)
		}
	}
	if !same(s) {
		// It has ended since, and may have been the main process of a command
		// that was cleared away meanwhile.
		return others
	}
	return o.eldest(s)
}

// labelled decides by the label. What a command left that was cleared away belongs
// to none, and is removed by the look that asks for that.
func (o *owners) labelled(s procStat, label uint64) verdict {
	for _, q := range o.live {
		if q.label == label {
			return o.belongs(s, q)
		}
	}
	if o.p == nil && !o.sure {
		return mine
	}
	return unsure
}

// indelible reports whether nothing of the command can lose its label.
func (p *process) indelible() bool { return p.label != 0 && p.spec.Level > None }

// eldest decides by age: who is younger than a process cannot have started it.
func (o *owners) eldest(s procStat) verdict {
	if o.sure {
		return unsure
	}
	for _, q := range o.live {
		if q == o.p || q.indelible() {
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
