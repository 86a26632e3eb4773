package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printHelp prints the page of a verb, or the first page.
func printHelp(env *environment, cmd *cobra.Command) {
	if words := cmd.Flags().Args(); len(words) > 0 && cmd.HasAvailableSubCommands() {
		env.unprinted = unknownVerb(cmd, words[0])
		return
	}
	var b strings.Builder
	if !cmd.HasParent() {
		firstPage(&b, cmd)
	} else {
		verbPage(&b, cmd)
	}
	_, env.unprinted = io.WriteString(env.Stdout, b.String())
}

// newHelpCommand is help as a verb.
func newHelpCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "help [VERB]", Short: "how a verb is used",
		ValidArgsFunction: completeVerbs,
		RunE: func(cmd *cobra.Command, words []string) error {
			of := cmd.Root()
			for _, word := range words {
				next := childNamed(of, word)
				if next == nil {
					return unknownVerb(of, word)
				}
				of = next
			}
			printHelp(env, of)
			return nil
		},
	}
}

// completeVerbs offers the verbs below those that stand there.
func completeVerbs(cmd *cobra.Command, words []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
	of := cmd.Root()
	for _, word := range words {
		if of = childNamed(of, word); of == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, c := range of.Commands() {
		if !c.Hidden {
			out = append(out, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func firstPage(b *strings.Builder, root *cobra.Command) {
	fmt.Fprintf(b, "%s\n\nUsage:\n  octaskly [flags]            start a node and look at it\n  octaskly VERB [flags]       do one thing and end\n\nVerbs:\n", root.Short)
	var more []*cobra.Command
	for _, name := range firstVerbs {
		if c := childNamed(root, name); c != nil {
			fmt.Fprintf(b, "  %-12s %s\n", c.Name(), c.Short)
		}
	}
	for _, c := range root.Commands() {
		if !slices.Contains(firstVerbs, c.Name()) && !c.Hidden {
			more = append(more, c)
		}
	}
	b.WriteString("\nMore:\n")
	for _, c := range more {
		fmt.Fprintf(b, "  %-12s %s\n", c.Name(), c.Short)
	}
	fmt.Fprintf(b, "\nFirst steps:\n%s\n", strings.TrimRight(firstSteps, "\n"))
	writeFlags(b, "Flags of every verb", root.PersistentFlags())
	b.WriteString("\nThe flags of a node stand in:  octaskly worker --help\nThe flags of a verb:           octaskly VERB --help\n")
}

const firstSteps = `  octaskly run --solo 'echo hello from $(hostname)'   a task, here and now
  octaskly dispatcher                                 a queue that others can join
  octaskly worker                                     lend this machine to it
  octaskly submit 'make test'                         give it something to do
`

func verbPage(b *strings.Builder, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(b, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(text), cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nVerbs:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(b, "  %-12s %s\n", c.Name(), c.Short)
			}
		}
	}
	writeFlags(b, "Flags", cmd.NonInheritedFlags())
	b.WriteString("\nFlags of every verb:  octaskly help\n")
}

// writeFlags prints flags under the heading each one belongs to, those
// without one under first.
func writeFlags(b *strings.Builder, first string, all *pflag.FlagSet) {
	order := []string{first}
	groups := map[string]*pflag.FlagSet{first: pflag.NewFlagSet(first, pflag.ContinueOnError)}
	all.VisitAll(func(f *pflag.Flag) {
		name := first
		if g := f.Annotations[groupNote]; len(g) > 0 && first == "Flags" {
			name = g[0]
		}
		if groups[name] == nil {
			groups[name] = pflag.NewFlagSet(name, pflag.ContinueOnError)
			order = append(order, name)
		}
		groups[name].AddFlag(f)
	})
	for _, name := range order {
		if u := groups[name].FlagUsages(); u != "" {
			fmt.Fprintf(b, "\n%s:\n%s", name, u)
		}
	}
}
