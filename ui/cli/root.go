package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
)

func init() {
	cobra.MousetrapHelpText = "" // a double click opens the screen
	cobra.EnableCommandSorting = false
}

// firstVerbs are the verbs on the first page of help, in its order.
var firstVerbs = []string{"run", "submit", "ps", "logs", "cancel", "why", "nodes", "status", "promote", "invite", "join", "worker"}

// newRootCommand builds the command tree for one run.
func newRootCommand(env *environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "octaskly",
		Short: "One machine out of many: run commands on the computers of your network",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownVerb(cmd, args[0])
		},
		RunE:              func(*cobra.Command, []string) error { return serveNode(env, "") },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	addGlobalFlags(env, root.PersistentFlags())
	addNodeFlags(env, root)
	env.look.register(root.Flags())
	root.Flags().BoolP("version", "V", false, "print the version")
	root.SetFlagErrorFunc(flagFault)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { printHelp(env, cmd) })
	root.SetUsageFunc(func(*cobra.Command) error { return nil })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if v, err := cmd.Root().Flags().GetBool("version"); err == nil && v && cmd == cmd.Root() {
			if err := printVersion(env); err != nil {
				return err
			}
			return silent(exitOK)
		}
		return nil
	}
	root.AddCommand(
		newRunCommand(env), newSubmitCommand(env), newPsCommand(env), newLogsCommand(env), newCancelCommand(env), newWhyCommand(env),
		newNodesCommand(env), newStatusCommand(env), newPromoteCommand(env), newInviteCommand(env), newJoinCommand(env), newWorkerCommand(env),
		newDispatcherCommand(env), newShowCommand(env), newWaitCommand(env), newRetryCommand(env), newDrainCommand(env), newUndrainCommand(env),
		newIdentityCommand(env), newDoctorCommand(env), newEventsCommand(env), newTopCommand(env), newUICommand(env), newDemoCommand(env), newBenchCommand(env), newPurgeCommand(env), newConfigCommand(env), newTokenCommand(env),
		newVersionCommand(env),
	)
	root.SetHelpCommand(newHelpCommand(env))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// addNodeFlags gives a verb every setting of a node as a flag.
func addNodeFlags(env *environment, cmd *cobra.Command) {
	for _, s := range config.Settings() {
		if !slices.Contains(globalSettings, s.Key) {
			addSettingFlag(env, cmd.Flags(), s)
		}
	}
}
