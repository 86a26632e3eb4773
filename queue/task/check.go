package task

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Bounds of what a task may ask for, wide enough that nobody meets them by
// intent.
const (
	MaxTimeout  = 366 * 24 * time.Hour
	MaxCPU      = 1_000_000 * 1000 // in thousandths
	MaxNeedMB   = 1 << 40
	MaxGPUs     = 1 << 16
	MaxKeyBytes = MaxNameBytes // of an idempotency key
	MaxDirBytes = 4096
	MaxRetryOn  = 256
)

// SandboxLevels are the words a task may ask for, weakest first.
var SandboxLevels = []string{"none", "basic", "strict", "very-strict"}

// Check says what is wrong with what a person asks for, or nil. The error is a
// *Error of kind usage or too_large, names the field by its name in JSON, and
// is the same on every face.
func (s *Spec) Check() error {
	for _, part := range []func(*Spec) error{checkCommand, checkNames, checkPlace, checkStdin, checkTimes, checkNeed, checkLimits, checkSecrets} {
		if err := part(s); err != nil {
			return err
		}
	}
	return nil
}

func checkCommand(s *Spec) error {
	forms := 0
	for _, set := range []bool{s.Shell != "", len(s.Argv) > 0, s.Null} {
		if set {
			forms++
		}
	}
	switch {
	case forms == 0:
		return Errorf(KindUsage, "command is empty: there is nothing to run")
	case forms > 1:
		return Errorf(KindUsage, "command is given twice: one string, or a program with its arguments")
	}
	size, longest := len(s.Shell), len(s.Shell)
	for i, a := range s.Argv {
		if strings.IndexByte(a, 0) >= 0 {
			return Errorf(KindUsage, "command: argument %d holds a NUL byte, which no program can be given", i)
		}
		size += len(a)
		longest = max(longest, len(a))
	}
	switch {
	case size > MaxCommandBytes:
		return Errorf(KindTooLarge, "command has %s, at most %s can be submitted", FormatBytes(size), FormatBytes(MaxCommandBytes)).
			WithHint("put the data into a file the task reads, or send it as standard input")
	case longest > MaxArgumentBytes:
		return Errorf(KindTooLarge, "command has an argument of %d bytes, at most %d can be given to a program", longest, MaxArgumentBytes).
			WithHint("put the data into a file the task reads, or send it as standard input")
	case strings.IndexByte(s.Shell, 0) >= 0:
		return Errorf(KindUsage, "command holds a NUL byte, which no shell can be given")
	case strings.TrimSpace(s.Shell) == "" && s.Shell != "":
		return Errorf(KindUsage, "command is blank: there is nothing to run")
	case len(s.Argv) > 0 && s.Argv[0] == "":
		return Errorf(KindUsage, "command: the program has an empty name")
	}
	return nil
}

func checkNames(s *Spec) error {
	if err := checkText("name", s.Name, true); err != nil {
		return err
	}
	if len(s.Tags) > MaxTags {
		return Errorf(KindTooLarge, "tags: there are %d, at most %d can be given", len(s.Tags), MaxTags)
	}
	for _, t := range s.Tags {
		if err := checkText("tags", t, false); err != nil {
			return err
		}
	}
	if len(s.Need.Labels) > MaxLabels {
		return Errorf(KindTooLarge, "labels: there are %d, at most %d can be given", len(s.Need.Labels), MaxLabels)
	}
	for _, k := range slices.Sorted(maps.Keys(s.Need.Labels)) {
		if err := checkText("labels", k, false); err != nil {
			return err
		}
		if err := checkText("labels: "+k, s.Need.Labels[k], true); err != nil {
			return err
		}
	}
	return checkText("on", s.Need.On, true)
}

// checkText refuses what cannot be shown on one line of a terminal.
func checkText(field, text string, mayBeEmpty bool) error {
	const most = MaxNameBytes
	switch {
	case text == "" && !mayBeEmpty:
		return Errorf(KindUsage, "%s holds an empty entry", field)
	case len(text) > most:
		return Errorf(KindTooLarge, "%s has %s, at most %s are allowed", field, FormatBytes(len(text)), FormatBytes(most))
	case !printable(text):
		return Errorf(KindUsage, "%s %s has characters that cannot be printed", field, strconv.QuoteToASCII(text))
	}
	return nil
}

func printable(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return true
}

