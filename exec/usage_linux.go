package exec

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// usageAge is how old the figures of Usage may be. However many commands run
// and are asked for, the process table is read no more often than this.
const usageAge = 500 * time.Millisecond

// use is what all processes of a command use at one moment.
type use struct {
	cpu       time.Duration
	memory    int64
	largest   int64 // memory of the largest process
	processes int   // and threads
	disk      int64
}

// clockTicks is how /proc counts processor time, a hundredth of a second on
// every Linux.
const clockTicks = 100

// uses are all commands at one moment.
type uses struct {
	at time.Time
	of map[*process]use
}

// useOf adds up the processes of a command, from a look at the process table
// that all commands share and that is at most age old. A command younger than
// that look uses nothing.
func (r *Runner) useOf(p *process, age time.Duration) use {
	r.recentMu.Lock()
	defer r.recentMu.Unlock()
	if time.Since(r.recent.at) > age {
		r.recent = r.countAll()
	}
	return r.recent.of[p]
}

// countAll reads the process table once and adds up every live command. Who
// shows no owner is counted for none.
func (r *Runner) countAll() uses {
	t := r.readTable()
	own := owners{r: r, sure: true, seen: t.seen, live: r.liveNow(), known: make(map[int]verdict)}
	all := uses{at: t.at, of: make(map[*process]use, len(own.live))}
	page := int64(os.Getpagesize())
	for _, pid := range t.order {
		if own.of(pid) != others || own.owner[pid] == nil || own.owner[pid].cage != nil && own.owner[pid].pid == pid {
			continue
		}
		p, s := own.owner[pid], t.seen[pid]
		u := all.of[p]
		u.cpu += time.Duration(s.ticks) * time.Second / clockTicks
		if !s.dead() {
			memory := int64(s.pages) * page
			u.memory += memory
			u.largest = max(u.largest, memory)
			u.processes += s.threads
		}
		all.of[p] = u
	}
	for p, u := range all.of {
		p.mu.Lock()
		p.largest = max(p.largest, u.largest)
		p.mu.Unlock()
	}
	return all
}

// Usage says what the command uses now.
func (p *process) Usage() Usage {
	p.mu.Lock()
	gone := p.gone
	p.mu.Unlock()
	if gone {
		return Usage{}
	}
	u := p.r.useOf(p, usageAge)
	return Usage{CPU: u.cpu, MemoryBytes: u.memory, Processes: u.processes}
}

// peakMemory is the most memory the largest process had, 0 if that is not
// known. A process that is started shares our memory until it executes its
// program, and the kernel counts that in: a figure is its own only if it is
// larger than ours.
func (p *process) peakMemory(kernel int64) int64 {
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) == nil && kernel > int64(own.Maxrss)*1024 { //nolint:unconvert // narrower on 32-bit processors
		return kernel
	}
	return p.largest
}
