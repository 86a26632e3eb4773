package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// joinBools lets a boolean's value stand apart from it, as in
// "--p2p-enabled false": it becomes "--p2p-enabled=false". In verbs whose
// argument is a command, only flags before the verb are joined, because true
// and false are commands as well.
func joinBools(root *cobra.Command, args []string) []string {
	out := make([]string, 0, len(args))
	verb := root
	for i := 0; i < len(args); i++ {
		s := args[i]
		switch {
		case s == "--", takesCommand(verb):
			return append(out, args[i:]...)
		case strings.HasPrefix(s, "-"):
			if i+1 < len(args) && isBool(verb, s) && isTruth(args[i+1]) {
				i++
				s += "=" + args[i]
			}
		default:
			if c := childNamed(verb, s); c != nil {
				verb = c
			}
		}
		out = append(out, s)
	}
	return out
}

func takesCommand(c *cobra.Command) bool { return c.Name() == "run" || c.Name() == "submit" }

func isTruth(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false":
		return true
	}
	return false
}

func childNamed(c *cobra.Command, name string) *cobra.Command {
	for _, s := range c.Commands() {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

// isBool reports whether arg is a long boolean flag, without a value, that
// this verb takes.
func isBool(c *cobra.Command, arg string) bool {
	name, long := strings.CutPrefix(arg, "--")
	if !long || strings.Contains(name, "=") {
		return false
	}
	var f *pflag.Flag
	for v := c; v != nil && f == nil; v = v.Parent() {
		if f = v.PersistentFlags().Lookup(name); f == nil && v == c {
			f = v.Flags().Lookup(name)
		}
	}
	return f != nil && f.Value.Type() == "bool"
}