// isFullPath reports whether a path says the same everywhere, on any system: a
// node may run another one than whoever submits.
func isFullPath(p string) bool {
	letter := len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
	return p[0] == '/' || strings.HasPrefix(p, `\\`) || letter
}

func checkPlace(s *Spec) error {
	if len(s.Dir) > MaxDirBytes || strings.IndexByte(s.Dir, 0) >= 0 {
		return Errorf(KindUsage, "dir is not a path")
	}
	if s.Dir != "" && !isFullPath(s.Dir) {
		return Errorf(KindUsage, "dir %q is relative, and the node that runs the task is elsewhere", s.Dir).
			WithHint("write the whole path, as in /srv/build")
	}
	if len(s.Env) > MaxEnv {
		return Errorf(KindTooLarge, "env: there are %d variables, at most %d can be given", len(s.Env), MaxEnv)
	}
	size := 0
	for _, k := range slices.Sorted(maps.Keys(s.Env)) {
		size += len(k) + len(s.Env[k])
		if err := CheckVariable(k); err != nil {
			return Errorf(KindUsage, "env: %w", err).WithHint("%s", HintOf(err))
		}
		if len(k)+1+len(s.Env[k]) > MaxArgumentBytes {
			return Errorf(KindTooLarge, "env: %.40s has %d bytes with its name, at most %d can be given to a program", k, len(k)+1+len(s.Env[k]), MaxArgumentBytes)
		}
		if strings.IndexByte(s.Env[k], 0) >= 0 {
			return Errorf(KindUsage, "env: the value of %s holds a NUL byte", k)
		}
	}
	if size > MaxEnvBytes {
		return Errorf(KindTooLarge, "env has %s, at most %s can be given", FormatBytes(size), FormatBytes(MaxEnvBytes))
	}
	return nil
}

// ownVariables are set by shells themselves, and given to no command.
var ownVariables = []string{"PPID", "UID", "EUID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO", "_nl", "_line"}

// CheckVariable refuses the name of a variable that would not reach the command:
// it starts behind a shell, which passes on only what it could have set.
func CheckVariable(name string) error {
	valid := name != ""
	for i, c := range []byte(name) {
		valid = valid && (c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || i > 0 && c >= '0' && c <= '9')
	}
	switch {
	case !valid:
		return Errorf(KindUsage, "%.40q is not the name of a variable", name).
			WithHint("a name has letters, digits and _, and does not begin with a digit")
	case slices.Contains(ownVariables, name):
		return Errorf(KindUsage, "%s is set by the shell itself and cannot be given", name)
	}
	return nil
}

// sealRoom is how much longer than its secret a sealed one may be.
const sealRoom = 64

func checkSecrets(s *Spec) error {
	if len(s.Secrets) > MaxSecrets {
		return Errorf(KindTooLarge, "secret_env: there are %d, at most %d can be given", len(s.Secrets), MaxSecrets)
	}
	size := 0
	for _, k := range slices.Sorted(maps.Keys(s.Secrets)) {
		_, twice := s.Env[k]
		if err := CheckVariable(k); err != nil {
			return Errorf(KindUsage, "secret_env: %w", err).WithHint("%s", HintOf(err))
		}
		size += len(k) + len(s.Secrets[k])
		switch {
		case len(k) > MaxNameBytes:
			return Errorf(KindUsage, "secret_env: %.40q is too long for the name of a variable", k)
		case twice:
			return Errorf(KindUsage, "%s is given twice, in env and as a secret", k)
		case len(s.Secrets[k]) == 0:
			return Errorf(KindUsage, "secret_env: the value of %s cannot be read back from a task", k).
				WithHint("submit the task again:  octaskly submit --secret-env %s=@FILE …", k)
		case len(s.Secrets[k]) > MaxSecretBytes+sealRoom:
			return Errorf(KindTooLarge, "secret_env: %s has more than %s", k, FormatBytes(MaxSecretBytes))
		}
	}
	if size > MaxEnvBytes {
		return Errorf(KindTooLarge, "secret_env has %s, at most %s can be given", FormatBytes(size), FormatBytes(MaxEnvBytes))
	}
	return nil
}

// HideSecrets leaves of a task's secrets only the names.
func (t *Task) HideSecrets() {
	if len(t.Spec.Secrets) == 0 {
		return
	}
	names := make(map[string][]byte, len(t.Spec.Secrets))
	for k := range t.Spec.Secrets {
		names[k] = nil
	}
	t.Spec.Secrets = names
}

