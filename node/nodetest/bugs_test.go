//go:build octaskly_bugs

package nodetest

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task"
)

const bugsBuilt = true

// TestPlantedBugs plants one bug after the other and wants the checker to
// object: go test -tags octaskly_bugs -run TestPlanted ./node/nodetest
//
//	ack-early         killUnderSubmits: a key or a number is given twice, or a task is missing (I1, I3)
//	no-fence          lateResults: a result of an older lease is recorded (I6); TestHostileWorker too
//	forget-key        NewScript: a repeated submit becomes a second task (I3)
//	lease-from-reply  lateAcks: a worker believes in its lease after the dispatcher has given it up (I7)
//	lower-term        TestPlantedLowerTerm: a lease of an older term is granted (I6)
//	no-sync           the power-cut rig of queue/raftq: nothing that only kills processes can see it
func TestPlantedBugs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		queue  queue.Bugs
		worker worker.Bugs
		script func(seed uint64) Script
		want   []string // any of these invariants
	}{
		{"ack-early", queue.Bugs{AckEarly: true}, worker.Bugs{}, killUnderSubmits, []string{"I1", "I3", "I12", "I2"}},
		{"no-fence", queue.Bugs{NoFence: true}, worker.Bugs{}, lateResults, []string{"I6", "I5", "I4"}},
		{"forget-key", queue.Bugs{ForgetKey: true}, worker.Bugs{}, NewScript, []string{"I3"}},
		{"lease-from-reply", queue.Bugs{}, worker.Bugs{LeaseFromReply: true}, lateAcks, []string{"I7", "I8"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			queue.SetBugs(tc.queue)
			worker.SetBugs(tc.worker)
			defer func() { queue.SetBugs(queue.Bugs{}); worker.SetBugs(worker.Bugs{}) }()
			for seed := uint64(1); seed <= 30; seed++ {
				var found []Violation
				synctest.Test(t, func(t *testing.T) { _, found = Play(t, tc.script(seed)) })
				for _, v := range found {
					for _, w := range tc.want {
						if v.Invariant == w {
							t.Logf("seed %d: %s", seed, v)
							return
						}
					}
				}
				if len(found) > 0 {
					t.Logf("seed %d, something else: %s", seed, strings.TrimSpace(Report(found)))
				}
			}
			t.Errorf("30 scripts, and nobody noticed %s", tc.name)
		})
	}
}

// TestPlantedLowerTerm lets a dispatcher that was replaced grant a task once
// more, which a single dispatcher never tries.
func TestPlantedLowerTerm(t *testing.T) {
	for _, planted := range []bool{false, true} {
		queue.SetBugs(queue.Bugs{LowerTerm: planted})
		found := Check(staleGrant(t), CheckOptions{})
		if caught := len(found) > 0 && found[0].Invariant == "I6"; caught != planted {
			t.Errorf("planted %v: %s", planted, Report(found))
		}
	}
	queue.SetBugs(queue.Bugs{})
}

// staleGrant is the history of a task that is granted in term 2, given back,
// and then granted by who ruled in term 1, if the queue takes it.
func staleGrant(t *testing.T) []task.Event {
	o := queue.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), MinFree: -1}
	s, err := queue.OpenState(o)
	if err != nil {
		t.Fatal(err)
	}
	log := queuetest.NewMemLog(s)
	q := queue.New(s, log, o)
	defer q.Close()
	settle := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = q.Submit("me", []task.NewTask{{Spec: task.Spec{Shell: "true"}}}).Wait(t.Context())
	settle(err)
	var h []task.Event
	grant := func(f task.Fence) {
		v, err := q.Grant("w1", []queue.Grant{{ID: 1, Fence: f}}).Wait(t.Context())
		settle(err)
		if v[0] == queue.Granted {
			h = append(h, task.Event{Kind: task.EvGrant, Node: fmt.Sprint("term", f.Term), Task: 1, Term: f.Term, Attempt: f.Attempt, Worker: "w1"})
		}
	}
	old, _ := log.Leader()
	log.NextTerm()
	now := task.Fence{Term: old + 1, Attempt: 1}
	grant(now)
	_, err = q.Release([]queue.Release{{ID: 1, Fence: now, Why: queue.NeverStarted}}).Wait(t.Context())
	settle(err)
	h = append(h, task.Event{Kind: task.EvRequeue, Task: 1, Term: now.Term, Attempt: now.Attempt})
	grant(task.Fence{Term: old, Attempt: 7})
	return h
}

// lateResults lets leases end while their commands run on, and the results
// come after the next grant.
func lateResults(seed uint64) Script {
	s := Script{Seed: seed, Workers: 2}
	for i := range 6 {
		s.Tasks = append(s.Tasks, Job{At: time.Duration(i) * 100 * time.Millisecond, Command: fmt.Sprintf("echo x; sleep %ds", 10+i)})
	}
	s.Faults = []Fault{{At: 2 * time.Second, For: 9500 * time.Millisecond, Kind: FaultCut, Node: 1}}
	return s
}

// lateAcks delivers a worker's last renewals long after they were sent.
func lateAcks(seed uint64) Script {
	s := Script{Seed: seed, Workers: 2}
	for i := range 6 {
		s.Tasks = append(s.Tasks, Job{At: time.Duration(i) * 100 * time.Millisecond, Once: i%2 == 0, Command: "echo x; sleep 15s"})
	}
	s.Faults = []Fault{{At: time.Second, Kind: FaultLateAcks, Node: 1}}
	return s
}

// killUnderSubmits ends the dispatcher abruptly while clients submit all the
// time.
func killUnderSubmits(seed uint64) Script {
	s := Script{Seed: seed, Workers: 1}
	for i := range 400 {
		s.Tasks = append(s.Tasks, Job{At: time.Second + time.Duration(i/8)*time.Millisecond/2, Command: "sleep 1ms"})
	}
	for k := range 3 {
		s.Faults = append(s.Faults, Fault{At: time.Second + time.Duration(k*7+int(seed))*time.Millisecond, For: 200 * time.Millisecond, Kind: FaultKill})
	}
	return s
}
