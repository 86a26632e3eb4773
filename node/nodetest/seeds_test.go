package nodetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// seeds is how many scripts a run plays. OCTASKLY_LONG plays more, and
// OCTASKLY_SEED plays one only.
func seeds(t *testing.T) (from, to uint64) {
	if s := os.Getenv("OCTASKLY_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n, n + 1
	}
	switch {
	case os.Getenv("OCTASKLY_LONG") != "":
		return 1, 3001
	case testing.Short(), raceDetector:
		return 1, 21
	}
	return 1, 201
}

// TestSeeds plays scripts of faults on whole clusters. A failure names the files
// in which its script and its history were saved.
func TestSeeds(t *testing.T) {
	from, to := seeds(t)
	for seed := from; seed < to; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			playSaved(t, NewScript(seed))
		})
	}
}

func playSaved(t *testing.T, s Script) {
	t.Helper()
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		h, found := Play(t, s)
		if len(found) == 0 && !t.Failed() {
			return
		}
		dir := filepath.Join(os.TempDir(), "octaskly-failures")
		script, history := filepath.Join(dir, fmt.Sprintf("seed-%d.script.json", s.Seed)), filepath.Join(dir, fmt.Sprintf("seed-%d.history.jsonl", s.Seed))
		if err := SaveHistory(history, h); err != nil {
			t.Error(err)
		}
		if err := SaveScript(script, s); err != nil {
			t.Error(err)
		}
		t.Errorf("%d violations; script %s, history %s\n%s", len(found), script, history, Report(found))
	})
	t.Logf("seed %d took %v", s.Seed, time.Since(begun).Round(time.Millisecond))
}
