package exec

import (
	"bytes"
	"context"
	osexec "os/exec"
	"slices"
	"sync"
	"testing"
	"time"
)

// benchRunner makes a Runner for a benchmark.
func benchRunner(b *testing.B) *Runner {
	b.Helper()
	return testRunner(b)
}

// bareSpawn is the yardstick: what os/exec needs for the same.
func bareSpawn(b *testing.B) {
	var out, errs bytes.Buffer
	cmd := osexec.Command("/bin/true")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.Error(err)
	}
}

// runSpec runs one command with its output captured.
func runSpec(b *testing.B, r *Runner, spec Spec) {
	var out, errs bytes.Buffer
	spec.Output = func(s Stream, p []byte) {
		if s == Stdout {
			out.Write(p)
		} else {
			errs.Write(p)
		}
	}
	run, err := r.Start(context.Background(), spec)
	if err != nil {
		b.Error(err)
		return
	}
	if res := run.Wait(); res.Code != 0 {
		b.Errorf("exit code %d: %s", res.Code, res.Message)
	}
}

// parallel runs one n times, two at a time.
func parallel(n int, one func()) {
	var wg sync.WaitGroup
	next := make(chan struct{}, n)
	for range n {
		next <- struct{}{}
	}
	close(next)
	for range 2 {
		wg.Go(func() {
			for range next {
				one()
			}
		})
	}
	wg.Wait()
}

// BenchmarkTrue measures /bin/true with both streams captured, two at a time,
// in turns with bare os/exec, and reports how the speeds compare: 1 is as fast
// as os/exec.
func BenchmarkTrue(b *testing.B) {
	r := benchRunner(b)
	compare(b, func() { runSpec(b, r, Spec{Argv: []string{"/bin/true"}}) }, func() { bareSpawn(b) })
}

// BenchmarkShell measures sh -c true against the same yardstick.
func BenchmarkShell(b *testing.B) {
	r := benchRunner(b)
	compare(b, func() { runSpec(b, r, Spec{Shell: "true"}) }, func() { bareSpawn(b) })
}

// BenchmarkLevels measures what containment adds to sh -c true, one at a time and
// in turns with bare os/exec, and reports the medians of both and of what is
// added, in microseconds.
func BenchmarkLevels(b *testing.B) {
	r := benchRunner(b)
	for l := None; l.Valid(); l++ {
		b.Run(l.String(), func(b *testing.B) {
			if !r.Capabilities().Offers(l) {
				b.Skip(r.Capabilities().Levels[l].Reason)
			}
			ours := func() { runSpec(b, r, Spec{Shell: "true", Level: l}) }
			theirs := func() { bareShell(b) }
			for range 5 {
				ours()
				theirs()
			}
			mine, bare := takeTurns(b, ours, theirs, func() {})
			b.ReportMetric(mine, "us/ours")
			b.ReportMetric(bare, "us/bare")
			b.ReportMetric(mine-bare, "us/added")
			if c := r.levels[l]; c != nil && c.caged {
				// When there is time between commands a cage waits for the next.
				mine, bare := takeTurns(b, ours, theirs, c.cages.filling.Wait)
				b.ReportMetric(mine-bare, "us/added-if-waiting")
			}
		})
	}
}

// takeTurns runs two things in turn, with something before each turn that is not
// counted, and returns the medians in microseconds.
func takeTurns(b *testing.B, ours, theirs, before func()) (mine, bare float64) {
	var m, t []time.Duration
	for range b.N {
		before()
		m, t = append(m, timed(ours)), append(t, timed(theirs))
	}
	slices.Sort(m)
	slices.Sort(t)
	return float64(m[len(m)/2].Microseconds()), float64(t[len(t)/2].Microseconds())
}

func timed(fn func()) time.Duration {
	at := time.Now()
	fn()
	return time.Since(at)
}

// bareShell is sh -c true by os/exec, with its output captured.
func bareShell(b *testing.B) {
	var out, errs bytes.Buffer
	cmd := osexec.Command("sh", "-c", "true")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.Error(err)
	}
}

// BenchmarkOutput measures how fast one command's output is carried.
func BenchmarkOutput(b *testing.B) {
	r := benchRunner(b)
	b.SetBytes(64 << 20)
	for b.Loop() {
		run, err := r.Start(context.Background(), Spec{
			Argv:   []string{"head", "-c", "67108864", "/dev/zero"},
			Output: func(Stream, []byte) {},
		})
		if err != nil {
			b.Fatal(err)
		}
		run.Wait()
	}
}
