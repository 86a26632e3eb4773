package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newJoinCommand(env *environment) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "join [CODE | --join-file FILE]", Short: "become a member of somebody's cluster",
		Long: `Become a member of a cluster, with a code that octaskly invite made there. A
long code belongs in a file, in OCTASKLY_JOIN or on standard input, because
everybody on this machine can see a command line.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && file != "" {
				return usageOf(cmd, "%s takes one code, or --join-file", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			code, err := readJoinCode(env, cmd, args, file)
			if err != nil {
				return err
			}
			cfg, err := env.configuration()
			if err != nil {
				return err
			}
			env.logFor(cfg, quietLog)
			wait, err := env.wait()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(env.ctx, wait)
			defer cancel()
			i, err := node.Join(ctx, node.Options{Config: &cfg.Config, Paths: env.Paths, Version: Version(), Logger: slog.Default(), Join: code})
			switch {
			case err != nil:
				return withHints(err)
			case env.out.json:
				return env.out.object(document.IdentityOf(&i))
			}
			return env.out.line("%s is a member of %s now", text.CleanLine(i.Name), text.CleanLine(i.Cluster))
		},
	}
	cmd.Flags().StringVar(&file, "join-file", "", "`FILE` that holds the code; - is standard input")
	return cmd
}

// maxTypedCode is more than a short code with all the blanks that people put
// into it, and less than a long one.
const maxTypedCode = 24

// maxCode is the longest code that is read, in bytes.
const maxCode = 4096

// readJoinCode finds the code: the argument, the file, or the variable.
func readJoinCode(env *environment, cmd *cobra.Command, args []string, file string) (string, error) {
	var in io.Reader
	switch {
	case len(args) == 1 && args[0] != "-":
		if len(args[0]) > maxTypedCode {
			return "", task.Errorf(task.KindUsage, "a long code does not belong on a command line, where everybody on this machine can see it").
				WithHint("put it into a file that only you can read:  --join-file FILE\nor into OCTASKLY_JOIN, or on standard input:  --join-file -")
		}
		return args[0], nil
	case len(args) == 1, file == "-":
		in = env.Stdin
	case file != "":
		f, err := openInput(env.ctx, file)
		if err != nil {
			return "", inputFault("--join-file", err)
		}
		defer f.Close()
		in = f
	default:
		if v := strings.TrimSpace(env.getenv("OCTASKLY_JOIN")); v != "" {
			return v, nil
		}
		return "", usageOf(cmd, "%s needs a code", cmd.CommandPath())
	}
	line, err := readInputLine(env.ctx, in, maxCode)
	if err != nil {
		return "", inputFault("read the code", err)
	}
	if line = strings.TrimSpace(line); line == "" {
		return "", task.Errorf(task.KindUsage, "there is no code in it")
	}
	return line, nil
}

// startFlags are how a node that is started becomes a member.
type startFlags struct{ code, file string }

// startJoinCode is the code that a starting node was given, or empty.
func startJoinCode(env *environment) (string, error) {
	if env.start.code != "" && env.start.file != "" {
		return "", task.Errorf(task.KindUsage, "--join and --join-file are two ways to say the same: use one")
	}
	if env.start.code == "" && env.start.file == "" && strings.TrimSpace(env.getenv("OCTASKLY_JOIN")) == "" {
		return "", nil
	}
	var args []string
	if env.start.code != "" {
		args = []string{env.start.code}
	}
	return readJoinCode(env, nil, args, env.start.file)
}
