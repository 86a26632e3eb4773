package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// taskFlags are the flags of run and submit: a task as a person asks for it.
type taskFlags struct {
	name, priority, timeout, grace, backoff, delivery string
	cpus, mem, disk, sandbox, on, os, arch, dir       string
	stdinFile, key, envFile, cpuTime, maxOutput       string
	tags, retryOn, labels, env, inherit, secrets      []string
	retries, gpus, openFiles, processes               int32
	stdin, shell, noShell, keep, failFast             bool
}

func (t *taskFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&t.name, "name", "", "a `NAME` for people")
	f.StringArrayVar(&t.tags, "tag", nil, "a `TAG` to find it by; may be repeated")
	f.StringVar(&t.priority, "priority", "normal", "low, normal, high, critical or 0 to 100")
	f.StringVar(&t.timeout, "timeout", "", "longest it may run, a `DURATION`; 0 is for ever (default: the dispatcher's)")
	f.StringVar(&t.grace, "grace", "", "time between asking it to end and killing it, a `DURATION`")
	f.Int32Var(&t.retries, "retries", 0, "run it again so often when it fails")
	f.StringVar(&t.backoff, "backoff", "exponential", "how the delay between attempts grows: exponential or fixed")
	f.StringSliceVar(&t.retryOn, "retry-on", nil, "exit `CODES` worth another attempt (default all but 0)")
	f.StringVar(&t.delivery, "delivery", "at-least-once", "when its worker is lost: at-least-once runs it again, at-most-once never")
	f.StringVar(&t.cpus, "cpus", "1", "CPUs it needs, as in 2 or 0.5")
	f.StringVar(&t.mem, "mem", "", "memory it needs, and its limit: a `SIZE` in MiB or with a unit")
	f.StringVar(&t.disk, "disk", "", "disk it needs, and its limit: a `SIZE` in MiB or with a unit")
	f.Int32Var(&t.gpus, "gpus", 0, "GPUs it needs")
	f.StringVar(&t.cpuTime, "cpu-time", "", "most processor time of all its processes together, a `DURATION`")
	f.Int32Var(&t.processes, "max-processes", 0, "most processes and threads at once")
	f.Int32Var(&t.openFiles, "max-open-files", 0, "most open files of each process")
	f.StringVar(&t.maxOutput, "max-output", "", "most output, beyond which it is ended: a `SIZE` in MiB or with a unit")
	f.StringVar(&t.sandbox, "sandbox", "", "`LEVEL` of isolation: none, basic, strict, very-strict (default: the node's)")
	f.StringVar(&t.on, "on", "", "run it on this `NODE` only")
	f.StringArrayVar(&t.labels, "label", nil, "run it where the label `K=V` is; may be repeated")
	f.StringVar(&t.os, "os", "", "run it on this system, as in linux, darwin, windows")
	f.StringVar(&t.arch, "arch", "", "run it on this architecture, as in amd64, arm64")
	f.StringVar(&t.dir, "dir", "", "directory on the node to run it in; must exist there (default: a new empty one)")
	f.BoolVar(&t.keep, "keep", false, "keep its directory after the end")
	f.StringArrayVar(&t.env, "env", nil, "set the variable `K=V` for it; may be repeated")
	f.StringVar(&t.envFile, "env-file", "", "set the variables in this `FILE`, one K=V a line")
	f.StringArrayVar(&t.inherit, "inherit-env", nil, "pass on the variable `NAME` from here; may be repeated")
	f.StringArrayVar(&t.secrets, "secret-env", nil, "set the variable `NAME=@FILE` to what is in a file; only the node that runs the task can read it")
	f.BoolVar(&t.stdin, "stdin", false, "give it what stands on standard input here")
	f.StringVar(&t.stdinFile, "stdin-file", "", "give it this `FILE` as standard input")
	f.BoolVar(&t.shell, "shell", false, "give everything to the shell, also what follows --")
	f.BoolVar(&t.noShell, "no-shell", false, "run the program directly, also when it is one string")
	f.StringVar(&t.key, "idempotency-key", "", "submit only once under this `KEY`")
	f.BoolVar(&t.failFast, "fail-fast", false, "refuse it when no node known now could ever run it")
}

