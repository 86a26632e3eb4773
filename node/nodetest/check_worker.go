package nodetest

import (
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

// verdictRecorded is the answer to a result that was kept.
const verdictRecorded = "recorded"

// workerLife is what is known about one worker.
type workerLife struct {
	declared bool
	capacity room
	leased   room // by leases that are not backlog
	running  map[leaseName]room
	obeyed   uint64
	until    int64 // it believes in its leases until then
}

type leaseName struct {
	id    task.ID
	fence task.Fence
}

// room is an amount of everything that tasks take.
type room struct {
	cpu, memory, gpus, slots int64
}

func useOf(e *task.Event) room {
	return room{cpu: int64(e.CPU), memory: e.MemoryMB, gpus: int64(e.GPUs), slots: 1}
}

func (r room) plus(o room, sign int64) room {
	return room{r.cpu + sign*o.cpu, r.memory + sign*o.memory, r.gpus + sign*o.gpus, r.slots + sign*o.slots}
}

// over names what r takes more of than there is.
func (r room) over(most room) string {
	for _, x := range []struct {
		name       string
		have, most int64
	}{{"CPU", r.cpu, most.cpu}, {"MiB of memory", r.memory, most.memory}, {"GPUs", r.gpus, most.gpus}, {"slots", r.slots, most.slots}} {
		if x.have > x.most {
			if x.name == "CPU" {
				return fmt.Sprintf("%.3g of %.3g CPUs", float64(x.have)/1000, float64(x.most)/1000)
			}
			return fmt.Sprintf("%d of %d %s", x.have, x.most, x.name)
		}
	}
	return ""
}

func (c *checker) worker(name string) *workerLife {
	w := c.workers[name]
	if w == nil {
		w = &workerLife{running: map[leaseName]room{}}
		c.workers[name] = w
	}
	return w
}

// stepWorker follows what workers believe and do.
func (c *checker) stepWorker(e *task.Event) {
	switch e.Kind {
	case task.EvCapacity:
		w := c.worker(e.Worker)
		w.declared = true
		w.capacity = room{int64(e.CPU), e.MemoryMB, int64(e.GPUs), int64(e.Slots)}
	case task.EvObey:
		w := c.worker(e.Node)
		if e.Term < w.obeyed {
			c.fail("I11", e.Task, "%s obeys term %d after term %d", e.Node, e.Term, w.obeyed)
		}
		w.obeyed = max(w.obeyed, e.Term)
	case task.EvRenewed:
		w := c.worker(e.Node)
		w.until = max(w.until, e.Until)
	case task.EvStart:
		c.started(e)
	case task.EvExit:
		c.life(e.Task).exits[e.Fence()] = e.Code
		delete(c.worker(e.Node).running, leaseName{e.Task, e.Fence()})
	case task.EvKilled:
		delete(c.worker(e.Node).running, leaseName{e.Task, e.Fence()})
	case task.EvResultOK:
		c.life(e.Task).acks[e.Fence()] = e.Verdict
	case task.EvSpoolDrop:
		if _, acked := c.life(e.Task).acks[e.Fence()]; !acked {
			c.fail("I12", e.Task, "%s dropped the result of attempt %s before it was acknowledged", e.Node, e.Fence())
		}
	}
}

func (c *checker) started(e *task.Event) {
	l, f := c.life(e.Task), e.Fence()
	l.starts++
	if l.starts > 1 && l.delivery == task.AtMostOnce && l.known() {
		c.fail("I8", e.Task, "started for the %d. time (%s) although it may run only once", l.starts, f)
	}
	held := l.leases[f]
	if held == nil {
		if !c.mayBeMissing() {
			c.fail("I6", e.Task, "%s started attempt %s, which was never granted", e.Node, f)
		}
		return
	}
	if held.worker != e.Node {
		c.fail("I6", e.Task, "%s started attempt %s, which is %s's", e.Node, f, held.worker)
	}
	if held.expired {
		c.fail("I7", e.Task, "%s started attempt %s after its lease had ended", e.Node, f)
	}
	w := c.worker(e.Node)
	w.running[leaseName{e.Task, f}] = held.use
	var sum room
	for _, use := range w.running {
		sum = sum.plus(use, 1)
	}
	if over := sum.over(w.capacity); w.declared && over != "" {
		c.fail("I14", e.Task, "%s runs tasks that take %s", e.Node, over)
	}
}

// lend counts a lease against what its worker declared. Backlog waits there for
// room, and counts when it starts.
func (c *checker) lend(e *task.Event, l *lease) {
	if l.backlog {
		return
	}
	w := c.worker(l.worker)
	w.leased = w.leased.plus(l.use, 1)
	if over := w.leased.over(w.capacity); w.declared && over != "" {
		c.fail("I14", e.Task, "%s was given tasks that take %s", l.worker, over)
	}
}

func (c *checker) giveBack(l *lease) {
	if !l.backlog {
		w := c.worker(l.worker)
		w.leased = w.leased.plus(l.use, -1)
	}
}