// CheckButStdin is Check for a task whose standard input may yet be stored beside
// it, because it is larger than MaxInlineStdin.
func (t *NewTask) CheckButStdin() error {
	without := *t
	if len(t.Spec.Stdin) > MaxInlineStdin {
		without.Spec.Stdin = nil
	}
	return without.Check()
}

func checkStdin(s *Spec) error {
	if len(s.Stdin) > 0 && s.StdinRef != "" {
		return Errorf(KindUsage, "stdin is given twice, as text and as a reference")
	}
	if len(s.Stdin) > MaxInlineStdin {
		return Errorf(KindTooLarge, "stdin has %s, at most %s ride in a task", FormatBytes(len(s.Stdin)), FormatBytes(MaxInlineStdin)).
			WithHint("send it with --stdin-file, which stores it beside the queue")
	}
	if s.StdinRef == "" {
		return nil
	}
	hash, size, ok := strings.Cut(s.StdinRef, ":")
	n, err := strconv.ParseInt(size, 10, 64)
	isHex := strings.Trim(hash, "0123456789abcdef") == ""
	if !ok || err != nil || n < 0 || len(hash) != 64 || !isHex {
		return Errorf(KindUsage, "stdin: %q is not a reference to stored content", s.StdinRef)
	}
	return nil
}

func checkTimes(s *Spec) error {
	switch {
	case s.Timeout > MaxTimeout:
		return Errorf(KindUsage, "timeout %v is longer than %v", s.Timeout, MaxTimeout).WithHint("0 is no timeout at all")
	case s.Grace > MaxTimeout:
		return Errorf(KindUsage, "grace %v is longer than %v", s.Grace, MaxTimeout)
	case s.Retries < 0 || s.Retries > MaxRetries:
		return Errorf(KindUsage, "retry_count %d is not between 0 and %d", s.Retries, MaxRetries)
	case s.Retries > 0 && s.Delivery == AtMostOnce:
		return Errorf(KindUsage, "retry_count %d and delivery %s contradict each other: a retry is a second run", s.Retries, s.Delivery).
			WithHint("leave one of them away")
	case s.Priority > PriorityCritical:
		return Errorf(KindUsage, "priority %d is not between 0 and %d", s.Priority, PriorityCritical)
	case s.Delivery > AtMostOnce:
		return Errorf(KindUsage, "delivery %d is not known", s.Delivery)
	case s.Backoff > BackoffFixed:
		return Errorf(KindUsage, "backoff %d is not known", s.Backoff)
	case len(s.RetryOn) > MaxRetryOn:
		return Errorf(KindTooLarge, "retry_on names %d exit codes, at most %d can be given", len(s.RetryOn), MaxRetryOn)
	}
	return nil
}

func checkNeed(s *Spec) error {
	n := s.Need
	switch {
	case n.CPU < 0 || n.CPU > MaxCPU:
		return Errorf(KindUsage, "cpus %s is not between 0 and %d", n.CPU, MaxCPU/1000)
	case n.MemoryMB < 0 || n.MemoryMB > MaxNeedMB:
		return Errorf(KindUsage, "memory_limit_mb %d is not between 0 and %d", n.MemoryMB, int64(MaxNeedMB))
	case n.DiskMB < 0 || n.DiskMB > MaxNeedMB:
		return Errorf(KindUsage, "disk_limit_mb %d is not between 0 and %d", n.DiskMB, int64(MaxNeedMB))
	case n.GPUs < 0 || n.GPUs > MaxGPUs:
		return Errorf(KindUsage, "gpus %d is not between 0 and %d", n.GPUs, MaxGPUs)
	case n.Sandbox != "" && !slices.Contains(SandboxLevels, n.Sandbox):
		return Errorf(KindUsage, "sandbox_level %q is not one of %s", n.Sandbox, strings.Join(SandboxLevels, ", "))
	}
	return nil
}

// CheckKey says what is wrong with an idempotency key, or nil.
func CheckKey(key string) error { return checkText("idempotency_key", key, true) }

// String is the number of CPUs as people write it: "1", "0.5".
func (m Milli) String() string {
	return strconv.FormatFloat(float64(m)/1000, 'f', -1, 64)
}

// FormatBytes is a number of bytes for people.
func FormatBytes(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