// submission builds a task from the flags and the command. Standard input is
// read here; it may be larger than what rides in a task.
func (t *taskFlags) submission(env *environment, cmd *cobra.Command, args []string) (submission, error) {
	sub := submission{Submission: task.Submission{Key: t.key}}
	s := &sub.Spec
	steps := []func(*task.Spec) error{
		func(s *task.Spec) error { return t.command(cmd, args, s) },
		func(*task.Spec) error {
			return notEmpty(cmd, "name", "on", "dir", "sandbox", "timeout", "grace", "idempotency-key")
		},
		t.names, t.times, t.needs,
		func(s *task.Spec) error { return t.environment(env, s) },
		func(s *task.Spec) error { return t.input(env, s) },
		func(s *task.Spec) (err error) { sub.Secrets, err = readSecrets(env.ctx, t.secrets, s.Env); return err },
	}
	for _, step := range steps {
		if err := step(s); err != nil {
			return sub, err
		}
	}
	if err := task.CheckKey(t.key); err != nil {
		return sub, err
	}
	return sub, checkButStdin(*s)
}

// checkButStdin checks a spec whose standard input may yet be stored beside it.
func checkButStdin(s task.Spec) error {
	if len(s.Stdin) > task.MaxInlineStdin {
		s.Stdin = nil
	}
	return s.Check()
}

// notEmpty refuses flags that were given without a value, as an unset variable
// in a script gives them.
func notEmpty(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		if f == nil || !f.Changed {
			continue
		}
		empty := f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			empty = len(list.GetSlice()) == 0 || slices.Contains(list.GetSlice(), "")
		}
		if empty {
			return task.Errorf(task.KindUsage, "--%s is empty", name).WithHint("give it a value, or leave it out")
		}
	}
	return nil
}

// command decides between a shell and a program: one word before any "--" is
// for the shell, everything after "--" is a program with its arguments.
func (t *taskFlags) command(cmd *cobra.Command, args []string, s *task.Spec) error {
	dash := cmd.ArgsLenAtDash()
	switch {
	case t.shell && t.noShell:
		return task.Errorf(task.KindUsage, "--shell and --no-shell exclude each other")
	case len(args) == 0:
		return usageOf(cmd, "%s needs a command", cmd.CommandPath())
	case dash > 0:
		return usageOf(cmd, "a command stands either before -- or after it, not both")
	case dash < 0 && len(args) > 1 && !t.shell && !t.noShell:
		words := make([]string, len(args))
		for i, w := range args {
			words[i] = quoteShell(w)
		}
		line := strings.Join(words, " ")
		if len(line) > maxHintLine {
			return task.Errorf(task.KindUsage, "the command is %d words, so it is not clear whether a shell is meant", len(args)).
				WithHint("without a shell:  %s -- PROGRAM ARGUMENTS…\nwith a shell:     %s 'COMMAND LINE'", cmd.CommandPath(), cmd.CommandPath())
		}
		return task.Errorf(task.KindUsage, "the command is %d words, so it is not clear whether a shell is meant", len(args)).
			WithHint("without a shell:  %s -- %s\nwith a shell:     %s %s", cmd.CommandPath(), line, cmd.CommandPath(), quoteShell(strings.Join(args, " ")))
	case t.shell, dash < 0 && !t.noShell:
		s.Shell = strings.Join(args, " ")
	default:
		s.Argv = args
	}
	return nil
}

// maxHintLine is the longest command line that is said back to its author.
const maxHintLine = 1000

func (t *taskFlags) names(s *task.Spec) (err error) {
	s.Name, s.Tags, s.Dir, s.Keep = t.name, t.tags, t.dir, t.keep
	if s.Priority, err = task.ParsePriority(t.priority); err != nil {
		return err
	}
	s.Delivery, err = task.ParseDelivery(t.delivery)
	return err
}

