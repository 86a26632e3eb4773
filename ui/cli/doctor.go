package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/node/doctor"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newDoctorCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "look for what keeps this machine from working", Args: exactly(0, ""),
		Long: `Look at everything that a node on this machine needs: the clock, the store, the
sandbox, ports, socket buffers, every way of finding other nodes on every
interface, and the dispatcher. Each finding comes with what to do. It takes a
few seconds, works with and without a running node, and changes nothing. The
exit code is 1 if something is broken.`,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := env.configuration()
			if err != nil {
				return err
			}
			env.logFor(cfg, quietLog)
			return printFindings(env, doctor.Examine(env.ctx, &cfg.Config, env.Paths, Version()))
		},
	}
}

// findingObject is a problem as status prints it, or that something is well (level ok).
type findingObject struct {
	Schema string `json:"schema"`
	Area   string `json:"area"`
	document.Problem
}

// printFindings prints findings, with --quiet only what needs doing, and fails
// without a word when something is broken.
func printFindings(env *environment, all []doctor.Finding) error {
	broken := 0
	for _, f := range all {
		if f.Level == doctor.Broken {
			broken++
		}
		if err := printFinding(env, f); err != nil {
			return err
		}
	}
	if broken > 0 {
		return silent(exitFailed)
	}
	return nil
}

func printFinding(env *environment, f doctor.Finding) error {
	switch {
	case env.out.json:
		p := f.Problem()
		return env.out.object(findingObject{"octaskly.finding/1", f.Area, document.ProblemOf(&p)})
	case env.out.plain:
		return env.out.line("%s\t%s\t%s\t%s", f.Level, f.Area, text.CleanLine(f.Text), text.CleanLine(strings.ReplaceAll(f.Cure, "\n", "; ")))
	case env.out.quiet && f.Level != doctor.Warning && f.Level != doctor.Broken:
		return nil
	}
	if err := env.out.line("%-8s %-10s %s", f.Level, f.Area, strings.ReplaceAll(cleanLines(f.Text), "\n", "\n             ")); err != nil {
		return err
	}
	if f.Cure == "" {
		return nil
	}
	for l := range strings.SplitSeq(f.Cure, "\n") {
		if err := env.out.line("%20s→ %s", "", text.CleanLine(l)); err != nil {
			return err
		}
	}
	return nil
}
