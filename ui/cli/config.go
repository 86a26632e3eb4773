package cli

import (
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/queue/task/text"
)

func newConfigCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "where settings come from", Long: `Look at the settings of a node. A flag wins over the environment, that over the
file, that over the default.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return usageOf(cmd, "%s needs a verb: path, print or check", cmd.CommandPath())
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	printCmd := &cobra.Command{
		Use: "print", Short: "every setting, its value, and where that came from", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return printSettings(env) },
	}
	addNodeFlags(env, printCmd)
	check := &cobra.Command{
		Use: "check", Short: "find what is wrong in the settings", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := env.configuration()
			if err != nil {
				return err
			}
			if _, err := screenKeys(cfg); err != nil {
				return err
			}
			for _, w := range cfg.Warnings {
				env.out.warn("warning: %s", text.CleanLine(w))
			}
			env.out.say("nothing is wrong")
			return nil
		},
	}
	addNodeFlags(env, check)
	cmd.AddCommand(
		&cobra.Command{
			Use: "path", Short: "where the file and the data are", Args: exactly(0, ""),
			RunE: func(*cobra.Command, []string) error { return printConfigPath(env) },
		},
		printCmd, check,
	)
	return cmd
}
