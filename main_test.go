package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"octaskly": main})
}

// TestScript runs whole-program stories with the real program, each in a home
// of its own.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: ownHome, Cmds: commands, RequireExplicitExec: true, Deadline: deadline()})
}

// ownHome gives a story a user of its own: nothing of this machine's user is
// read or touched.
func ownHome(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	run := filepath.Join(e.WorkDir, "run")
	for _, dir := range []string{home, run} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	for name, value := range map[string]string{
		"HOME": home, "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": filepath.Join(home, ".config"), "XDG_CACHE_HOME": filepath.Join(home, ".cache"),
		"XDG_DATA_HOME": filepath.Join(home, ".local", "share"), "XDG_STATE_HOME": filepath.Join(home, ".local", "state"),
	} {
		e.Setenv(name, value)
	}
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "OCTASKLY_") {
			e.Setenv(name, "")
		}
	}
	e.Setenv("OCTASKLY_API", "off") // all scripts run beside each other; one asks for it
	return nil
}
