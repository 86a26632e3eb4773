package worker

import (
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// phase is how far an attempt has come here.
type phase uint8

const (
	waiting phase = iota
	running
	ended // its result waits to be acknowledged
)

// attempt is one lease and what became of it. Its fields are guarded by the
// worker's mutex, but for out, which guards itself.
type attempt struct {
	wire.Lease
	Spec task.Spec
	w    *Worker

	state   phase
	claim   claim
	run     exec.Run
	started time.Time
	seen    sample // what it used; of the goroutine that sends heartbeats
	ended   time.Time
	expired bool // its lease ended here and it was killed for that
	drop    bool // nobody waits for its result
	told    bool // Started was sent, or needs no sending

	out       *output
	streaming bool // an output stream is being sent now
	delivered bool // the dispatcher has all output, or wants none

	result     wire.Result
	sent       time.Time // when the result was last sent; zero is not on this link
	onDisk     bool
	saveFailed time.Time // when it could not be put on disk
	stopped    bool      // a stop was asked for
}

// claim is what an attempt takes of the node while it runs.
type claim struct {
	cpu  task.Milli
	mem  int64
	gpus []int32
	slot bool
}

// free is what is left of the node.
type free struct {
	cpu   task.Milli
	mem   int64
	slots int32
	gpus  []bool // true is free
}

func freeOf(c task.Capacity) free {
	f := free{cpu: c.CPU, mem: c.MemoryMB, slots: c.Slots, gpus: make([]bool, c.GPUs)}
	for i := range f.gpus {
		f.gpus[i] = true
	}
	return f
}

// take claims what need asks for, or reports that it is not there.
func (f *free) take(need task.Need) (claim, bool) {
	cpu := need.CPUs()
	if f.slots < 1 || f.cpu < cpu || f.mem < need.MemoryMB {
		return claim{}, false
	}
	var gpus []int32
	for i, ok := range f.gpus {
		if ok && len(gpus) < int(need.GPUs) {
			gpus = append(gpus, int32(i))
		}
	}
	if len(gpus) < int(need.GPUs) {
		return claim{}, false
	}
	for _, g := range gpus {
		f.gpus[g] = false
	}
	f.slots--
	f.cpu -= cpu
	f.mem -= need.MemoryMB
	return claim{cpu: cpu, mem: need.MemoryMB, gpus: gpus, slot: true}, true
}

// give returns a claim; a claim that was returned already is empty.
func (f *free) give(c *claim) {
	if !c.slot {
		return
	}
	f.slots++
	f.cpu += c.cpu
	f.mem += c.mem
	for _, g := range c.gpus {
		f.gpus[g] = true
	}
	*c = claim{}
}
