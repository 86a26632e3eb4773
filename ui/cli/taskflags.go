package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
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
	var named task.Spec
	if err := t.command(cmd, args, &named); err != nil {
		return submission{}, err
	}
	sub, err := t.withoutCommand(env, cmd)
	if err != nil {
		return sub, err
	}
	sub.Spec.Shell, sub.Spec.Argv = named.Shell, named.Argv
	return sub, sub.CheckButStdin()
}

// withoutCommand is all that the flags say of a task.
func (t *taskFlags) withoutCommand(env *environment, cmd *cobra.Command) (submission, error) {
	sub := submission{NewTask: task.NewTask{Key: t.key}}
	steps := []func(*task.Spec) error{
		func(*task.Spec) error {
			return notEmpty(cmd, "name", "on", "dir", "sandbox", "timeout", "grace", "idempotency-key")
		},
		func(s *task.Spec) error { return t.values(cmd, s) },
		func(s *task.Spec) error { return t.environment(env, s) },
		func(s *task.Spec) error { return t.input(env, s) },
		func(s *task.Spec) (err error) { sub.Secrets, err = readSecrets(env.ctx, t.secrets, s.Env); return err },
	}
	for _, step := range steps {
		if err := step(&sub.Spec); err != nil {
			return sub, err
		}
	}
	return sub, task.CheckKey(t.key)
}

// defaultsOfLines are the flags as what the lines of --from begin as. fromStdin says
// that the lines themselves stand on standard input.
func (t *taskFlags) defaultsOfLines(env *environment, cmd *cobra.Command, fromStdin bool) (task.NewTask, error) {
	for _, name := range []string{"secret-env", "shell", "no-shell", "wait", "follow"} {
		if !cmd.Flags().Changed(name) {
			continue
		}
		e := task.Errorf(task.KindUsage, "--%s cannot be combined with --from", name)
		if name == "wait" || name == "follow" {
			return task.NewTask{}, e.WithHint("octaskly submit -q --from FILE | xargs octaskly wait")
		}
		return task.NewTask{}, e
	}
	if t.stdin && fromStdin {
		return task.NewTask{}, task.Errorf(task.KindUsage, "--stdin: standard input is the file of tasks already").WithHint("use --stdin-file")
	}
	sub, err := t.withoutCommand(env, cmd)
	return sub.NewTask, err
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
			words[i] = text.QuoteShell(w)
		}
		line := strings.Join(words, " ")
		if len(line) > maxHintLine {
			return task.Errorf(task.KindUsage, "the command is %d words, so it is not clear whether a shell is meant", len(args)).
				WithHint("without a shell:  %s -- PROGRAM ARGUMENTS…\nwith a shell:     %s 'COMMAND LINE'", cmd.CommandPath(), cmd.CommandPath())
		}
		return task.Errorf(task.KindUsage, "the command is %d words, so it is not clear whether a shell is meant", len(args)).
			WithHint("without a shell:  %s -- %s\nwith a shell:     %s %s", cmd.CommandPath(), line, cmd.CommandPath(), text.QuoteShell(strings.Join(args, " ")))
	case t.shell, dash < 0 && !t.noShell:
		s.Shell = strings.Join(args, " ")
	default:
		s.Argv = args
	}
	return nil
}

// maxHintLine is the longest command line that is said back to its author.
const maxHintLine = 1000

// values reads every flag that says how the task runs.
func (t *taskFlags) values(cmd *cobra.Command, s *task.Spec) error {
	for _, name := range text.FlagNames() {
		f := cmd.Flags().Lookup(name)
		if f == nil || !f.Changed && name != "priority" || name == "env" {
			continue
		}
		given := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			given = list.GetSlice()
		}
		for _, v := range given {
			if err := text.SetFlag(s, name, v); err != nil {
				return err
			}
		}
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
			return task.Errorf(task.KindUsage, "--inherit-env: %s is not set here", text.QuoteShell(name)).WithHint("to pass it on empty:  --env %s=", text.QuoteShell(name))
		}
		variables[name] = v
	}
	if len(variables) > 0 {
		s.Env = variables
	}
	for _, kv := range t.env {
		if err := text.SetFlag(s, "env", kv); err != nil {
			return err
		}
	}
	return nil
}

// errNothing is what an empty --from is refused with.
var errNothing = errors.New("there is no task in it")
