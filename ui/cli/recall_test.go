package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestRecall(t *testing.T) {
	r := recall{dir: filepath.Join(t.TempDir(), "state")}
	if r.theme() != "" || r.commands() != nil {
		t.Error("it remembers what never was")
	}
	r.keepTheme("light")
	r.keepCommand("make test")
	r.keepCommand("printf 'a\nb'\x1b[2J")
	if got := r.commands(); r.theme() != "light" || !reflect.DeepEqual(got, []string{"make test", "printf 'a\nb'\x1b[2J"}) {
		t.Errorf("%q %q", r.theme(), got)
	}
	for _, name := range []string{"theme", "history"} {
		info, err := os.Stat(filepath.Join(r.dir, name))
		if err != nil || info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	for i := range 2*keepCommands + 5 {
		r.keepCommand(fmt.Sprint("echo ", i))
	}
	got := r.commands()
	if again := r.commands(); len(got) != keepCommands || got[len(got)-1] != fmt.Sprint("echo ", 2*keepCommands+4) || !reflect.DeepEqual(got, again) {
		t.Errorf("%d remembered, then %d", len(got), len(again))
	}
	if err := os.WriteFile(filepath.Join(r.dir, "history"), []byte("no json\n\"echo\"\n\x00\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := r.commands(); !reflect.DeepEqual(got, []string{"echo"}) {
		t.Errorf("a damaged file gives %q", got)
	}
	r = recall{dir: filepath.Join(r.dir, "theme", "below")} // a file is in the way
	r.keepTheme("x")
	r.keepCommand("x")
}
