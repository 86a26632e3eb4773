package nodetest

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// residentBytes is the memory of this process, after a collection.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory() // what is garbage is not what a peer costs
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("memory is read from /proc")
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}

// TestHostileWorker: a member with the role of a worker sends garbage, messages
// out of order, and results, declines and output for leases that another worker
// holds. Nothing of it counts, and the node lives.
func TestHostileWorker(t *testing.T) {
	c := NewCluster(t, ClusterOptions{Workers: 1, Slots: 4, Seed: 5})
	ctl := c.Dispatcher().Control()
	tasks := make([]control.NewTask, 4)
	for i := range tasks {
		tasks[i].Spec = task.Spec{Shell: "echo honest; sleep 1h", Timeout: 2 * time.Hour}
		if i%2 == 0 {
			tasks[i].Spec.Delivery = task.AtMostOnce
		}
	}
	r, err := ctl.Submit(t.Context(), control.SubmitRequest{Tasks: tasks})
	c.must(err)
	held := func() (ls []wire.Lease) {
		for _, x := range r.Results {
			got, err := ctl.Get(t.Context(), x.ID)
			c.must(err)
			if got.State.Terminal() {
				t.Fatalf("task %d is %s: somebody's word was taken for it", x.ID, got.State)
			}
			if got.State == task.Running {
				ls = append(ls, wire.Lease{ID: x.ID, Fence: got.Last().Fence})
			}
		}
		return ls
	}
	await2(t, func() bool { return len(held()) == len(tasks) })

	conn, err := c.LAN.Listen("10.0.0.66:7878")
	c.must(err)
	bad := quictest.Start(t, conn, (&quictest.Cluster{CA: c.CA}).Member(t, task.RoleWorker), nil)
	open := func(kind wire.StreamKind) wire.Stream {
		s, err := bad.Dial(t.Context(), c.Dispatcher().Host+":7878", c.Dispatcher().ID)
		c.must(err)
		st, err := s.Open(t.Context(), kind)
		c.must(err)
		_ = st.SetReadDeadline(time.Now().Add(2 * time.Second))
		return st
	}
	register := func(holds ...wire.Held) wire.Stream {
		st := open(wire.StreamWork)
		c.must(st.Send(wire.Register{Boot: "evil", Name: "evil", Holds: holds}))
		_, err := wire.Recv1[wire.Accepted](st)
		c.must(err)
		return st
	}
	attack := func(round int) {
		rnd := rand.New(rand.NewPCG(uint64(round), 66))
		leases := held()
		// Forged words about the leases of another.
		var holds []wire.Held
		for _, l := range leases {
			holds = append(holds, wire.Held{Lease: l, Started: 5}, wire.Held{Lease: l, Ended: true})
		}
		st := register(holds...)
		for _, l := range leases {
			for _, x := range []task.Exit{{Reason: task.ReasonExit}, {Code: 1, Reason: task.ReasonExit}, {Reason: task.ReasonNodeLost}, {Reason: task.ReasonCancelled}} {
				_ = st.Send(wire.Results{Items: []wire.Result{{Lease: l, Exit: x, EndAgo: -1 << 60, RanUs: 1 << 62}}})
			}
			_ = st.Send(wire.Declined{Items: []wire.Decline{{Lease: l, Why: "evil"}}})
			_ = st.Send(wire.Started{Items: []wire.Held{{Lease: l, Started: -1 << 60}}})
			next := l
			next.Fence.Attempt++
			_ = st.Send(wire.Results{Items: []wire.Result{{Lease: next, Exit: task.Exit{Reason: task.ReasonExit}}}})
		}
		finish(st)
		// Output of another's attempt is not wanted.
		for _, l := range leases {
			out := open(wire.StreamOutput)
			_ = out.Send(wire.OutputOpen{Lease: l})
			if have, err := wire.Recv1[wire.OutputHave](out); err == nil && have.Wanted {
				t.Errorf("the output of %v is taken from a stranger", l)
			}
			out.Cancel(wire.CodeShutdown)
		}
		// Every message out of order, and random bytes, on every kind of stream.
		for _, kind := range []wire.StreamKind{wire.StreamWork, wire.StreamOutput, wire.StreamBlob, wire.StreamRPC} {
			for _, m := range []wire.Message{wire.Assign{Term: 99}, wire.Accepted{Term: 99}, wire.ResultAck{}, wire.Stop{}, wire.BeatAck{Seq: 1}, wire.Beat{Seq: 1 << 60}, wire.Results{}, wire.OutputHave{Wanted: true}, wire.Register{More: true}} {
				st := open(kind)
				_ = st.Send(m)
				_ = st.Send(m)
				finish(st)
			}
			st := open(kind)
			junk := make([]byte, 1+rnd.IntN(4096))
			for i := range junk {
				junk[i] = byte(rnd.Uint32())
			}
			_, _ = st.Write(junk)
			finish(st)
		}
	}
	first := testlength.Of(2, 5, 5) // these fill pools
	for round := range first {
		attack(round)
	}
	before := residentBytes(t)
	rounds := testlength.Of(3, 10, 1000)
	for round := range rounds {
		attack(first + round)
	}
	if grown := residentBytes(t) - before; grown > 16<<20 && !raceDetector {
		t.Errorf("%d rounds cost %d KiB of memory", rounds, grown>>10)
	}
	if n := len(held()); n != len(tasks) {
		t.Errorf("%d of %d tasks run on", n, len(tasks))
	}
	// The honest worker goes on.
	ids := []task.ID{r.Results[0].ID, r.Results[1].ID, r.Results[2].ID, r.Results[3].ID}
	_, err = ctl.Cancel(t.Context(), control.CancelRequest{IDs: ids, Grace: -1})
	c.must(err)
	await2(t, func() bool {
		p, err := ctl.List(context.Background(), control.Query{States: []task.State{task.Cancelled}})
		return err == nil && len(p.Tasks) == len(ids)
	})
}

// finish says that nothing follows, and reads until the other side has dealt
// with everything.
func finish(st wire.Stream) {
	_ = st.CloseWrite()
	for {
		if _, err := st.Recv(); err != nil {
			break
		}
	}
	st.Cancel(wire.CodeShutdown)
}

func await2(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not come true")
		}
	}
}
