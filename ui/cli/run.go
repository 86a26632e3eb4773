package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

func newRunCommand(env *environment) *cobra.Command {
	var t taskFlags
	var solo, detach bool
	cmd := &cobra.Command{
		Use:   "run [flags] COMMAND | -- PROGRAM [ARGUMENT…]",
		Short: "run a command somewhere, show its output, end with its code",
		Long: `Run a command on whichever node has room for it, show its output as it comes,
and end with its exit code. What is piped in becomes its standard input. The
first Ctrl-C cancels it, the second kills it, the third leaves.

Other exit codes: 124 it ran out of time, 125 Octaskly failed, 126 the command
cannot be executed, 127 it was not found, 128+n signal n ended it.`,
		Example: `  octaskly run 'make test'
  octaskly run --solo 'echo hello from $(hostname)'
  octaskly run --on mill-03 -- sha256sum /etc/hostname`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			if !t.stdin && t.stdinFile == "" && !cmd.Flags().Changed("stdin") && isPiped(env.Stdin) {
				t.stdin = true
			}
			sub, err := t.submission(env, cmd, args)
			if err != nil {
				return err
			}
			o := followOptions{output: true, failFast: t.failFast || solo, detach: detach}
			if solo {
				return runSolo(env, sub, o)
			}
			return submitAndFollow(env, sub, o)
		},
	}
	t.add(cmd)
	cmd.Flags().BoolVar(&solo, "solo", false, "run it here, in a cluster of its own that is thrown away")
	cmd.Flags().BoolVar(&detach, "detach-on-interrupt", false, "Ctrl-C leaves it running")
	return cmd
}

// runSolo runs a task in a private cluster inside this process.
func runSolo(env *environment, sub submission, o followOptions) error {
	cfg, err := env.soloConfiguration()
	if err != nil {
		return err
	}
	if sub.Spec.Need.Sandbox == "none" && !cfg.Given("sandbox-level") {
		cfg.SandboxLevel = "none" // who asks and who owns the node are one
	}
	c, err := openSolo(env, cfg)
	if err != nil {
		return err
	}
	defer c.close()
	c.untilWorker(env.ctx) // no other will come: what this one cannot run is refused
	ctx, cancel := env.answer()
	id, _, err := c.submit(ctx, &sub, o.failFast)
	cancel()
	if err != nil {
		return err
	}
	f := &following{env: env, id: id, o: o, sink: newSink(env)}
	f.c.Store(c)
	return f.run()
}

// workerTime is how long a private cluster may take to have its worker.
const workerTime = 5 * time.Second

// untilWorker returns when some node runs tasks, or when none did for workerTime.
func (c *connection) untilWorker(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, workerTime)
	defer cancel()
	t := time.NewTicker(10 * time.Millisecond)
	defer t.Stop()
	for {
		if s, err := c.Status(ctx); err == nil && s.Slots > 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
