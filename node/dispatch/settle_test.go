package dispatch

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/sched"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func at(id task.ID, term uint64, attempt uint32) wire.Lease {
	return wire.Lease{ID: id, Fence: task.Fence{Term: term, Attempt: attempt}}
}

func TestSettle(t *testing.T) {
	type back struct {
		wire.Lease
		why queue.ReleaseReason
	}
	l := at(1, 3, 2)
	for _, tc := range []struct {
		name      string
		leases    []lease
		holds     []wire.Held
		restarted bool

		back    []back
		running []wire.Lease
		drop    []wire.Lease
		stop    []wire.Lease
	}{
		{name: "nothing"},
		{name: "held and waiting", leases: []lease{{Lease: l}}, holds: []wire.Held{{Lease: l}}},
		{name: "held and started", leases: []lease{{Lease: l}}, holds: []wire.Held{{Lease: l, Started: 5}}, running: []wire.Lease{l}},
		{name: "ended: the result follows", leases: []lease{{Lease: l}}, holds: []wire.Held{{Lease: l, Started: 5, Ended: true}}},
		{name: "ended, and not ours: judged by its fence", holds: []wire.Held{{Lease: l, Ended: true}}},
		{name: "unknown here", holds: []wire.Held{{Lease: l}}, drop: []wire.Lease{l}},
		{name: "started, unknown here", holds: []wire.Held{{Lease: l, Started: 1}}, drop: []wire.Lease{l}},
		{
			name: "older attempt held", leases: []lease{{Lease: at(1, 3, 3)}}, holds: []wire.Held{{Lease: l}},
			drop: []wire.Lease{l}, back: []back{{at(1, 3, 3), queue.NeverStarted}},
		},
		{
			name: "older term held", leases: []lease{{Lease: at(1, 4, 2)}}, holds: []wire.Held{{Lease: l, Started: 1}},
			drop: []wire.Lease{l}, back: []back{{at(1, 4, 2), queue.NeverStarted}},
		},
		{name: "not held, same run", leases: []lease{{Lease: l}}, back: []back{{l, queue.NeverStarted}}},
		{name: "not held, restarted", leases: []lease{{Lease: l}}, restarted: true, back: []back{{l, queue.Forgotten}}},
		{name: "restarted with a spooled result", leases: []lease{{Lease: l}}, restarted: true, holds: []wire.Held{{Lease: l, Ended: true}}},
		{name: "cancelled meanwhile", leases: []lease{{Lease: l, cancelling: true}}, holds: []wire.Held{{Lease: l, Started: 9}}, running: []wire.Lease{l}, stop: []wire.Lease{l}},
		{name: "cancelled and not held", leases: []lease{{Lease: l, cancelling: true}}, back: []back{{l, queue.NeverStarted}}},
		{name: "named twice", leases: []lease{{Lease: l}}, holds: []wire.Held{{Lease: l}, {Lease: l, Started: 2}}, running: []wire.Lease{l}},
		{
			name: "several", leases: []lease{{Lease: at(1, 1, 1)}, {Lease: at(2, 1, 1)}, {Lease: at(3, 1, 1)}},
			holds:   []wire.Held{{Lease: at(2, 1, 1), Started: 4}, {Lease: at(9, 1, 1)}},
			running: []wire.Lease{at(2, 1, 1)}, drop: []wire.Lease{at(9, 1, 1)},
			back: []back{{at(1, 1, 1), queue.NeverStarted}, {at(3, 1, 1), queue.NeverStarted}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := make(map[task.ID]lease)
			for _, l := range tc.leases {
				m[l.ID] = l
			}
			was := maps.Clone(m)
			s := settle(m, tc.holds, tc.restarted)
			var gotBack []back
			for _, r := range s.back {
				gotBack = append(gotBack, back{wire.Lease{ID: r.ID, Fence: r.Fence}, r.Why})
			}
			slices.SortFunc(gotBack, func(a, b back) int { return cmp.Compare(a.ID, b.ID) })
			var gotRun, gotStop []wire.Lease
			for _, r := range s.running {
				gotRun = append(gotRun, wire.Lease{ID: r.ID, Fence: r.Fence})
			}
			for _, r := range s.stop {
				gotStop = append(gotStop, r.Lease)
				if r.Drop {
					t.Errorf("the result of the cancelled %v would be thrown away", r.Lease)
				}
			}
			if !slices.Equal(gotBack, tc.back) || !slices.Equal(gotRun, tc.running) || !slices.Equal(s.drop, tc.drop) || !slices.Equal(gotStop, tc.stop) {
				t.Errorf("settled as back %v running %v drop %v stop %v,\nwant back %v running %v drop %v stop %v",
					gotBack, gotRun, s.drop, gotStop, tc.back, tc.running, tc.drop, tc.stop)
			}
			if !maps.EqualFunc(m, was, func(a, b lease) bool { return a.Lease == b.Lease }) {
				t.Error("settle changed the leases")
			}
		})
	}
}

