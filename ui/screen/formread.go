package screen

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// fieldReaders turn the text of a field into a part of the task.
var fieldReaders = [fieldCount]func(sp *task.Spec, v string) error{
	fOn: readOn, fPriority: readPriority, fTimeout: readTimeout, fRetries: readRetries, fCPU: readCPU, fMemory: readMemory,
	fGPU: readGPU, fSandbox: readSandbox, fEnv: readEnv, fTags: readTags,
	fDir:  func(sp *task.Spec, v string) error { sp.Dir = v; return nil },
	fName: readName,
}

func readName(sp *task.Spec, v string) error {
	if len(v) > task.MaxNameBytes {
		return fmt.Errorf("a name has at most %d bytes", task.MaxNameBytes)
	}
	sp.Name = v
	return nil
}

// readOn takes a node's name, or labels as k=v.
func readOn(sp *task.Spec, v string) error {
	sp.Need.On, sp.Need.Labels = "", nil
	if v == "" || v == "any" || v == "-" {
		return nil
	}
	if !strings.Contains(v, "=") {
		if strings.ContainsAny(v, " ,") {
			return fmt.Errorf("one node, or labels as k=v")
		}
		sp.Need.On = v
		return nil
	}
	sp.Need.Labels = map[string]string{}
	for _, w := range strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' }) {
		k, x, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return fmt.Errorf("%q is not k=v", w)
		}
		sp.Need.Labels[k] = x
	}
	return nil
}

func onText(n *task.Need) string {
	if n.On != "" {
		return n.On
	}
	if len(n.Labels) == 0 {
		return "any"
	}
	return envText(n.Labels)
}

func readPriority(sp *task.Spec, v string) error {
	switch v {
	case "low":
		sp.Priority = task.PriorityLow
	case "normal", "", "-":
		sp.Priority = task.PriorityNormal
	case "high":
		sp.Priority = task.PriorityHigh
	case "critical":
		sp.Priority = task.PriorityCritical
	default:
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("low, normal, high, critical, or 0 to 100")
		}
		sp.Priority = uint8(n)
	}
	return nil
}

// ReadDuration reads what task.ParseSpan reads, if it is more than nothing.
func ReadDuration(v string) (time.Duration, error) {
	d, err := task.ParseSpan(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time; write 90s, 10m, 1h30m or 2d", v)
	}
	return d, nil
}

func readTimeout(sp *task.Spec, v string) error {
	sp.Timeout = 0
	switch v {
	case "", "-":
		return nil
	case "none":
		sp.Timeout = -1
		return nil
	}
	d, err := ReadDuration(v)
	sp.Timeout = d
	return err
}

func readRetries(sp *task.Spec, v string) error {
	n, err := count(v, task.MaxRetries)
	sp.Retries = int32(n)
	return err
}

func count(v string, most int) (int, error) {
	if v == "" || v == "-" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("a number from 0 to %d", most)
	}
	return n, nil
}

func readCPU(sp *task.Spec, v string) error {
	sp.Need.CPU = 0
	if v == "" || v == "-" || v == "1" {
		return nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n > 0) || n > 4096 || math.IsNaN(n) {
		return fmt.Errorf("a number of CPUs, like 0.5 or 4")
	}
	sp.Need.CPU = task.Milli(n * 1000)
	return nil
}

// ReadSize reads 512MiB, 1g, 2GB, or bare MiB, as whole MiB.
func ReadSize(v string) (int64, error) {
	s := strings.ToLower(strings.TrimSpace(v))
	s = strings.TrimSuffix(strings.TrimSuffix(s, "b"), "i")
	mult := 1.0
	switch {
	case strings.HasSuffix(s, "k"):
		mult = 1.0 / 1024
	case strings.HasSuffix(s, "g"):
		mult = 1024
	case strings.HasSuffix(s, "t"):
		mult = 1024 * 1024
	}
	n, err := strconv.ParseFloat(strings.TrimRight(s, "kmgt"), 64)
	if err != nil || !(n > 0) || n*mult > 1<<40 {
		return 0, fmt.Errorf("%q is not a size; write 512MiB or 1GiB", v)
	}
	return int64(math.Ceil(n * mult)), nil
}

func readMemory(sp *task.Spec, v string) error {
	sp.Need.MemoryMB = 0
	if v == "" || v == "-" {
		return nil
	}
	n, err := ReadSize(v)
	sp.Need.MemoryMB = n
	return err
}

func readGPU(sp *task.Spec, v string) error {
	n, err := count(v, 1024)
	sp.Need.GPUs = int32(n)
	return err
}

func readSandbox(sp *task.Spec, v string) error {
	switch v {
	case "", "-", "default":
		sp.Need.Sandbox = ""
	case "none", "basic", "strict", "very-strict":
		sp.Need.Sandbox = v
	default:
		return fmt.Errorf("none, basic, strict or very-strict")
	}
	return nil
}

func readEnv(sp *task.Spec, v string) error {
	sp.Env = nil
	for _, w := range strings.Fields(v) {
		k, x, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return fmt.Errorf("%q is not NAME=value", w)
		}
		if sp.Env == nil {
			sp.Env = map[string]string{}
		}
		sp.Env[k] = x
	}
	return nil
}

