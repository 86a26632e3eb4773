package text

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Schema names the form of a Document.
const Schema = "octaskly.task/1"

// Document is a task as JSON: the same object wherever a program reads one.
// Within one schema number a field never changes its meaning; new fields may
// appear; what is absent is null. Times are RFC 3339, UTC, with milliseconds.
type Document struct {
	Schema  string   `json:"schema"`
	ID      task.ID  `json:"id"`
	State   string   `json:"state"`
	Command any      `json:"command"` // text for a shell, a list of arguments, or null for no process
	Name    *string  `json:"name"`
	Tags    []string `json:"tags"`
	Node    *string  `json:"node"` // name of the node of the last attempt

	Submitted *string `json:"submitted"`
	Assigned  *string `json:"assigned"`
	Started   *string `json:"started"`
	Finished  *string `json:"finished"`
	NotBefore *string `json:"not_before"`

	Attempt     int             `json:"attempt"` // how many there were
	MaxAttempts int             `json:"max_attempts"`
	Exit        *ExitDocument   `json:"exit"` // null until the task has ended
	Usage       *UsageDocument  `json:"usage"`
	Live        *LiveDocument   `json:"live"` // null unless it runs and its worker tells
	Output      *OutputDocument `json:"output"`

	Priority  uint8             `json:"priority"`
	Timeout   *float64          `json:"timeout"` // seconds; 0 is none, null the dispatcher's default
	Retries   int32             `json:"retry_count"`
	Backoff   string            `json:"backoff"`
	RetryOn   []int32           `json:"retry_on"`
	Delivery  string            `json:"delivery"`
	CPUs      float64           `json:"cpus"`
	MemoryMB  *int64            `json:"memory_limit_mb"`
	DiskMB    *int64            `json:"disk_limit_mb"`
	CPUTime   *float64          `json:"cpu_time_limit"` // seconds
	OpenFiles *int32            `json:"max_open_files"` // of each process
	Processes *int32            `json:"max_processes"`  // and threads
	OutputMB  *int64            `json:"output_limit_mb"`
	GPUs      int32             `json:"gpus"`
	Labels    map[string]string `json:"labels"`
	On        *string           `json:"on"`
	Dir       *string           `json:"dir"`
	Env       map[string]string `json:"env"`
	Secrets   []string          `json:"secret_env"` // their names; the values are in no document
	Stdin     *string           `json:"stdin"`
	StdinRef  *string           `json:"stdin_ref"`
	Grace     *float64          `json:"grace"` // seconds
	Keep      bool              `json:"keep"`
	Sandbox   *string           `json:"sandbox_level"`
	Key       *string           `json:"idempotency_key"`
	RetryOf   *task.ID          `json:"retry_of"`
	Submitter *string           `json:"submitter"`

	Attempts []AttemptDocument `json:"attempts,omitempty"` // only where one task is shown whole
}

// ExitDocument is how a task ended.
type ExitDocument struct {
	Code    *int32  `json:"code"` // null when it did not start, or nobody saw its end
	Signal  *int32  `json:"signal"`
	Reason  string  `json:"reason"`
	Message *string `json:"message"`
	Source  string  `json:"source"` // "task" or "octaskly": whose code it is
}

// UsageDocument is what the last attempt used.
type UsageDocument struct {
	CPU     float64 `json:"cpu_s"`
	MaxRSS  int64   `json:"max_rss"` // bytes
	Written int64   `json:"written"` // bytes written to storage
}

// LiveDocument is what a running task uses at this moment.
type LiveDocument struct {
	CPU    float32 `json:"cpu_percent"` // of one CPU
	Memory int64   `json:"memory_mb"`
}

// OutputDocument is what the last attempt wrote.
type OutputDocument struct {
	Bytes     int64   `json:"bytes"`
	Truncated bool    `json:"truncated"`
	CutBy     *string `json:"cut_by"` // what cut it, when that was no quota
}

// AttemptDocument is one attempt.
type AttemptDocument struct {
	Attempt  uint32         `json:"attempt"`
	Node     string         `json:"node"`
	Assigned *string        `json:"assigned"`
	Started  *string        `json:"started"`
	Ended    *string        `json:"ended"`
	Exit     *ExitDocument  `json:"exit"` // null while it runs
	Usage    *UsageDocument `json:"usage"`
	Enforced *string        `json:"enforced"`
}

