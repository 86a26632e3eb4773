package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker when a release is built.
var (
	version = ""
	commit  = ""
	date    = ""
)

// Version is what this build calls itself.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

type versionObject struct {
	Version string  `json:"version"`
	Commit  *string `json:"commit"`
	Date    *string `json:"date"`
	Go      string  `json:"go"`
	OS      string  `json:"os"`
	Arch    string  `json:"arch"`
}

func newVersionCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "print the version", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return printVersion(env) },
	}
}

func printVersion(env *environment) error {
	if env.out.json {
		return env.out.object(versionObject{Version(), orNull(commit), orNull(date), runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	if env.out.quiet {
		return env.out.line("%s", Version())
	}
	text := "octaskly " + Version()
	if commit != "" {
		text += fmt.Sprintf(" (%.12s, %s)", commit, date)
	}
	return env.out.line("%s, %s, %s/%s", text, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
