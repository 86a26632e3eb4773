package dispatch

import (
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func assignments(n, bytes int) []wire.Assignment {
	as := make([]wire.Assignment, n)
	for i := range as {
		as[i] = wire.Assignment{ID: task.ID(i + 1), Fence: task.Fence{Term: 1, Attempt: 1}, Spec: task.Spec{Shell: strings.Repeat("x", bytes)}}
	}
	return as
}

func TestCutAssign(t *testing.T) {
	env := assignments(3, 0)
	for i := range env {
		env[i].Spec.Env = map[string]string{"A": strings.Repeat("y", 300<<10)}
	}
	for _, tc := range []struct {
		name string
		in   []wire.Assignment
		want int
	}{
		{"none", nil, 0},
		{"one", assignments(1, 10), 1},
		{"one that is larger than the bound", assignments(2, 2*maxAssignBytes), 1},
		{"as many as the bound", assignments(maxAssign, 1), maxAssign},
		{"more than the bound", assignments(maxAssign+1, 1), maxAssign},
		{"by bytes", assignments(10, 200<<10), 2},
		{"environments count", env, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if n := cutAssign(tc.in); n != tc.want {
				t.Errorf("cut at %d, want %d", n, tc.want)
			}
		})
	}
}

// The largest messages that the outbox makes are frames that the wire takes.
func TestAssignFitsItsFrame(t *testing.T) {
	full := assignments(maxAssign+1, 0)
	for i := range full {
		full[i].Spec.Name = strings.Repeat("n", task.MaxNameBytes)
		full[i].Spec.Tags = []string{strings.Repeat("t", 128), strings.Repeat("u", 128)}
		full[i].Spec.Need.Labels = map[string]string{strings.Repeat("k", 64): strings.Repeat("v", 128)}
	}
	largest := assignments(1, task.MaxCommandBytes)
	largest[0].Spec.Stdin = make([]byte, task.MaxInlineStdin)
	largest[0].Spec.Env = map[string]string{"A": strings.Repeat("e", task.MaxEnvBytes-2)}
	bytes := assignments(20, 100<<10)
	for _, in := range [][]wire.Assignment{full, largest, bytes} {
		n := cutAssign(in)
		if b, err := wire.Append(nil, wire.Assign{Term: 1, Items: in[:n]}); err != nil {
			t.Errorf("%d assignments: %v", n, err)
		} else if len(b) > wire.LimitAfter {
			t.Errorf("%d assignments make a frame of %d bytes", n, len(b))
		}
	}
}

func TestOutboxOrder(t *testing.T) {
	o := newOutbox()
	o.assign(assignments(maxAssign+10, 1))
	o.stop([]wire.StopItem{{Lease: at(maxAssign+5, 1, 1)}})
	o.ack([]wire.Acked{{Lease: at(7, 1, 1)}})
	o.beat(wire.BeatAck{Seq: 4, Term: 1})
	var assigned, stopped, acked int
	for round := 0; ; round++ {
		ms := o.next(9)
		if len(ms) == 0 {
			break
		}
		if round == 0 {
			if _, ok := ms[0].(wire.BeatAck); !ok {
				t.Errorf("a heartbeat's answer waits behind %T", ms[0])
			}
		}
		for _, m := range ms {
			switch m := m.(type) {
			case wire.Assign:
				assigned += len(m.Items)
				if m.Term != 9 {
					t.Errorf("assigned in term %d", m.Term)
				}
			case wire.Stop:
				if stopped += len(m.Items); assigned != maxAssign+10 {
					t.Errorf("the stop overtook assignments: %d sent", assigned)
				}
			case wire.ResultAck:
				acked += len(m.Items)
			}
		}
	}
	if assigned != maxAssign+10 || stopped != 1 || acked != 1 {
		t.Errorf("sent %d assignments, %d stops, %d acknowledgements", assigned, stopped, acked)
	}
}

func TestOutboxCutsLists(t *testing.T) {
	o := newOutbox()
	o.ack(make([]wire.Acked, 2*wire.MaxItems+1))
	o.stop(make([]wire.StopItem, wire.MaxItems+1))
	acks, stops := 0, 0
	for {
		ms := o.next(1)
		if len(ms) == 0 {
			break
		}
		for _, m := range ms {
			switch m := m.(type) {
			case wire.ResultAck:
				acks += len(m.Items)
				if len(m.Items) > wire.MaxItems {
					t.Errorf("%d acknowledgements in one message", len(m.Items))
				}
			case wire.Stop:
				stops += len(m.Items)
				if len(m.Items) > wire.MaxItems {
					t.Errorf("%d stops in one message", len(m.Items))
				}
			}
		}
	}
	if acks != 2*wire.MaxItems+1 || stops != wire.MaxItems+1 {
		t.Errorf("sent %d and %d", acks, stops)
	}
}
