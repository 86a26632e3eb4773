package trust

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func openDir(t *testing.T) *Dir {
	t.Helper()
	d, err := OpenDir(filepath.Join(t.TempDir(), "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirKeepsWhatItWasGiven(t *testing.T) {
	d := openDir(t)
	id, err := d.Identity()
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Identity()
	if err != nil || again.ID() != id.ID() {
		t.Fatal(again, err)
	}
	if _, err := d.LoadMembership(id); !errors.Is(err, fs.ErrNotExist) {
		t.Error("membership before there is one:", err)
	}
	if _, err := d.LoadCA(); !errors.Is(err, fs.ErrNotExist) {
		t.Error("authority before there is one:", err)
	}
	ca := newCA(t)
	if err := d.SaveCA(ca); err != nil {
		t.Fatal(err)
	}
	ca2, err := d.LoadCA()
	if err != nil || ca2.ClusterID() != ca.ClusterID() {
		t.Fatal(err)
	}
	m, err := ca2.Enrol(id, []task.Role{task.RoleAdmin}, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.SaveMembership(m), d.SaveClock(now.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	m2, err := d.LoadMembership(id)
	if err != nil || m2.ID() != m.ID() || m2.ClusterID() != ca.ClusterID() || !m2.May(task.RoleAdmin) {
		t.Fatal(m2, err)
	}
	if !m2.Floor().Equal(now.Add(time.Minute)) {
		t.Error("the clock was not kept:", m2.Floor())
	}
	k1, err1 := d.ResetKey()
	k2, err2 := d.ResetKey()
	if k1 != k2 || k1 == [32]byte{} || err1 != nil || err2 != nil {
		t.Error(err1, err2)
	}
	entries, _ := os.ReadDir(d.Path())
	for _, e := range entries {
		fi, _ := e.Info()
		if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), fi.Mode())
		}
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	if err := errors.Join(d.DropMembership(), d.DropMembership()); err != nil {
		t.Error(err)
	}
}

func TestDirsThatAreOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	d := openDir(t)
	if _, err := d.Identity(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.Path(), identityFile)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Identity(); err == nil || !strings.Contains(task.HintOf(err), "chmod 600 "+file) {
		t.Errorf("%v, hint %q", err, task.HintOf(err))
	}
	if err := os.Chmod(d.Path(), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(d.Path()); err == nil || !strings.Contains(task.HintOf(err), "chmod 700 ") {
		t.Errorf("%v, hint %q", err, task.HintOf(err))
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(link); err == nil {
		t.Error("a symbolic link was followed")
	}
	if os.Geteuid() == 0 {
		foreign := t.TempDir()
		if err := errors.Join(os.Chmod(foreign, 0o700), os.Chown(foreign, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDir(foreign); err == nil || !strings.Contains(err.Error(), "user 12345") {
			t.Error(err)
		}
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	d := openDir(t)
	id, _ := d.Identity()
	ca := newCA(t)
	m, _ := ca.Enrol(id, nil, now)
	if err := errors.Join(d.SaveCA(ca), d.SaveMembership(m), d.SaveClock(now)); err != nil {
		t.Fatal(err)
	}
	for file, load := range map[string]func() error{
		identityFile:   func() error { _, err := d.Identity(); return err },
		membershipFile: func() error { _, err := d.LoadMembership(id); return err },
		caFile:         func() error { _, err := d.LoadCA(); return err },
		clockFile:      func() error { _, err := d.Clock(); return err },
	} {
		path := filepath.Join(d.Path(), file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{nil, whole[:len(whole)/2], []byte(strings.Replace(string(whole), "M", "N", 3) + "x")[1:]} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := load(); task.KindOf(err) != task.KindCorrupt || !strings.Contains(err.Error(), path) {
				t.Errorf("%s with %d of %d bytes: %v", file, len(b), len(whole), err)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := load(); err != nil {
			t.Errorf("%s put back: %v", file, err)
		}
	}
}

func TestNodeIDs(t *testing.T) {
	id, _ := NewIdentity()
	if got, err := ParseNodeID(string(id.ID())); err != nil || got != id.ID() {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 52), strings.Repeat("a", 51), strings.Repeat("1", 52)} {
		if _, err := ParseNodeID(bad); task.KindOf(err) != task.KindUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzSAN: what passes as a name of ours is written in exactly one way.
func FuzzSAN(f *testing.F) {
	c := strings.Repeat("a", 52)
	for _, s := range []string{"octaskly://" + c + "/role/worker", "octaskly://" + c + "/node/" + c, "octaskly://" + c + "/role/%61dmin", "octaskly://u@" + c + ":1/role/admin#x", "//", "octaskly:///role/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil {
			return
		}
		n, err := parseSAN(u)
		if err != nil {
			return
		}
		if again := sanURI(n.cluster, n.what, n.value).String(); again != u.String() {
			t.Fatalf("%q reads like %q", u, again)
		}
		if !validID(n.cluster) || n.value == "" {
			t.Fatalf("%q gave %+v", s, n)
		}
	})
}
