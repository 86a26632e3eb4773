package cli

import (
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// exactly, atLeast and noMore say in words what is missing or too much.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if n == 0 {
			return usageOf(cmd, "%s takes no argument, but %s was given", cmd.CommandPath(), quoteAll(args))
		}
		if len(args) < n {
			return usageOf(cmd, "%s needs %s", cmd.CommandPath(), what)
		}
		return usageOf(cmd, "%s takes %s and nothing more, but %s was given", cmd.CommandPath(), what, quoteAll(args[n:]))
	}
}

func atLeast(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return usageOf(cmd, "%s needs %s", cmd.CommandPath(), what)
	}
}

func usageOf(cmd *cobra.Command, format string, v ...any) error {
	e := task.Errorf(task.KindUsage, format, v...)
	hint := "usage:  " + cmd.UseLine()
	if cmd.Example != "" {
		hint += "\nas in:  " + strings.TrimSpace(strings.Split(strings.TrimSpace(cmd.Example), "\n")[0])
	}
	return e.WithHint("%s", hint)
}

func quoteAll(args []string) string {
	out := make([]string, 0, min(len(args), 4))
	for _, s := range args {
		if len(out) == 3 {
			out = append(out, "…")
			break
		}
		if len(s) > 40 {
			s = s[:40] + "…"
		}
		out = append(out, `"`+s+`"`)
	}
	return strings.Join(out, " ")
}

// flagFault turns a fault of the flag parser into a usage error that names the
// nearest flag.
func flagFault(cmd *cobra.Command, err error) error {
	var shorthand *pflag.NotExistError
	if errors.As(err, &shorthand) && len(shorthand.GetSpecifiedName()) == 1 && strings.Trim(shorthand.GetSpecifiedName(), "0123456789") == "" {
		return usageOf(cmd, "-%s is neither a flag nor a number that can be given here", shorthand.GetSpecifiedShortnames())
	}
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		if number := (*strconv.NumError)(nil); errors.As(err, &number) {
			why := "is not a number"
			if errors.Is(err, strconv.ErrRange) {
				why = "is too large a number"
			}
			return usageOf(cmd, "--%s: %q %s", value.GetFlag().Name, value.GetValue(), why)
		}
	}
	e := task.Errorf(task.KindUsage, "%w", err)
	name, ok := strings.CutPrefix(err.Error(), "unknown flag: --")
	if ok {
		var known []string
		each := func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, f.Name)
			}
		}
		cmd.Flags().VisitAll(each)
		cmd.InheritedFlags().VisitAll(each)
		if near := text.Nearest(name, known); near != "" {
			return e.WithHint("did you mean --%s?\nall flags:  %s --help", near, cmd.CommandPath())
		}
	}
	if takesCommand(cmd) && strings.HasPrefix(err.Error(), "unknown") {
		return e.WithHint("if it belongs to the command, put -- before it:  %s -- PROGRAM ARGUMENTS…\nall flags:  %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
	return e.WithHint("all flags:  %s --help", cmd.CommandPath())
}

// elsewhere is what words of other tools are called here.
var elsewhere = map[string]string{
	"kill": "octaskly cancel ID", "abort": "octaskly cancel ID", "delete": "octaskly cancel ID, octaskly nodes remove NAME or octaskly purge",
	"rm": "octaskly cancel ID, octaskly nodes remove NAME or octaskly purge", "remove": "octaskly nodes remove NAME",
	"list": "octaskly ps or octaskly nodes", "ls": "octaskly ps or octaskly nodes", "jobs": "octaskly ps", "tasks": "octaskly ps", "queue": "octaskly ps",
	"stop": "octaskly cancel ID, or octaskly drain NODE", "pause": "octaskly drain NODE", "resume": "octaskly undrain NODE",
	"demote": "octaskly promote, on the node that is to dispatch instead", "exec": "octaskly run", "add": "octaskly submit", "log": "octaskly logs ID",
	"tail": "octaskly logs -f ID", "output": "octaskly logs ID", "info": "octaskly show ID or octaskly status", "inspect": "octaskly show ID",
	"describe": "octaskly show ID", "restart": "octaskly retry ID", "rerun": "octaskly retry ID", "start": "octaskly worker or octaskly dispatcher",
	"serve": "octaskly dispatcher", "server": "octaskly dispatcher", "agent": "octaskly worker", "client": "octaskly worker", "login": "octaskly join CODE",
}

// unknownVerb says that there is no such verb, and which one was meant.
func unknownVerb(cmd *cobra.Command, word string) error {
	var verbs []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			verbs = append(verbs, c.Name())
		}
	}
	e := task.Errorf(task.KindUsage, "%s has no verb %q", cmd.CommandPath(), word)
	if meant := elsewhere[word]; meant != "" && !cmd.HasParent() {
		return e.WithHint("did you mean?   %s\nall verbs:      octaskly help", meant)
	}
	if near := text.Nearest(word, verbs); near != "" {
		return e.WithHint("did you mean?   %s %s\nall verbs:      octaskly help", cmd.CommandPath(), near)
	}
	if cmd.HasParent() {
		return e.WithHint("its verbs: %s", strings.Join(verbs, ", "))
	}
	return e.WithHint("to run a command:  octaskly run %s\nall verbs:         octaskly help", text.QuoteShell(word))
}