// DocumentOf writes a task as JSON has it. nodeName gives the name of a node
// or, if it does not know it, an empty text. whole adds every attempt.
func DocumentOf(t *task.Task, nodeName func(task.NodeID) string, whole bool) *Document {
	s := &t.Spec
	d := &Document{
		Schema: Schema, ID: t.ID, State: t.State.String(), Command: commandOf(s), Name: some(s.Name), Tags: orEmpty(s.Tags),
		Submitted: Stamp(t.Submitted), Finished: Stamp(t.Finished), NotBefore: Stamp(t.NotBefore),
		Attempt: len(t.Attempts), MaxAttempts: int(s.Retries) + 1,
		Priority: s.Priority, Timeout: timeoutNumber(s.Timeout), Retries: s.Retries, Backoff: s.Backoff.String(),
		RetryOn: orEmpty(s.RetryOn), Delivery: s.Delivery.String(),
		CPUs: float64(s.Need.CPUs()) / 1000, MemoryMB: some(s.Need.MemoryMB), DiskMB: some(s.Need.DiskMB), GPUs: s.Need.GPUs,
		CPUTime: timeoutNumber(s.Need.Limits.CPUTime), OpenFiles: some(s.Need.Limits.OpenFiles), Processes: some(s.Need.Limits.Processes),
		OutputMB: some(s.Need.Limits.OutputMB),
		Labels:   orEmptyMap(s.Need.Labels), On: some(s.Need.On), Dir: some(s.Dir), Env: orEmptyMap(s.Env),
		Secrets: orEmpty(slices.Sorted(maps.Keys(s.Secrets))), Stdin: some(string(s.Stdin)), StdinRef: some(s.StdinRef), Grace: timeoutNumber(s.Grace), Keep: s.Keep,
		Sandbox: some(s.Need.Sandbox), RetryOf: some(s.RetryOf), Submitter: some(string(t.By)),
	}
	if !strings.HasPrefix(t.Key, task.AutoKey) {
		d.Key = some(t.Key)
	}
	if last := t.Last(); last != nil {
		d.Node = some(nameOr(nodeName, last.Node))
		d.Assigned, d.Started = Stamp(last.Assigned), Stamp(last.Started)
		d.Usage = usageOf(last)
		if last.Live != nil {
			d.Live = &LiveDocument{last.Live.CPUPercent, last.Live.MemoryMB}
		}
		if last.Ended != 0 {
			d.Output = &OutputDocument{last.Output.Bytes, last.Output.Truncated, some(last.Output.CutBy)}
		}
	}
	if t.State.Terminal() {
		d.Exit = exitOf(t)
	}
	if whole {
		d.Attempts = attemptsOf(t, nodeName)
	}
	return d
}

func commandOf(s *task.Spec) any {
	switch {
	case s.Null:
		return nil
	case len(s.Argv) > 0:
		return s.Argv
	}
	return s.Shell
}

// exitOf is the end of a task; a task cancelled before it ran has one too.
func exitOf(t *task.Task) *ExitDocument {
	var a task.Attempt
	if last := t.Last(); last != nil {
		a = *last
	}
	if a.Exit.Reason == "" {
		a.Exit.Reason = map[task.State]task.Reason{task.Cancelled: task.ReasonCancelled, task.Timeout: task.ReasonTimeout, task.Lost: task.ReasonNodeLost}[t.State]
	}
	return exitDocument(&a, ExitSource(t))
}

func exitDocument(a *task.Attempt, source string) *ExitDocument {
	e := a.Exit
	var code *int32
	if c, known := a.ExitCode(); known {
		code = &c
	}
	return &ExitDocument{Code: code, Signal: some(e.Signal), Reason: string(e.Reason), Message: some(e.Message), Source: source}
}

// ExitSource says whose exit code a finished task has: "task" when its command
// ended by itself, by a signal or by a limit, "octaskly" when we ended it or
// cannot tell.
func ExitSource(t *task.Task) string {
	if last := t.Last(); last != nil && (t.State == task.Done || t.State == task.Failed) {
		if endedByTask(last.Exit.Reason) {
			return "task"
		}
	}
	return "octaskly"
}

func endedByTask(r task.Reason) bool {
	return r == task.ReasonExit || r == task.ReasonSignal || strings.HasPrefix(string(r), task.ReasonLimitPrefix)
}

func usageOf(a *task.Attempt) *UsageDocument {
	if a.Usage == (task.Usage{}) {
		return nil
	}
	return &UsageDocument{CPU: a.Usage.CPU.Seconds(), MaxRSS: a.Usage.MaxRSS, Written: a.Usage.Written}
}

func attemptsOf(t *task.Task, nodeName func(task.NodeID) string) []AttemptDocument {
	out := make([]AttemptDocument, len(t.Attempts))
	for i := range t.Attempts {
		a := &t.Attempts[i]
		out[i] = AttemptDocument{
			Attempt: a.Fence.Attempt, Node: nameOr(nodeName, a.Node),
			Assigned: Stamp(a.Assigned), Started: Stamp(a.Started), Ended: Stamp(a.Ended),
			Usage: usageOf(a), Enforced: some(a.Enforced),
		}
		if a.Ended != 0 {
			source := "octaskly"
			if endedByTask(a.Exit.Reason) {
				source = "task"
			}
			out[i].Exit = exitDocument(a, source)
		}
	}
	return out
}

func nameOr(nodeName func(task.NodeID) string, id task.NodeID) string {
	if nodeName != nil {
		if n := nodeName(id); n != "" {
			return n
		}
	}
	return string(id)
}

func timeoutNumber(d time.Duration) *float64 {
	switch {
	case d == 0:
		return nil
	case d < 0:
		d = 0
	}
	s := d.Seconds()
	return &s
}

// Stamp is a time in JSON: RFC 3339, UTC, with milliseconds; nil for 0.
func Stamp(unixMilli int64) *string {
	if unixMilli == 0 {
		return nil
	}
	s := time.UnixMilli(unixMilli).UTC().Format("2006-01-02T15:04:05.000Z")
	return &s
}

// some is a value in JSON where the zero value means absent.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func orEmpty[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}

func orEmptyMap(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
