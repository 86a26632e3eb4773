package text

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// A flag of octaskly submit that sets a part of a task.
type flag struct {
	name  string
	read  func(s *task.Spec, value string) error
	write func(s *task.Spec) []string // one for each time the flag is given; none leaves it out
}

// bare is the value that a flag without one has, in both directions.
const bare = "true"

// flags are in the order in which a command line is printed.
var flags = []flag{
	{"name", func(s *task.Spec, v string) error { s.Name = v; return nil }, func(s *task.Spec) []string { return given(s.Name) }},
	{"tag", func(s *task.Spec, v string) error { s.Tags = append(s.Tags, v); return nil }, func(s *task.Spec) []string { return s.Tags }},
	{"priority", into(ParsePriority, func(s *task.Spec) *uint8 { return &s.Priority }), writePriority},
	{"timeout", into(ParseTimeout, timeoutOfSpec), func(s *task.Spec) []string { return given(FormatTimeout(s.Timeout)) }},
	{"grace", into(ParseGrace, graceOfSpec), func(s *task.Spec) []string { return given(FormatTimeout(s.Grace)) }},
	{"retries", into(parseCount[int32], func(s *task.Spec) *int32 { return &s.Retries }), func(s *task.Spec) []string { return number(s.Retries) }},
	{"backoff", into(ParseBackoff, func(s *task.Spec) *task.Backoff { return &s.Backoff }), writeBackoff},
	{"retry-on", readRetryOn, writeRetryOn},
	{"delivery", into(ParseDelivery, func(s *task.Spec) *task.Delivery { return &s.Delivery }), writeDelivery},
	{"cpus", readCPUsFlag, writeCPUs},
	{"mem", into(ParseMiB, func(s *task.Spec) *int64 { return &s.Need.MemoryMB }), func(s *task.Spec) []string { return given(FormatMiB(s.Need.MemoryMB)) }},
	{"disk", into(ParseMiB, func(s *task.Spec) *int64 { return &s.Need.DiskMB }), func(s *task.Spec) []string { return given(FormatMiB(s.Need.DiskMB)) }},
	{"gpus", into(parseCount[int32], func(s *task.Spec) *int32 { return &s.Need.GPUs }), func(s *task.Spec) []string { return number(s.Need.GPUs) }},
	{"cpu-time", into(ParseCPUTime, cpuTimeOfSpec), func(s *task.Spec) []string { return given(FormatDuration(s.Need.Limits.CPUTime)) }},
	{"max-processes", into(parseCount[int32], func(s *task.Spec) *int32 { return &s.Need.Limits.Processes }), func(s *task.Spec) []string { return number(s.Need.Limits.Processes) }},
	{"max-open-files", into(parseCount[int32], func(s *task.Spec) *int32 { return &s.Need.Limits.OpenFiles }), func(s *task.Spec) []string { return number(s.Need.Limits.OpenFiles) }},
	{"max-output", into(ParseMiB, func(s *task.Spec) *int64 { return &s.Need.Limits.OutputMB }), func(s *task.Spec) []string { return given(FormatMiB(s.Need.Limits.OutputMB)) }},
	{"sandbox", into(ParseLevel, func(s *task.Spec) *string { return &s.Need.Sandbox }), func(s *task.Spec) []string { return given(s.Need.Sandbox) }},
	{"on", func(s *task.Spec, v string) error { s.Need.On = v; return nil }, func(s *task.Spec) []string { return given(s.Need.On) }},
	{"label", readLabel, func(s *task.Spec) []string { return assignments(s.Need.Labels) }},
	{"os", labelReader("os"), nil},
	{"arch", labelReader("arch"), nil},
	{"dir", func(s *task.Spec, v string) error { s.Dir = v; return nil }, func(s *task.Spec) []string { return given(s.Dir) }},
	{"keep", into(strconv.ParseBool, func(s *task.Spec) *bool { return &s.Keep }), writeKeep},
	{"env", readEnv, func(s *task.Spec) []string { return assignments(s.Env) }},
}

// FlagNames lists the flags that SetFlag knows.
func FlagNames() []string {
	out := make([]string, len(flags))
	for i := range flags {
		out[i] = flags[i].name
	}
	return out
}

// SetFlag reads the value of one flag of octaskly submit into a task: SetFlag(s,
// "mem", "2GiB"). A flag that may be repeated adds to what is there. The error
// begins with the flag.
func SetFlag(s *task.Spec, name, value string) error {
	if err := SetValue(s, name, value); err != nil {
		return task.Errorf(task.KindUsage, "--%s: %w", name, err).WithHint("%s", task.HintOf(err))
	}
	return nil
}

// SetValue is SetFlag for a face that has fields instead of flags: the error says
// what is wrong with the value alone.
func SetValue(s *task.Spec, name, value string) error {
	for i := range flags {
		if flags[i].name == name {
			return flags[i].read(s, value)
		}
	}
	return task.Errorf(task.KindInternal, "there is no flag --%s", name)
}

// SubmitArguments are the arguments of octaskly submit that ask for the same
// task. Secrets stand there by their names only, and standard input as the file
// that has to be given again.
func SubmitArguments(s *task.Spec) []string {
	var out []string
	for i := range flags {
		f := &flags[i]
		if f.write == nil {
			continue
		}
		for _, v := range f.write(s) {
			if out = append(out, "--"+f.name); f.name != "keep" {
				out = append(out, v)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Secrets)) {
		out = append(out, "--secret-env", k+"=@FILE")
	}
	if len(s.Stdin) > 0 || s.StdinRef != "" {
		out = append(out, "--stdin-file", "FILE")
	}
	switch {
	case len(s.Argv) > 0:
		return append(append(out, "--"), s.Argv...)
	case strings.HasPrefix(s.Shell, "-"):
		return append(out, "--shell", "--", s.Shell)
	}
	return append(out, s.Shell)
}

// SubmitCommand is the command line that asks for the same task, quoted for a
// shell.
func SubmitCommand(s *task.Spec) string {
	return "octaskly submit " + QuoteShell(SubmitArguments(s)...)
}

// QuoteShell writes words so that a shell reads them back as they are.
func QuoteShell(words ...string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !isShellSafe(r) }) {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}

func isShellSafe(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,@%+", r)
}

// into makes a flag's reader of a parser and the place of its result.
func into[T any](parse func(string) (T, error), place func(*task.Spec) *T) func(*task.Spec, string) error {
	return func(s *task.Spec, v string) (err error) {
		*place(s), err = parse(v)
		return err
	}
}

func given(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}

func number[T int32 | int64](n T) []string {
	if n == 0 {
		return nil
	}
	return []string{strconv.FormatInt(int64(n), 10)}
}

func assignments(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+"="+m[k])
	}
	return out
}
