package cli

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/adauldev/octaskly/node/bench"
	"github.com/adauldev/octaskly/node/control"
)

// runBench runs a benchmark and adds what this process used meanwhile.
func runBench(ctx context.Context, c control.Control, o BenchOptions) (BenchReport, error) {
	cpu := cpuSeconds()
	r, err := bench.Run(ctx, c, bench.Options{Tasks: o.Tasks, Kind: o.Kind, Sandbox: o.Sandbox, InFlight: o.InFlight, SubmitOnly: o.SubmitOnly, Batch: o.Batch, Progress: o.Progress})
	if err != nil {
		return BenchReport{}, err
	}
	started := time.Now().Add(-r.Elapsed).UTC().Format("2006-01-02T15:04:05.000Z")
	return BenchReport{
		Kind: o.Kind, Tasks: r.Tasks, Failed: r.Failed, InFlight: o.InFlight, Batch: o.Batch,
		Workers: r.Workers, Slots: r.Slots, Elapsed: r.Elapsed.Seconds(),
		Throughput: perSecond(r.Tasks, r.Elapsed), Submits: perSecond(r.Tasks, r.Submitting),
		P50: r.P50.Seconds(), P95: r.P95.Seconds(), P99: r.P99.Seconds(), Max: r.Max.Seconds(),
		CPU: cpuSeconds() - cpu, MaxRSS: maxRSS(), Started: &started,
		Hardware: fmt.Sprintf("%d CPUs, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
	}, nil
}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
