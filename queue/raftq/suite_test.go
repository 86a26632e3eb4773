package raftq

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

func TestLogSuite(t *testing.T) { queuetest.LogSuite(t, openAt, true) }

// TestHistories restarts through raft, with a log that is shortened all the
// time, so that restarts begin at snapshots, replays and everything between.
func TestHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("each restart waits for an election")
	}
	lg := slog.New(slog.DiscardHandler)
	deadline := time.Now().Add(testlength.Of(4*time.Second, 15*time.Second, 15*time.Second))
	rapid.Check(t, func(t *rapid.T) {
		if time.Now().After(deadline) {
			return // enough; every check that ran was whole
		}
		dir, err := os.MkdirTemp("", "octaskly-raftq-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		queuetest.Histories(t, func(c *queuetest.Clock) *queue.Queue {
			q, l, err := OpenQueue(queue.Options{Dir: dir, MaxSize: queuetest.Limit, Now: c.Now, MinFree: -1, Logger: lg},
				Options{ID: "n1", Logger: lg, SnapshotBytes: 2 << 10})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.WaitLeader(context.Background()); err != nil {
				t.Fatal(err)
			}
			return q
		})
	})
}
