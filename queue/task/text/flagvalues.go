package text

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func timeoutOfSpec(s *task.Spec) *time.Duration { return &s.Timeout }
func graceOfSpec(s *task.Spec) *time.Duration   { return &s.Grace }
func cpuTimeOfSpec(s *task.Spec) *time.Duration { return &s.Need.Limits.CPUTime }

func writePriority(s *task.Spec) []string {
	if s.Priority == task.PriorityNormal {
		return nil
	}
	return []string{FormatPriority(s.Priority)}
}

func writeBackoff(s *task.Spec) []string {
	if s.Backoff == task.BackoffExponential {
		return nil
	}
	return []string{s.Backoff.String()}
}

func writeDelivery(s *task.Spec) []string {
	if s.Delivery == task.AtLeastOnce {
		return nil
	}
	return []string{s.Delivery.String()}
}

func writeKeep(s *task.Spec) []string {
	if !s.Keep {
		return nil
	}
	return []string{bare}
}

// readRetryOn adds one exit code, or several separated by commas.
func readRetryOn(s *task.Spec, v string) error {
	for c := range strings.SplitSeq(v, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(c), 10, 32)
		if err != nil || n < 0 || n > 255 {
			return task.Errorf(task.KindUsage, "%q is not an exit code from 0 to 255", c)
		}
		s.RetryOn = append(s.RetryOn, int32(n))
	}
	return nil
}

func writeRetryOn(s *task.Spec) []string {
	if len(s.RetryOn) == 0 {
		return nil
	}
	codes := make([]string, len(s.RetryOn))
	for i, c := range s.RetryOn {
		codes[i] = strconv.Itoa(int(c))
	}
	return []string{strings.Join(codes, ",")}
}

// readCPUsFlag leaves one CPU, which is what a task has by default, out of the
// spec.
func readCPUsFlag(s *task.Spec, v string) (err error) {
	if s.Need.CPU, err = ParseCPUs(v); s.Need.CPU == 1000 {
		s.Need.CPU = 0
	}
	return err
}

func writeCPUs(s *task.Spec) []string {
	if s.Need.CPUs() == 1000 {
		return nil
	}
	return []string{s.Need.CPU.String()}
}

func readLabel(s *task.Spec, v string) error {
	k, value, err := ParseAssignment(v)
	if err != nil {
		return err
	}
	return labelReader(k)(s, value)
}

// labelReader sets one label; --os and --arch are labels that every node has.
func labelReader(key string) func(*task.Spec, string) error {
	return func(s *task.Spec, v string) error {
		if s.Need.Labels == nil {
			s.Need.Labels = map[string]string{}
		}
		s.Need.Labels[key] = v
		return nil
	}
}

func readEnv(s *task.Spec, v string) error {
	k, value, err := ParseAssignment(v)
	if err != nil {
		return task.Errorf(task.KindUsage, "%w", err).
			WithHint("to pass on a variable from here:  --inherit-env %s", QuoteShell(cut(v)))
	}
	if err := task.CheckVariable(k); err != nil {
		return err
	}
	if s.Env == nil {
		s.Env = map[string]string{}
	}
	s.Env[k] = value
	return nil
}

// ParseLevel reads a sandbox level. The nearest is suggested for what is none.
func ParseLevel(t string) (string, error) {
	if slices.Contains(task.SandboxLevels, t) {
		return t, nil
	}
	err := task.Errorf(task.KindUsage, "%q is not one of %s", cut(t), strings.Join(task.SandboxLevels, ", "))
	if near := Nearest(t, task.SandboxLevels); near != "" {
		return "", err.WithHint("did you mean %s?", near)
	}
	return "", err
}

// parseCount reads a whole number that is not negative.
func parseCount[T int32 | int64](t string) (T, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
	if err != nil || n < 0 || int64(T(n)) != n {
		return 0, task.Errorf(task.KindUsage, "%q is not a whole number, 0 or more", cut(t))
	}
	return T(n), nil
}
