package exec

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHomesAreClosedButForWhatIsListed(t *testing.T) {
	h := homes{
		closed: []string{"/home", "/tmp/me"}, readable: []string{"/home/me/.cargo/bin", "/home/me/data"},
		scratch: []string{"/tmp", "/home/me/tmp"}, listed: []string{"/srv/work", "/home/me/project"},
	}
	for path, want := range map[string]bool{
		"/home/me": true, "/home/me/.pgpass": true, "/home/me/.config/sops/age/keys.txt": true, "/home/other/x": true, "/home": true,
		"/tmp/me/.ssh": true, "/home/me/.cargo/credentials.toml": true, "/home/me/database": true,
		"/home/me/.cargo/bin/cargo": false, "/home/me/data": false, "/home/me/data/a/b": false, "/usr/bin": false, "/homes": false, "/srv/x": false,
	} {
		if got := h.hides(path); got != want {
			t.Errorf("%s is hidden: %v", path, got)
		}
	}
	for dir, want := range map[string]bool{
		"/srv/work": true, "/srv/work/a": true, "/home/me/project/x": true, "/tmp": true, "/tmp/a/b": true, "/home/me/tmp/a": true,
		"/srv": false, "/srv/workshop": false, "/home/me": false, "/home/me/.config/systemd/user": false, "/home/me/.local/bin": false,
		"/home/me/bin": false, "/home/me/data": false, "/tmp/me": false, "/tmp/me/bin": false, "/etc": false, "/": false, "/var/lib": false,
	} {
		if got := h.offers(dir); got != want {
			t.Errorf("%s may be given: %v", dir, got)
		}
	}
}

func TestFindHomes(t *testing.T) {
	home := filepath.Join(realPath(t.TempDir()), "me")
	tools := filepath.Join(home, "tools", "bin")
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	h := findHomes(home, tools+string(os.PathListSeparator)+home, Options{AllowRead: []string{filepath.Join(home, "data")}, AllowDirs: []string{filepath.Join(home, "work")}})
	for path, want := range map[string]bool{
		tools: false, filepath.Join(home, "data", "x"): false, filepath.Join(home, ".local", "bin", "x"): false,
		home: true, filepath.Join(home, ".netrc"): true, filepath.Join(home, "tools"): true, filepath.Join(home, "work"): true,
	} {
		if h.hides(path) != want {
			t.Errorf("%s is hidden: %v", path, !want)
		}
	}
	if !h.offers(filepath.Join(home, "work", "x")) || h.offers(home) || h.offers(filepath.Join(home, "data")) || !h.offers(realPath(os.TempDir())) {
		t.Errorf("%+v", h)
	}
	for _, service := range []string{"/", "/usr", "/var", ""} {
		if h := findHomes(service, "", Options{}); h.isClosed("/usr/bin/true") || h.isClosed("/var/log") {
			t.Errorf("with the home %q the system is closed: %+v", service, h)
		}
	}
}
