package worker

import (
	"bytes"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue/task"
)

// translate makes what the runner needs of what a person asked for. It is the
// only place where both are known.
func (w *Worker) translate(a *attempt) (exec.Spec, error) {
	s := &a.Spec
	level, err := w.level(s.Need.Sandbox)
	if err != nil {
		return exec.Spec{}, err
	}
	spec := exec.Spec{
		Shell: s.Shell, Argv: s.Argv, Null: s.Null, Dir: s.Dir, Keep: s.Keep,
		Env: envOf(a), Timeout: max(s.Timeout, 0), Grace: s.Grace, Level: level,
		Cookie: w.cookie(a), Output: a.out.write,
		Limits: limitsOf(&s.Need),
	}
	if err := w.openSecrets(a, &spec); err != nil {
		return exec.Spec{}, err
	}
	if len(s.Stdin) > 0 {
		spec.Stdin = bytes.NewReader(s.Stdin)
	}
	if s.StdinRef != "" {
		f, err := w.openBlob(s.StdinRef)
		if err != nil {
			return exec.Spec{}, err
		}
		spec.Stdin = f
	}
	return spec, nil
}

// level is the strictest of what the task asks and what this node insists on.
func (w *Worker) level(asked string) (exec.Level, error) {
	floor, err := exec.ParseLevel(w.opt.Capacity.Default)
	if err != nil {
		return 0, err
	}
	if asked == "" {
		return floor, nil
	}
	l, err := exec.ParseLevel(asked)
	if err != nil {
		return 0, &exec.StartError{Reason: exec.ReasonInvalid, Code: 125, Err: err}
	}
	return exec.Stricter(l, floor), nil
}

// openSecrets adds a task's secrets to its environment. This is the only place
// where they are in clear.
func (w *Worker) openSecrets(a *attempt, spec *exec.Spec) error {
	for name, sealed := range a.Spec.Secrets {
		plain, err := w.seal.Open(seal.ForLease(a.ID, a.Fence, name), sealed)
		if err != nil {
			return &exec.StartError{Reason: exec.ReasonInvalid, Code: 125, Err: fmt.Errorf("the secret %s cannot be opened: %w", name, err)}
		}
		spec.Env = append(spec.Env, name+"="+string(plain))
		clear(plain)
	}
	return nil
}

func (w *Worker) openBlob(ref string) (*os.File, error) {
	if w.opt.Fetch == nil {
		return nil, fmt.Errorf("standard input is a file that this worker cannot fetch")
	}
	path, err := w.opt.Fetch(w.ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("fetch standard input: %w", err)
	}
	return os.Open(path)
}

// cookie marks the processes of an attempt; its beginning is the same for all
// attempts of this node, so that a later run finds what an earlier one left.
func (w *Worker) cookie(a *attempt) string {
	return CookiePrefix(w.opt.Node) + a.ID.String() + "." + a.Fence.String()
}

// CookiePrefix begins the cookie of everything that a node runs.
func CookiePrefix(n task.NodeID) string {
	return "octaskly-" + n.Short() + string(n[max(0, len(n)-8):]) + "-"
}

// envOf is the task's environment: what it names, in a stable order, and then
// what we tell it.
func envOf(a *attempt) []string {
	env := make([]string, 0, len(a.Spec.Env)+4)
	for k, v := range a.Spec.Env {
		env = append(env, k+"="+v)
	}
	sort.Strings(env)
	env = append(env,
		"OCTASKLY_TASK_ID="+a.ID.String(),
		"OCTASKLY_ATTEMPT="+strconv.FormatUint(uint64(a.Fence.Attempt), 10),
		"OCTASKLY_FENCE="+a.Fence.String())
	if len(a.claim.gpus) > 0 {
		ids := make([]string, len(a.claim.gpus))
		for i, g := range a.claim.gpus {
			ids[i] = strconv.Itoa(int(g))
		}
		env = append(env, "CUDA_VISIBLE_DEVICES="+strings.Join(ids, ","))
	}
	return env
}

func limitsOf(n *task.Need) exec.Limits {
	return exec.Limits{
		MemoryBytes: n.MemoryMB << 20, DiskBytes: n.DiskMB << 20, CPUTime: n.Limits.CPUTime,
		OpenFiles: int(n.Limits.OpenFiles), Processes: int(n.Limits.Processes),
	}
}

// exitOf is how the attempt ended. A command that was ended for its output is
// said to be so; everything else the runner knows.
func (a *attempt) exitOf(r exec.Result) task.Exit {
	x := task.Exit{Code: int32(r.Code), Signal: int32(r.Signal), Reason: reasonOf(r.Reason), Message: r.Message}
	if n, over := a.out.exceeded(); over && r.Reason != exec.ReasonUnkillable {
		x.Reason = task.ReasonLimitPrefix + task.LimitOutput
		x.Message = fmt.Sprintf("wrote %s of output, its limit being %d MiB", mebibytes(n), a.Spec.Need.Limits.OutputMB)
		if x.Code == 0 {
			x.Code = 125
		}
	}
	return x
}

func mebibytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MiB" }

func usageOf(r exec.Result) task.Usage {
	return task.Usage{CPU: r.CPU, MaxRSS: r.MaxRSS, Written: r.BytesWritten}
}

// reasonOf names a runner's reason in the task's vocabulary. The words are the
// same where both have them.
func reasonOf(r exec.Reason) task.Reason {
	switch r {
	case exec.ReasonInvalid, exec.ReasonRefused:
		return task.ReasonRefused
	case exec.ReasonHost, exec.ReasonHeld:
		return task.ReasonDeclined
	}
	return task.Reason(r)
}

func graceOf(ms int64) time.Duration {
	if ms < 0 {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}
