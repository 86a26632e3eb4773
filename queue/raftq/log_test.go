package raftq

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

func openAt(t testing.TB, dir string) *queue.Queue {
	t.Helper()
	q, l, err := tryOpen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.WaitLeader(t.Context()); err != nil {
		t.Fatal(err)
	}
	return q
}

func tryOpen(dir string) (*queue.Queue, *Log, error) {
	lg := slog.New(slog.DiscardHandler)
	return OpenQueue(queue.Options{Dir: dir, Logger: lg, MinFree: -1, MaxSize: 10_000_000}, Options{ID: "n1", Logger: lg})
}

func must[T any](t testing.TB, p *queue.Pending[T]) T {
	t.Helper()
	v, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func batch(n, from int) []task.NewTask {
	list := make([]task.NewTask, n)
	for i := range list {
		list[i] = task.NewTask{
			Spec: task.Spec{Argv: []string{"/bin/true", fmt.Sprint(from + i)}, Priority: task.PriorityNormal},
			Key:  fmt.Sprintf("key-%d", from+i),
		}
	}
	return list
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	q := openAt(t, dir)
	term1, _ := q.Leader()
	must(t, q.Submit("me", batch(2500, 0)))
	c := q.Classes()
	if len(c) != 1 || c[0].Count != 2500 || c[0].Oldest != 1 {
		t.Fatalf("classes: %+v", c)
	}
	items := q.Take(c[0].ID, 300)
	var g []queue.Grant
	for _, i := range items {
		g = append(g, queue.Grant{ID: i.ID, Fence: i.Fence})
	}
	for i, v := range must(t, q.Grant("w1", g)) {
		if v != queue.Granted {
			t.Fatalf("grant %d: %v", i, v)
		}
	}
	var out []queue.Outcome
	for i, it := range items[:200] {
		out = append(out, queue.Outcome{ID: it.ID, Fence: it.Fence, Exit: task.Exit{Code: int32(i % 2), Reason: task.ReasonExit}})
	}
	must(t, q.Record(out))
	hash, counts := q.Hash(), q.Counts()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openAt(t, dir)
	defer q.Close()
	if q.Hash() != hash {
		t.Fatalf("hash differs after restart")
	}
	for s, n := range q.Counts() {
		if counts[s] != n {
			t.Errorf("%v: %d, was %d", s, n, counts[s])
		}
	}
	if term2, _ := q.Leader(); term2 <= term1 {
		t.Fatalf("term %d after %d", term2, term1)
	}
	if held := q.Held("w1"); len(held) != 100 || held[0].ID != 201 {
		t.Fatalf("held: %d", len(held))
	}
	if r := must(t, q.Submit("me", batch(1, 7))); r.Tasks[0] != (queue.Submitted{ID: 8, Verdict: queue.Duplicate}) {
		t.Fatalf("duplicate: %+v", r)
	}
}

func TestLeaderSoon(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		q, l, err := tryOpen(dir)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := l.WaitLeader(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("leader after %v", time.Since(start))
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		stop()
	}
}

// An election of a lone voter is nothing to warn of; anything else is.
func TestLoneVoterElectsItselfQuietly(t *testing.T) {
	for _, tc := range []struct {
		msg  string
		lone bool
		warn bool
	}{
		{"heartbeat timeout reached, starting election", true, false},
		{"heartbeat timeout reached, starting election", false, true},
		{"failed to contact", true, true},
	} {
		var b strings.Builder
		raftLogger{l: slog.New(slog.NewTextHandler(&b, nil)), lone: tc.lone}.With("a", 1).Warn(tc.msg)
		if got := strings.Contains(b.String(), "WARN"); got != tc.warn {
			t.Errorf("%q, lone %v: %q", tc.msg, tc.lone, b.String())
		}
	}
}
