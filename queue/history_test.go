package queue_test

import (
	"log/slog"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/queuetest"
)

func TestHistoriesInMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "octaskly-queue-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		queuetest.Histories(t, func(c *queuetest.Clock) *queue.Queue {
			o := queue.Options{Dir: dir, MaxSize: queuetest.Limit, Now: c.Now, MinFree: -1, Logger: slog.New(slog.DiscardHandler)}
			s, err := queue.OpenState(o)
			if err != nil {
				t.Fatal(err)
			}
			return queue.New(s, queuetest.NewMemLog(s), o)
		})
	})
}

func TestMemLog(t *testing.T) {
	queuetest.LogSuite(t, func(t testing.TB, dir string) *queue.Queue {
		o := queue.Options{Dir: dir, MinFree: -1, Logger: slog.New(slog.DiscardHandler)}
		s, err := queue.OpenState(o)
		if err != nil {
			t.Fatal(err)
		}
		return queue.New(s, queuetest.NewMemLog(s), o)
	}, false)
}
