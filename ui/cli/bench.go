package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/bench"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// benchReport is what came out. Latencies are from submit to result.
type benchReport struct {
	Schema     string  `json:"schema"`
	Kind       string  `json:"kind"`
	Tasks      int     `json:"tasks"`
	Failed     int     `json:"failed"`
	InFlight   int     `json:"in_flight"`
	Batch      int     `json:"batch"`
	Workers    int     `json:"workers"`
	Slots      int     `json:"slots"`
	Elapsed    float64 `json:"elapsed_s"`
	Throughput float64 `json:"tasks_per_s"`
	Submits    float64 `json:"submits_per_s"`
	P50        float64 `json:"p50_s"`
	P95        float64 `json:"p95_s"`
	P99        float64 `json:"p99_s"`
	Max        float64 `json:"max_s"`
	CPU        float64 `json:"cpu_s"`    // of this process; of the whole cluster with --solo
	MaxRSS     int64   `json:"max_rss"`  // bytes, likewise
	Version    string  `json:"version"`  //
	Started    *string `json:"started"`  //
	Hardware   string  `json:"hardware"` // CPUs and system
}

func newBenchCommand(env *environment) *cobra.Command {
	var o bench.Options
	var solo bool
	cmd := &cobra.Command{
		Use: "bench", Short: "measure how fast a cluster is", Args: exactly(0, ""),
		Long: `Send tasks through the cluster, on the same way as any other task, and print
how many a second end and how long each takes from submit to result. The kinds:
null starts no process, true runs a program, sh runs it in a shell.`,
		Example: `  octaskly bench --tasks 10000 --task null
  octaskly bench --solo --tasks 2000 --task true --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			switch {
			case o.Kind != "null" && o.Kind != "true" && o.Kind != "sh":
				return usageOf(cmd, "--task %q is not null, true or sh", o.Kind)
			case o.Tasks < 1:
				return usageOf(cmd, "--tasks %d is below 1", o.Tasks)
			case o.InFlight < 0:
				return usageOf(cmd, "--in-flight %d is below 0", o.InFlight)
			case o.Batch < 1 || o.Batch > task.MaxBatch:
				return usageOf(cmd, "--batch %d is not between 1 and %d", o.Batch, task.MaxBatch)
			}
			if o.InFlight > 0 && !o.SubmitOnly && o.Batch > o.InFlight {
				if cmd.Flags().Changed("batch") {
					return usageOf(cmd, "--batch %d is more than --in-flight %d lets be unfinished", o.Batch, o.InFlight)
				}
				o.Batch = o.InFlight
			}
			return measureCluster(env, o, solo)
		},
	}
	cmd.Flags().IntVar(&o.Tasks, "tasks", 1000, "how many tasks")
	cmd.Flags().StringVar(&o.Kind, "task", "null", "null, true or sh")
	cmd.Flags().StringVar(&o.Sandbox, "sandbox", "", "sandbox level to ask for")
	cmd.Flags().IntVar(&o.InFlight, "in-flight", 0, "at most so many unfinished at once; 0 is all")
	cmd.Flags().IntVar(&o.Batch, "batch", 256, "tasks in one submit")
	cmd.Flags().BoolVar(&o.SubmitOnly, "submit-only", false, "measure submits alone, of tasks that no node can run")
	cmd.Flags().BoolVar(&solo, "solo", false, "measure a private cluster in this process")
	return cmd
}

func measureCluster(env *environment, o bench.Options, solo bool) error {
	c, err := openBenchCluster(env, solo)
	if err != nil {
		return err
	}
	defer c.close()
	if isTerminal(env.Stderr) && !env.out.quiet && !env.out.json {
		o.Progress = progressLine(env.Stderr)
		defer fmt.Fprint(env.Stderr, "\r\x1b[K")
	}
	r, err := runBench(env.ctx, c, o)
	if err != nil {
		return withHints(err)
	}
	r.Schema, r.Version = "octaskly.bench/1", Version()
	if env.out.json {
		err = env.out.object(r)
	} else {
		err = env.out.fields(benchFields(&r))
	}
	if err == nil && r.Failed > 0 {
		env.out.warn("%s failed", plural(r.Failed, "task"))
		return silent(exitFailed)
	}
	return err
}

func openBenchCluster(env *environment, solo bool) (*connection, error) {
	if !solo {
		return env.connect()
	}
	cfg, err := env.soloConfiguration()
	if err != nil {
		return nil, err
	}
	return openSolo(env, cfg)
}

// runBench measures the cluster and adds what this process used meanwhile.
func runBench(ctx context.Context, c control.Control, o bench.Options) (benchReport, error) {
	cpu := cpuSeconds()
	r, err := bench.Run(ctx, c, o)
	if err != nil {
		return benchReport{}, err
	}
	started := time.Now().Add(-r.Elapsed).UTC().Format("2006-01-02T15:04:05.000Z")
	return benchReport{
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

// progressLine redraws one line, at most ten times a second.
func progressLine(w io.Writer) func(done, all int) {
	var last time.Time
	return func(done, all int) {
		if now := time.Now(); now.Sub(last) > 100*time.Millisecond {
			last = now
			fmt.Fprintf(w, "\r\x1b[K%d of %d", done, all)
		}
	}
}

func benchFields(r *benchReport) []pair {
	ms := func(s float64) string { return fmt.Sprintf("%.3f ms", s*1000) }
	return []pair{
		{"tasks", fmt.Sprintf("%d of kind %s, %d failed", r.Tasks, r.Kind, r.Failed)},
		{"cluster", fmt.Sprintf("%s, %s", plural(r.Workers, "worker"), plural(r.Slots, "slot"))},
		{"elapsed", fmt.Sprintf("%.3f s", r.Elapsed)},
		{"throughput", fmt.Sprintf("%.0f tasks/s", r.Throughput)},
		{"submits", fmt.Sprintf("%.0f/s", r.Submits)},
		{"latency p50", ms(r.P50)},
		{"latency p95", ms(r.P95)},
		{"latency p99", ms(r.P99)},
		{"latency max", ms(r.Max)},
		{"CPU", fmt.Sprintf("%.2f s", r.CPU)},
		{"peak memory", humanize.IBytes(uint64(max(0, r.MaxRSS)))},
		{"on", r.Hardware},
	}
}
