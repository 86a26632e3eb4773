package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
)

// A panic ends with 70 and a report for this user only, without a word of what
// was on the command line.
func TestCrashReport(t *testing.T) {
	dir := t.TempDir()
	var out, talk strings.Builder
	code := Main(Program{
		Args: []string{"submit", "--env", "TOKEN=hunter2", "echo hunter2"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk, Environ: []string{"OCTASKLY_SECRET=hunter2"},
		Paths: config.Paths{State: dir, Data: dir},
		Dial:  func(context.Context, *config.Loaded) (control.Control, io.Closer, error) { panic("hunter2") },
	})
	if code != exitInternal || !strings.Contains(talk.String(), "internal error") {
		t.Fatalf("code %d: %s", code, &talk)
	}
	files, err := filepath.Glob(filepath.Join(dir, "crash", "*.txt"))
	if err != nil || len(files) != 1 || !strings.Contains(talk.String(), files[0]) {
		t.Fatalf("%v, %v: %s", files, err, &talk)
	}
	i, err := os.Stat(files[0])
	if err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", i, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "hunter2") || !strings.Contains(s, "verb: octaskly submit") || !strings.Contains(s, "crash_test.go") {
		t.Errorf("the report:\n%s", s)
	}
}

// Only what the runtime itself says is quoted.
func TestCrashReportQuotesNoData(t *testing.T) {
	if s := crashReport("", errors.New("secret"), nil); strings.Contains(s, "secret") {
		t.Error(s)
	}
	defer func() {
		if s := crashReport("", recover(), nil); !strings.Contains(s, "index out of range") {
			t.Error(s)
		}
	}()
	none := strings.Fields("")
	_ = none[len(s0)]
}

const s0 = "x"
