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

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "print the version", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	if a.out.json {
		return a.out.object(versionObject{Version(), orNull(commit), orNull(date), runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	if a.out.quiet {
		return a.out.line("%s", Version())
	}
	text := "octaskly " + Version()
	if commit != "" {
		text += fmt.Sprintf(" (%.12s, %s)", commit, date)
	}
	return a.out.line("%s, %s, %s/%s", text, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// orNull is a text in JSON: absent is null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
