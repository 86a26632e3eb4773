package exec

import (
	"bytes"
	"context"
	osexec "os/exec"
	"sync"
	"testing"
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

// BenchmarkLevels measures what containment adds to sh -c true: 1 is as fast as
// the same command at level none.
func BenchmarkLevels(b *testing.B) {
	r := benchRunner(b)
	for _, l := range []Level{Basic, Strict} {
		b.Run(l.String(), func(b *testing.B) {
			compare(b, func() { runSpec(b, r, Spec{Shell: "true", Level: l}) }, func() { runSpec(b, r, Spec{Shell: "true"}) })
		})
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
