package nodetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/queue/task/testlength"
)

// seeds are the scripts that a run plays; OCTASKLY_SEED plays one only.
func seeds(t *testing.T) (from, to uint64) {
	if s := os.Getenv("OCTASKLY_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n, n + 1
	}
	if testing.Short() || raceDetector {
		return 1, 21
	}
	return 1, testlength.Of[uint64](31, 101, 3001)
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

// TestScripts plays scripts that found something once. The schedule differs each
// time, so each is played several times.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/scripts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	rounds := testlength.Of(1, 3, 100)
	for _, file := range files {
		s, err := LoadScript(file)
		if err != nil {
			t.Fatal(err)
		}
		for range rounds {
			t.Run(filepath.Base(file), func(t *testing.T) { playSaved(t, s) })
		}
	}
}

// TestSilenceShorterThanTheDispatchersPatience: the worker lets go of what it
// has not started, and the dispatcher, which would have waited longer, learns it.
func TestSilenceShorterThanTheDispatchersPatience(t *testing.T) {
	s := Script{Seed: 1, Workers: 1}
	for i := range 600 {
		s.Tasks = append(s.Tasks, Job{At: time.Second + time.Duration(i)*time.Millisecond, Command: "sleep 1ms"})
	}
	for k := range 3 {
		s.Faults = append(s.Faults, Fault{At: time.Second + 150*time.Millisecond + time.Duration(k)*7*time.Second, For: 6 * time.Second, Kind: FaultPause, Node: 1})
	}
	playSaved(t, s)
}