func envText(env map[string]string) string {
	out := make([]string, 0, len(env))
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

func readTags(sp *task.Spec, v string) error {
	sp.Tags = nil
	sp.Tags = append(sp.Tags, strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })...)
	if len(sp.Tags) > task.MaxTags {
		return fmt.Errorf("at most %d tags", task.MaxTags)
	}
	return nil
}

// SubmitCommand is the command line that submits the same task.
func SubmitCommand(sp *task.Spec) string {
	out := []string{"octaskly", "submit"}
	flag := func(name, v string) { out = append(out, name, shellQuote(v)) }
	if sp.Name != "" {
		flag("--name", sp.Name)
	}
	for _, t := range sp.Tags {
		flag("--tag", t)
	}
	if sp.Priority != task.PriorityNormal {
		flag("--priority", strings.TrimPrefix(priorityName(sp.Priority), "priority "))
	}
	switch {
	case sp.Timeout > 0:
		flag("--timeout", spanText(sp.Timeout))
	case sp.Timeout < 0:
		flag("--timeout", "none")
	}
	if sp.Retries > 0 {
		flag("--retries", fmt.Sprint(sp.Retries))
	}
	out = append(out, needFlags(&sp.Need)...)
	if sp.Dir != "" {
		flag("--dir", sp.Dir)
	}
	for _, kv := range strings.Fields(envText(sp.Env)) {
		flag("--env", kv)
	}
	if len(sp.Argv) > 0 {
		out = append(out, "--")
		for _, a := range sp.Argv {
			out = append(out, shellQuote(a))
		}
		return strings.Join(out, " ")
	}
	return strings.Join(append(out, shellQuote(sp.Shell)), " ")
}

func needFlags(n *task.Need) []string {
	var out []string
	flag := func(name, v string) { out = append(out, name, shellQuote(v)) }
	if n.CPU > 0 && n.CPU != 1000 {
		flag("--cpus", fmt.Sprintf("%g", float64(n.CPU)/1000))
	}
	if n.MemoryMB > 0 {
		flag("--mem", sizeText(n.MemoryMB))
	}
	if n.DiskMB > 0 {
		flag("--disk", sizeText(n.DiskMB))
	}
	if n.Limits.CPUTime > 0 {
		flag("--cpu-time", spanText(n.Limits.CPUTime))
	}
	if n.Limits.Processes > 0 {
		flag("--max-processes", fmt.Sprint(n.Limits.Processes))
	}
	if n.Limits.OpenFiles > 0 {
		flag("--max-open-files", fmt.Sprint(n.Limits.OpenFiles))
	}
	if n.Limits.OutputMB > 0 {
		flag("--max-output", sizeText(n.Limits.OutputMB))
	}
	if n.GPUs > 0 {
		flag("--gpus", fmt.Sprint(n.GPUs))
	}
	if n.On != "" {
		flag("--on", n.On)
	}
	for _, kv := range strings.Fields(envText(n.Labels)) {
		flag("--label", kv)
	}
	if n.Sandbox != "" {
		flag("--sandbox", n.Sandbox)
	}
	return out
}

// ReadTasks reads tasks from a file: one shell command a line, or one JSON
// object a line with at least "command". Empty lines and lines that begin
// with # are left out. Errors name the line.
func ReadTasks(text string) ([]task.Spec, error) {
	var out []task.Spec
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		sp := task.Spec{Shell: line, Priority: task.PriorityNormal}
		if strings.HasPrefix(line, "{") {
			var err error
			if sp, err = taskFromJSON(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		}
		out = append(out, sp)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("it has no commands")
	}
	return out, nil
}

func taskFromJSON(line string) (task.Spec, error) {
	var j struct {
		Command  json.RawMessage   `json:"command"`
		Name     string            `json:"name"`
		Tags     []string          `json:"tags"`
		Env      map[string]string `json:"env"`
		Dir      string            `json:"dir"`
		Priority json.RawMessage   `json:"priority"`
		Timeout  json.RawMessage   `json:"timeout"`
		Retries  int32             `json:"retries"`
	}
	sp := task.Spec{Priority: task.PriorityNormal}
	if err := json.Unmarshal([]byte(line), &j); err != nil {
		return sp, fmt.Errorf("it is not JSON: %w", err)
	}
	if json.Unmarshal(j.Command, &sp.Shell) != nil && json.Unmarshal(j.Command, &sp.Argv) != nil || sp.Shell == "" && len(sp.Argv) == 0 {
		return sp, fmt.Errorf(`"command" must be a text or a list of texts`)
	}
	sp.Name, sp.Tags, sp.Env, sp.Dir, sp.Retries = j.Name, j.Tags, j.Env, j.Dir, j.Retries
	if err := readPriority(&sp, strings.Trim(string(j.Priority), `"`)); err != nil {
		return sp, fmt.Errorf("priority: %w", err)
	}
	if err := readTimeout(&sp, strings.Trim(string(j.Timeout), `"`)); err != nil {
		return sp, fmt.Errorf("timeout: %w", err)
	}
	return sp, nil
}
