package nodetest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// keep copies a member's directory, readable for nobody else.
func (m *Member) keep(to string) {
	m.c.t.Helper()
	m.c.must(os.CopyFS(to, os.DirFS(m.dir)))
	m.c.must(filepath.WalkDir(to, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return os.Chmod(p, 0o600)
		}
		return os.Chmod(p, 0o700)
	}))
}

// TestOldDispatcherIsNotObeyed: a dispatcher that was put back to an earlier day,
// with every key and the right address, is not obeyed by a worker that has worked
// for a later one, and the worker says so.
func TestOldDispatcherIsNotObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log journal
		c := NewCluster(t, ClusterOptions{Workers: 1, Slots: 4, Seed: 9, Logger: log.logger()})
		d := c.Dispatcher()
		works := func() bool {
			r, err := d.Control().Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "true"}}}})
			c.must(err)
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				got, err := d.Control().Get(t.Context(), r.Results[0].ID)
				c.must(err)
				if got.State == task.Done {
					return true
				}
			}
			return false
		}
		if !works() {
			t.Fatal("nothing runs")
		}
		d.Stop(false)
		backup := filepath.Join(t.TempDir(), "backup")
		d.keep(backup)
		for range 4 { // each start is a later term
			d.Start()
			if !works() {
				t.Fatal("nothing runs after a restart")
			}
			d.Stop(false)
		}
		d.dir = backup
		d.Start()
		if works() {
			t.Error("a dispatcher of an older term was obeyed")
		}
		if line := "audit: refused to obey a dispatcher of an older term"; !strings.Contains(log.text(), line) {
			t.Errorf("no line %q in the log", line)
		}
		c.Stop()
	})
}
