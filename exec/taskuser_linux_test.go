package exec

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestANameThatAnotherUserTookIsLeftAlone puts what another user can put up where root
// wants a folder: root finds another place and touches nothing of it.
func TestANameThatAnotherUserTookIsLeftAlone(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root needs such a folder")
	}
	const stranger = 4242
	for name, put := range map[string]func(path, theirs string) error{
		"a folder": func(path, _ string) error {
			return errors.Join(os.Mkdir(path, 0o755), os.Chown(path, stranger, stranger))
		},
		"a link": func(path, theirs string) error {
			return errors.Join(os.Symlink(theirs, path), os.Lchown(path, stranger, stranger))
		},
		"a file": func(path, _ string) error {
			return errors.Join(os.WriteFile(path, nil, 0o644), os.Chown(path, stranger, stranger))
		}, //nolint:gosec // as a stranger would
		"nothing": func(string, string) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			base, theirs := t.TempDir(), t.TempDir()
			if err := errors.Join(os.Chmod(filepath.Dir(base), 0o755), os.Chmod(base, os.ModeSticky|0o777)); err != nil { //nolint:gosec // as /var/tmp is
				t.Fatal(err)
			}
			was := sharedBases
			sharedBases = []string{base}
			defer func() { sharedBases = was }()
			taken := filepath.Join(base, "octaskly-root")
			if err := put(taken, theirs); err != nil {
				t.Fatal(err)
			}
			dir, err := sharedRoot("/nobody/gets/here", &taskUser{name: "nobody", uid: nobodyID, gid: nobodyID})
			if err != nil {
				t.Fatal(err)
			}
			if st, err := os.Lstat(dir); err != nil || !st.IsDir() || st.Mode().Perm() != 0o711 || !reachable(dir) {
				t.Errorf("%s: %v %v", dir, st, err)
			}
			if in := filepath.Dir(dir) == taken; in != (name == "nothing") {
				t.Errorf("it is in %s", dir)
			}
			if left, err := os.ReadDir(theirs); err != nil || len(left) > 0 {
				t.Errorf("root made %v where a link led (%v)", left, err)
			}
		})
	}
	open := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(open), 0o755), os.Chmod(open, 0o777)); err != nil { //nolint:gosec // what is tested
		t.Fatal(err)
	}
	if keepsNames(open) {
		t.Error("a folder in which everybody removes everything keeps names")
	}
}
