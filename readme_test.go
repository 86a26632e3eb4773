package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const testCommand = "go test ./..."

// TestReadme runs what the README shows: in each console block the lines that
// begin with "$", in order, as one user; below a command stands the beginning
// of its output, where … is anything.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	shown := consoleBlocks(string(text))
	if len(shown) == 0 || !strings.Contains(shown[0], "$ "+testCommand+"\n") {
		t.Fatal("the README does not begin with how to run it and its tests")
	}
	for i, block := range shown {
		name := filepath.Join(dir, fmt.Sprintf("block%d.txtar", i+1))
		if err := os.WriteFile(name, []byte(storyOf(block)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: dir, Setup: ownHome, Cmds: commands, RequireExplicitExec: true, Deadline: deadline()})
}

// TestCIRunsTheReadmesTests keeps the README's promise: what it says passes is
// what is run before anything lands.
func TestCIRunsTheReadmesTests(t *testing.T) {
	text, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n\t"+testCommand+"\n") {
		t.Errorf(".ci/run does not run %q as it stands", testCommand)
	}
}

func consoleBlocks(text string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// storyOf writes a console block as a story.
func storyOf(block string) string {
	var b strings.Builder
	var want []string
	check := func() {
		if len(want) > 0 {
			fmt.Fprintf(&b, "stdout '%s'\n", strings.ReplaceAll(`(?s)\A`+strings.Join(want, `\n`), "'", "''"))
		}
		want = nil
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(block, "\n"), "\n") {
		line, isCommand := strings.CutPrefix(l, "$ ")
		if !isCommand {
			want = append(want, strings.ReplaceAll(regexp.QuoteMeta(l), "…", ".*"))
			continue
		}
		check()
		line = strings.Replace(line, "go run . ", "octaskly ", 1)
		switch {
		case line == testCommand: // it is what runs this
		case strings.HasPrefix(line, "octaskly --headless "):
			fmt.Fprintf(&b, "exec %s &\nuntil octaskly ps\n", line)
		case strings.Contains(line, "curl "): // with what a shell does
			fmt.Fprintf(&b, "exec sh -c '%s'\n", strings.ReplaceAll(line, "'", "''"))
		default:
			fmt.Fprintf(&b, "exec %s\n", line)
		}
	}
	check()
	return b.String()
}
