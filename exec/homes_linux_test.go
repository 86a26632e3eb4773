package exec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testHome is the home of this process's user while it tests.
var testHome string

// plantHome makes a home that its user has shut nothing in.
func plantHome() (err error) {
	if testHome, err = os.MkdirTemp("/var/tmp", "octaskly-home-"); err != nil {
		return err
	}
	if testHome, err = filepath.EvalSymlinks(testHome); err != nil {
		return err
	}
	for _, dir := range []string{"", ".config", ".config/sops", ".config/systemd", ".config/systemd/user", ".local", ".local/bin", "bin", "data", "project"} {
		path := filepath.Join(testHome, dir)
		if err := errors.Join(os.MkdirAll(path, 0o755), os.Chmod(path, 0o755)); err != nil {
			return err
		}
	}
	for _, file := range []string{".pgpass", ".config/sops/keys.txt", "notes", "data/table", "list", ".local/bin/tool", "bin/own"} {
		path := filepath.Join(testHome, file)
		if err := errors.Join(os.WriteFile(path, []byte("#!/bin/sh\necho "+file+"\n"), 0o755), os.Chmod(path, 0o755)); err != nil { //nolint:gosec // others may read it
			return err
		}
	}
	return os.Setenv("HOME", testHome)
}

// What is in a home can be read if it is listed, or is where programs are, and only at basic.
func TestHomesAreClosedAtEachLevel(t *testing.T) {
	testRunner(t)
	for _, l := range []Level{Basic, Strict, VeryStrict} {
		if !haveLevel(t, l) {
			continue
		}
		for file, readable := range map[string]bool{
			".pgpass": false, ".config/sops/keys.txt": false, "notes": false, "bin/own": false,
			"data/table": true, "list": true, ".local/bin/tool": true,
		} {
			path := filepath.Join(testHome, file)
			_, c := do(t, Spec{Shell: "cat " + path, Level: l})
			if got := strings.Contains(c.out.String(), file); got != (readable && l == Basic) {
				t.Errorf("%s: %s is read: %v", l, file, got)
			}
		}
	}
	needLevels(t, Basic)
	if res, c := do(t, Spec{Argv: []string{testHome + "/.local/bin/tool"}, Level: Basic}); res.Code != 0 || c.out.String() != ".local/bin/tool\n" {
		t.Errorf("a tool in the home: %+v %s", res, c.err.String())
	}
}

func TestAProgramInAClosedHomeIsRefusedInWords(t *testing.T) {
	needLevels(t, Basic)
	if testRunner(t).levels[Basic].caged {
		t.Skip("in a cage it is not there at all")
	}
	spec := Spec{Argv: []string{testHome + "/bin/own"}, Level: Basic}
	if _, err := testRunner(t).Start(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "--allow-read "+testHome+"/bin") {
		t.Errorf("error %v", err)
	}
}

// TestADirectoryMustBeListed tries --dir on what runs by itself later.
func TestADirectoryMustBeListed(t *testing.T) {
	testRunner(t)
	for _, l := range []Level{Basic, Strict, VeryStrict} {
		if !haveLevel(t, l) {
			continue
		}
		for _, dir := range []string{"/.config/systemd/user", "/.local/bin", "/bin", "/data"} {
			_, err := testRunner(t).Start(t.Context(), Spec{Shell: "touch left-here", Dir: testHome + dir, Level: l})
			var se *StartError
			if !errors.As(err, &se) || se.Reason != ReasonBadDir || !strings.Contains(err.Error(), "--allow-dir "+testHome+dir) {
				t.Errorf("%s: in %s: %v", l, dir, err)
			}
		}
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(testHome+"/bin", link); err != nil {
			t.Fatal(err)
		}
		if _, err := testRunner(t).Start(t.Context(), Spec{Shell: "true", Dir: link, Level: l}); err == nil {
			t.Errorf("%s: a link leads to what is not listed", l)
		}
		project := testHome + "/project"
		if err := os.Chmod(project, 0o777); err != nil {
			t.Fatal(err)
		}
		res, c := do(t, Spec{Shell: "echo x > here && cat here && rm here && ! cat ../notes ../.pgpass", Dir: project, Level: l})
		if res.Code != 0 || c.out.String() != "x\n" {
			t.Errorf("%s: in a listed folder: %+v %s%s", l, res, c.out.String(), c.err.String())
		}
	}
}
