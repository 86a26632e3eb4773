package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "look for what keeps this machine from working", Args: exactly(0, ""),
		Long: `Look at everything that a node on this machine needs: the clock, the store, the
sandbox, ports, socket buffers, every way of finding other nodes on every
interface, and the dispatcher. Each finding comes with what to do. It takes a
few seconds, works with and without a running node, and changes nothing. The
exit code is 1 if something is broken.`,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.configuration()
			if err != nil {
				return err
			}
			a.logFor(cfg, quietLog)
			if a.Backend.Examine == nil {
				return task.Errorf(task.KindUnavailable, "this build cannot examine a machine")
			}
			return a.printFindings(a.Backend.Examine(a.ctx, cfg))
		},
	}
}

type findingObject struct {
	Schema string  `json:"schema"`
	Area   string  `json:"area"`
	Level  string  `json:"level"` // ok, info, warning, error
	Text   string  `json:"text"`
	Cure   *string `json:"cure"`
}

// printFindings prints findings, with --quiet only what needs doing, and fails
// without a word when something is broken.
func (a *app) printFindings(all []node.Finding) error {
	broken := 0
	for _, f := range all {
		if f.Level == "error" {
			broken++
		}
		if err := a.printFinding(f); err != nil {
			return err
		}
	}
	if broken > 0 {
		return silent(exitFailed)
	}
	return nil
}

func (a *app) printFinding(f node.Finding) error {
	switch {
	case a.out.json:
		return a.out.object(findingObject{"octaskly.finding/1", f.Area, f.Level, f.Text, orNull(f.Cure)})
	case a.out.plain:
		return a.out.line("%s\t%s\t%s\t%s", f.Level, f.Area, cleanLine(f.Text), cleanLine(strings.ReplaceAll(f.Cure, "\n", "; ")))
	case a.out.quiet && f.Level != "warning" && f.Level != "error":
		return nil
	}
	if err := a.out.line("%-8s %-10s %s", f.Level, f.Area, strings.ReplaceAll(cleanLines(f.Text), "\n", "\n             ")); err != nil {
		return err
	}
	if f.Cure == "" {
		return nil
	}
	for l := range strings.SplitSeq(f.Cure, "\n") {
		if err := a.out.line("%20s→ %s", "", cleanLine(l)); err != nil {
			return err
		}
	}
	return nil
}
