package exec

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// taskUser is who a contained command runs as when this process is root. Nil:
// it stays who we are.
type taskUser struct {
	name     string
	uid, gid uint32
}

// nobodyID is the user nobody nearly everywhere.
const nobodyID = 65534

// findTaskUser returns the user for contained commands: none unless we are
// root, else the one named, else nobody.
func findTaskUser(name string) (*taskUser, error) {
	if os.Geteuid() != 0 {
		if name != "" {
			return nil, fmt.Errorf("run commands as %s: only root can run them as somebody else", name)
		}
		return nil, nil
	}
	if name == "" {
		if u, err := user.Lookup("nobody"); err == nil {
			return newTaskUser(u)
		}
		return &taskUser{name: "nobody", uid: nobodyID, gid: nobodyID}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, fmt.Errorf("run commands as %s: no such user; make it with useradd or name another", name)
	}
	return newTaskUser(u)
}

func newTaskUser(u *user.User) (*taskUser, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("run commands as %s: its id %q is no number", u.Username, u.Uid)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("run commands as %s: its group %q is no number", u.Username, u.Gid)
	}
	if uid == 0 {
		return nil, fmt.Errorf("run commands as %s: that is root; name a user without privileges", u.Username)
	}
	return &taskUser{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// credential is what the kernel is told. No other group is kept.
func (u *taskUser) credential() *syscall.Credential {
	if u == nil {
		return nil
	}
	return &syscall.Credential{Uid: u.uid, Gid: u.gid}
}

// sharedRoot returns a folder for the directories of commands that the task
// user can get to: root itself if it can, else one in the system's place for
// temporary files that last. The folder belongs to root and names in it cannot
// be listed.
func sharedRoot(root string, u *taskUser) (string, error) {
	if u == nil || reachable(root) {
		return root, nil
	}
	dir := filepath.Join(os.TempDir(), "octaskly-root")
	for _, base := range []string{"/var/tmp", os.TempDir()} {
		if reachable(base) {
			dir = filepath.Join(base, "octaskly-root")
			break
		}
	}
	dir = filepath.Join(dir, strconv.FormatUint(hashOf(root), 36))
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", fmt.Errorf("make a folder that %s can get to: %w", u.name, err)
	}
	for _, d := range []string{filepath.Dir(dir), dir} {
		st, err := os.Lstat(d)
		if err != nil {
			return "", err
		}
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok || !st.IsDir() || sys.Uid != 0 || st.Mode().Perm()&0o022 != 0 {
			return "", fmt.Errorf("make a folder that %s can get to: %s is there and is not a folder of root's own; remove it", u.name, d)
		}
		if err := os.Chmod(d, 0o711); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// reachable reports whether everybody may pass through every folder on the way
// to path and path itself.
func reachable(path string) bool {
	for {
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm()&0o001 == 0 {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// enters reports whether the user may pass through every folder on the way to
// path and path itself, as far as their modes tell.
func (u *taskUser) enters(path string) bool {
	for {
		var st syscall.Stat_t
		if syscall.Stat(path, &st) != nil {
			return false
		}
		bit := uint32(0o001)
		switch {
		case st.Uid == u.uid:
			bit = 0o100
		case st.Gid == u.gid:
			bit = 0o010
		}
		if st.Mode&bit == 0 {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// hashOf tells folders apart (FNV-1a).
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
