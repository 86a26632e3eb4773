package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// A crash report says which build failed where. It has no arguments of the
// command line, no environment and no data: those may be secrets.

// reportCrash writes a report about a panic and says where it is.
func reportCrash(env *environment, v any, stack []byte) {
	text := crashReport(crashHead(env), v, stack)
	path, err := writeCrashReport(env, text)
	if err != nil {
		env.out.warn("octaskly: internal error, and no report could be written (%v):\n%s", err, text)
		return
	}
	env.out.warn("octaskly: internal error: this is a fault of the program. A report is in %s", path)
}

// crashHead is what is known of this run before anything else is.
func crashHead(env *environment) string {
	verb := "-"
	scratch := &environment{Program: env.Program, given: map[string][]string{}} // building the tree sets every flag to its default
	if c, _, err := newRootCommand(scratch).Find(env.Args); err == nil {
		verb = c.CommandPath()
	}
	return fmt.Sprintf("octaskly %s, %s %s/%s\nverb: %s\nat: %s\n",
		Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, verb, time.Now().UTC().Format(time.RFC3339))
}

// crashReport is the whole text. Of the value only a fault that the runtime
// found is quoted: any other may carry data.
func crashReport(head string, v any, stack []byte) string {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	return head + "panic: " + what + "\n\n" + string(stack)
}

// writeCrashReport puts a text into a file of its own that only this user can read.
func writeCrashReport(env *environment, text string) (string, error) {
	f, err := createCrashFile(env)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return f.Name(), err
}

func createCrashFile(env *environment) (*os.File, error) {
	dir := filepath.Join(env.Paths.State, "crash")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, time.Now().UTC().Format("20060102-150405-")+"*.txt")
}

// reportRuntimeCrashes lets the runtime write a fault of any goroutine into a report as
// well, for as long as a node runs. The returned function ends that and removes
// the report if there was none.
func reportRuntimeCrashes(env *environment) (end func()) {
	f, err := createCrashFile(env)
	if err != nil {
		return func() {} // the fault is still told on standard error
	}
	_, err = f.WriteString(strings.TrimRight(crashHead(env), "\n") + " (start)\n\n")
	if err == nil {
		err = debug.SetCrashOutput(f, debug.CrashOptions{})
	}
	_ = f.Close() // the runtime has a duplicate
	if err != nil {
		_ = os.Remove(f.Name())
		return func() {}
	}
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_ = os.Remove(f.Name())
	}
}