func (t *taskFlags) times(s *task.Spec) (err error) {
	if t.timeout != "" {
		if s.Timeout, err = task.ParseTimeout(t.timeout); err != nil {
			return err
		}
	}
	if t.grace != "" {
		if s.Grace, err = grace(t.grace); err != nil {
			return err
		}
	}
	if s.Backoff, err = task.ParseBackoff(t.backoff); err != nil {
		return err
	}
	s.Retries = t.retries
	for _, c := range t.retryOn {
		n, err := strconv.ParseInt(strings.TrimSpace(c), 10, 32)
		if err != nil || n < 0 || n > 255 {
			return task.Errorf(task.KindUsage, "--retry-on: %q is not an exit code from 0 to 255", c)
		}
		s.RetryOn = append(s.RetryOn, int32(n))
	}
	return nil
}

// grace reads a grace; 0 is none at all, which a Spec writes as negative.
func grace(t string) (time.Duration, error) {
	d, err := config.ParseDuration(t)
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "--grace: %w", err)
	}
	if d == 0 {
		return -1, nil
	}
	return d, nil
}

func (t *taskFlags) needs(s *task.Spec) (err error) {
	n := &s.Need
	if n.CPU, err = task.ParseCPUs(t.cpus); err != nil {
		return err
	}
	if n.CPU == 1000 {
		n.CPU = 0
	}
	for _, z := range []struct {
		flag, text string
		into       *int64
	}{{"--mem", t.mem, &n.MemoryMB}, {"--disk", t.disk, &n.DiskMB}, {"--max-output", t.maxOutput, &n.Limits.OutputMB}} {
		if z.text == "" {
			continue
		}
		if *z.into, err = config.ParseMiB(z.text); err != nil {
			return task.Errorf(task.KindUsage, "%s: %w", z.flag, err)
		}
	}
	if t.cpuTime != "" {
		if n.Limits.CPUTime, err = task.ParseCPUTime(t.cpuTime); err != nil {
			return task.Errorf(task.KindUsage, "--cpu-time: %w", err)
		}
	}
	n.Limits.OpenFiles, n.Limits.Processes = t.openFiles, t.processes
	n.GPUs, n.On, n.Sandbox = t.gpus, t.on, t.sandbox
	labels := t.labels
	if t.os != "" {
		labels = append(labels, "os="+t.os)
	}
	if t.arch != "" {
		labels = append(labels, "arch="+t.arch)
	}
	for _, l := range labels {
		k, v, ok := strings.Cut(l, "=")
		if !ok || k == "" {
			return task.Errorf(task.KindUsage, "--label: %q is not of the form K=V", l)
		}
		if n.Labels == nil {
			n.Labels = map[string]string{}
		}
		n.Labels[k] = v
	}
	return nil
}

// environment gathers variables: the file first, then those passed on, then
// those given one by one.
func (t *taskFlags) environment(env *environment, s *task.Spec) error {
	variables := map[string]string{}
	if t.envFile != "" {
		if err := readEnvFile(env.ctx, t.envFile, variables); err != nil {
			return err
		}
	}
	for _, name := range t.inherit {
		v := env.getenv(name)
		if v == "" {
			return task.Errorf(task.KindUsage, "--inherit-env: %s is not set here", quoteShell(name)).WithHint("to pass it on empty:  --env %s=", quoteShell(name))
		}
		variables[name] = v
	}
	for _, kv := range t.env {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return task.Errorf(task.KindUsage, "--env: %q is not of the form K=V", kv).
				WithHint("to pass on a variable from here:  --inherit-env %s", quoteShell(kv))
		}
		if err := checkVariable(k); err != nil {
			return task.Errorf(task.KindUsage, "--env: %w", err)
		}
		variables[k] = v
	}
	if len(variables) > 0 {
		s.Env = variables
	}
	return nil
}

// errNothing is what an empty --from is refused with.
var errNothing = errors.New("there is no task in it")