func TestStateAfter(t *testing.T) {
	const beat, length = time.Second, 5 * time.Second
	for _, tc := range []struct {
		name      string
		from      sched.State
		connected bool
		silent    time.Duration
		want      sched.State
	}{
		{"fresh", sched.Up, true, 0, sched.Up},
		{"three beats", sched.Up, true, 3 * beat, sched.Up},
		{"more than three", sched.Up, true, 3*beat + 1, sched.Stale},
		{"speaks again", sched.Stale, true, beat, sched.Up},
		{"stale without a connection stays so", sched.Stale, false, 0, sched.Stale},
		{"stale at the lease's end", sched.Stale, true, length, sched.Stale},
		{"the dispatcher waits longer than the worker", sched.Stale, false, length + length/100 + 2*beat, sched.Stale},
		{"then it is lost", sched.Stale, false, length + length/100 + 2*beat + 1, sched.Lost},
		{"connected and silent is lost too", sched.Up, true, time.Hour, sched.Lost},
		{"lost stays lost", sched.Lost, false, 0, sched.Lost},
		{"away stays away", sched.Away, false, time.Hour, sched.Away},
		{"lost and connected but silent", sched.Lost, true, time.Hour, sched.Lost},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := stateAfter(tc.from, tc.connected, tc.silent, beat, length); got != tc.want {
				t.Errorf("%v after %v of silence is %v, want %v", tc.from, tc.silent, got, tc.want)
			}
		})
	}
}

func TestFlowBacklog(t *testing.T) {
	start := time.Now()
	feed := func(perWindow, windows int, every time.Duration) (*flow, time.Time) {
		f, now := &flow{}, start
		for range windows {
			f.ended(perWindow, now)
			now = now.Add(every)
		}
		return f, now
	}
	if f := new(flow); f.backlog(start) != 0 {
		t.Error("a worker that ended nothing gets a backlog")
	}
	for _, tc := range []struct {
		name      string
		perWindow int
		every     time.Duration
		min, max  int
	}{
		{"slow tasks get none", 1, 100 * time.Millisecond, 0, 0},
		{"1,000 a second", 5, 5 * time.Millisecond, 80, 140},
		{"a flood is bounded", 100_000, 5 * time.Millisecond, backlogMax, backlogMax},
		{"once in two seconds is forgotten", 50, 2 * time.Second, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, now := feed(tc.perWindow, 20, tc.every)
			if n := f.backlog(now); n < tc.min || n > tc.max {
				t.Errorf("backlog %d, want %d to %d", n, tc.min, tc.max)
			}
			if n := f.backlog(now.Add(flowForget + tc.every + time.Nanosecond)); n != 0 {
				t.Errorf("backlog %d after a silent second", n)
			}
		})
	}
}

func TestWorkerRemovesOnlyItsFence(t *testing.T) {
	w := &worker{leases: make(map[task.ID]lease)}
	w.add(lease{Lease: at(1, 2, 2), need: task.Need{CPU: 1500, MemoryMB: 10, GPUs: 1}})
	for _, l := range []wire.Lease{at(1, 2, 1), at(1, 1, 2), at(1, 2, 3), at(2, 2, 2)} {
		if w.remove(l) {
			t.Errorf("%v removed a lease that it does not name", l)
		}
	}
	if w.used.CPU != 1500 || w.used.Tasks != 1 || w.used.MemoryMB != 10 || w.used.GPUs != 1 {
		t.Errorf("used %+v", w.used)
	}
	if ok := w.remove(at(1, 2, 2)); !ok || w.used.Tasks != 0 || w.used.CPU != 0 || w.used.GPUs != 0 {
		t.Errorf("not taken off: used %+v", w.used)
	}
	if w.remove(at(1, 2, 2)) {
		t.Error("removed twice")
	}
}

func TestMeter(t *testing.T) {
	var m meter
	now := time.Unix(1_000_000, 0)
	if r := m.perSecond(now); r != 0 {
		t.Errorf("an idle meter shows %v", r)
	}
	for range 20 {
		m.add(50, now)
		now = now.Add(time.Second)
	}
	if r := m.perSecond(now); r < 49 || r > 51 {
		t.Errorf("50 a second are shown as %v", r)
	}
	if r := m.perSecond(now.Add(time.Minute)); r != 0 {
		t.Errorf("after a minute of nothing: %v", r)
	}
	if m.add(1, now.Add(-time.Hour)); m.perSecond(now) < 0 {
		t.Error("a clock that jumps back breaks the meter")
	}
}
