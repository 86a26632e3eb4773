package dispatch

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// TestAssignFitsItsFrame: tasks are cut into messages by all they carry. Secrets
// were forgotten once, so that a frame became too large and the connection broke.
func TestAssignFitsItsFrame(t *testing.T) {
	o := newOutbox()
	const n = 60
	for i := range n {
		s := task.Spec{Shell: "true", Secrets: map[string][]byte{}}
		for k := range 4 {
			s.Secrets["S"+strconv.Itoa(k)] = bytes.Repeat([]byte{byte(i)}, task.MaxSecretBytes)
		}
		o.assign([]wire.Assignment{{ID: task.ID(i + 1), Spec: s}})
	}
	sent := 0
	for sent < n {
		ms := o.next(1)
		if len(ms) == 0 {
			t.Fatalf("nothing more is sent after %d of %d tasks", sent, n)
		}
		for _, m := range ms {
			b, err := wire.Append(nil, m)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > wire.LimitAfter {
				t.Fatalf("a message of %d tasks has %d bytes, a frame has at most %d", len(m.(wire.Assign).Items), len(b), wire.LimitAfter)
			}
			sent += len(m.(wire.Assign).Items)
		}
	}
}

// TestSecretsCountInAFrame: secrets were forgotten once, so that a frame became
// too large and the connection broke, over and over.
func TestSecretsCountInAFrame(t *testing.T) {
	o := newOutbox()
	const n = 60
	for i := range n {
		s := task.Spec{Shell: "true", Secrets: map[string][]byte{}}
		for _, name := range []string{"A", "B", "C", "D"} {
			s.Secrets[name] = make([]byte, task.MaxSecretBytes)
		}
		o.assign([]wire.Assignment{{ID: task.ID(i + 1), Spec: s}})
	}
	for sent := 0; sent < n; {
		ms := o.next(1)
		if len(ms) == 0 {
			t.Fatalf("nothing more is sent after %d of %d tasks", sent, n)
		}
		for _, m := range ms {
			b, err := wire.Append(nil, m)
			if err != nil || len(b) > wire.LimitAfter {
				t.Fatalf("a message of %d tasks has %d bytes, a frame at most %d: %v", len(m.(wire.Assign).Items), len(b), wire.LimitAfter, err)
			}
			sent += len(m.(wire.Assign).Items)
		}
	}
}
