package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func key(t *testing.T) *Key {
	t.Helper()
	k, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSealedForOneUse: a secret opens with its key, for its command and name, and
// for nothing else.
func TestSealedForOneUse(t *testing.T) {
	k, other := key(t), key(t)
	spec := task.Spec{Shell: "deploy"}
	sealed, err := Seal(k.Public(), ForSubmit(&spec, "TOKEN"), []byte("hush"))
	if err != nil || bytes.Contains(sealed, []byte("hush")) {
		t.Fatalf("%x, %v", sealed, err)
	}
	if got, err := k.Open(ForSubmit(&spec, "TOKEN"), sealed); err != nil || string(got) != "hush" {
		t.Errorf("it opens as %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another key":     func() ([]byte, error) { return other.Open(ForSubmit(&spec, "TOKEN"), sealed) },
		"another name":    func() ([]byte, error) { return k.Open(ForSubmit(&spec, "PATH"), sealed) },
		"another command": func() ([]byte, error) { return k.Open(ForSubmit(&task.Spec{Shell: "env"}, "TOKEN"), sealed) },
		"words moved": func() ([]byte, error) {
			return k.Open(ForSubmit(&task.Spec{Argv: []string{"deploy"}}, "TOKEN"), sealed)
		},
		"a lease": func() ([]byte, error) { return k.Open(ForLease(1, task.Fence{}, "TOKEN"), sealed) },
		"a bit changed": func() ([]byte, error) {
			b := bytes.Clone(sealed)
			b[40] ^= 1
			return k.Open(ForSubmit(&spec, "TOKEN"), b)
		},
		"a part":  func() ([]byte, error) { return k.Open(ForSubmit(&spec, "TOKEN"), sealed[:20]) },
		"nothing": func() ([]byte, error) { return k.Open(ForSubmit(&spec, "TOKEN"), nil) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s opens it: %q", name, got)
		}
	}
	if _, err := Seal([]byte("no key"), nil, nil); err == nil {
		t.Error("rubbish is a key")
	}
}

// TestAgain: what the dispatcher hands on opens only for the worker of that attempt.
func TestAgain(t *testing.T) {
	disp, w, thief := key(t), key(t), key(t)
	spec := task.Spec{Argv: []string{"a", "b"}}
	sealed, err := Seal(disp.Public(), ForSubmit(&spec, "T"), []byte("hush"))
	if err != nil {
		t.Fatal(err)
	}
	spec.Secrets = map[string][]byte{"T": sealed, "BAD": []byte("x")}
	f := task.Fence{Term: 2, Attempt: 1}
	again := disp.Again(&spec, 7, f, w.Public())
	if got, err := w.Open(ForLease(7, f, "T"), again["T"]); err != nil || string(got) != "hush" {
		t.Errorf("the worker reads %q, %v", got, err)
	}
	if _, err := thief.Open(ForLease(7, f, "T"), again["T"]); err == nil {
		t.Error("another worker reads it")
	}
	if _, err := w.Open(ForLease(7, task.Fence{Term: 2, Attempt: 2}, "T"), again["T"]); err == nil {
		t.Error("it opens for another attempt")
	}
	if len(again) != 2 || len(again["BAD"]) != 0 {
		t.Errorf("what cannot be opened becomes %q", again["BAD"])
	}
}

// TestKeyFile: a key is made once, kept private, and refused when it is open to
// others or damaged.
func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	first, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Load(dir)
	if err != nil || !bytes.Equal(first.Public(), second.Public()) {
		t.Fatalf("another key, %v", err)
	}
	path := filepath.Join(dir, fileName)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); task.KindOf(err) != task.KindCorrupt {
		t.Errorf("a damaged key: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); task.KindOf(err) != task.KindUsage {
		t.Errorf("a key that others read: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	k, err := New()
	if err != nil {
		f.Fatal(err)
	}
	good, _ := Seal(k.Public(), ForLease(1, task.Fence{}, "A"), []byte("x"))
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := k.Open(ForLease(1, task.Fence{}, "B"), b); err == nil {
			t.Errorf("%x opens as %q", b, p)
		}
		_, _ = Seal(b, nil, b)
	})
}
