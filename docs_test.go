package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// TestStatesAreDrawn compares the picture of a task's life with the table that
// the queue obeys.
func TestStatesAreDrawn(t *testing.T) {
	text, err := os.ReadFile("docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	type step struct{ from, to string }
	drawn := map[step]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +(\S+) --> (\S+)`).FindAllStringSubmatch(string(text), -1) {
		drawn[step{m[1], m[2]}] = true
	}
	const outside = "[*]" // not submitted yet, or over
	for _, from := range append([]task.State{0}, task.States()...) {
		for _, to := range task.States() {
			s := step{from.String(), to.String()}
			if from == 0 {
				s.from = outside
			}
			if from.MayBecome(to) != drawn[s] {
				t.Errorf("%s to %s: the table says %v, docs/states.md %v", s.from, s.to, from.MayBecome(to), drawn[s])
			}
			delete(drawn, s)
		}
		if from.Terminal() != drawn[step{from.String(), outside}] {
			t.Errorf("%s is an end: the table says %v, docs/states.md not", from, from.Terminal())
		}
		delete(drawn, step{from.String(), outside})
	}
	for s := range drawn {
		t.Errorf("docs/states.md draws %s to %s, which are no states", s.from, s.to)
	}
}

// TestRecordsAreListed compares docs/adr with its index: each record is there
// once, under a title with its number.
func TestRecordsAreListed(t *testing.T) {
	index, err := os.ReadFile("docs/adr/README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^\| \[(\d{4})\]\((\S+\.md)\) \|`).FindAllStringSubmatch(string(index), -1) {
		listed[m[2]]++
		if m[2][:4] != m[1] {
			t.Errorf("docs/adr/README.md: %s is listed as %s", m[2], m[1])
		}
	}
	files, err := filepath.Glob("docs/adr/[0-9]*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name != "0000-template.md" && listed[name] != 1 {
			t.Errorf("docs/adr/README.md lists %s %d times", name, listed[name])
		}
		delete(listed, name)
		if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "# "+name[:4]+" ") {
			t.Errorf("%s does not begin with its number: %v", file, err)
		}
	}
	for name := range listed {
		t.Errorf("docs/adr/README.md lists %s, which is not there", name)
	}
}

// TestPagesNameWhatIsThere looks for the files and folders that the pages for
// developers name: something of that name has to be there, wherever it was moved.
func TestPagesNameWhatIsThere(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		there[filepath.Base(path)] = true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("docs/checklists/*.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:ui|node|queue|quicnet|exec|theme|scripts|docs|testdata)(?:/[\\w.-]+)+)`( \\(being built\\))?")
	for _, page := range append(pages, "ARCHITECTURE.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if m[2] == "" && !there[filepath.Base(m[1])] {
				t.Errorf("%s names %s, and nothing is called so any more", page, m[1])
			}
		}
	}
}
