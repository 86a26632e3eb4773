package exec

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
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

// sharedBases are where folders that commands of the task user get to may be made,
// best first: in the first nobody but root can take a name.
var sharedBases = []string{"/var/lib", "/var/tmp", os.TempDir()}

// sharedRoot returns a folder for the directories of commands that the task
// user can get to: root itself if it can, else one of the system's. The folder
// belongs to root and names in it cannot be listed.
func sharedRoot(root string, u *taskUser) (string, error) {
	if u == nil || reachable(root) {
		return root, nil
	}
	var problems []error
	for _, base := range sharedBases {
		if !keepsNames(base) {
			continue
		}
		dir, err := folderOfRoot(filepath.Join(base, "octaskly-root"))
		if err == nil {
			dir, err = folderOfRoot(filepath.Join(dir, strconv.FormatUint(hashOf(root), 36)))
		}
		if errors.Is(err, errTaken) {
			// Another name is free. What is left there by a node that was killed stays.
			if dir, err = os.MkdirTemp(base, "octaskly-root-"); err == nil {
				err = os.Chmod(dir, 0o711)
			}
		}
		if err == nil {
			return dir, nil
		}
		problems = append(problems, err)
	}
	if len(problems) == 0 {
		problems = append(problems, fmt.Errorf("none of %s is a folder of root's that everybody can get to", strings.Join(sharedBases, ", ")))
	}
	return "", fmt.Errorf("make a folder that %s can get to: %w", u.name, errors.Join(problems...))
}

// errTaken says that somebody else has a name.
var errTaken = errors.New("it is not a folder of root's own")

// folderOfRoot makes a folder that is root's alone, or takes the one that is there. It
// looks at what is there before it changes anything, and follows no link.
func folderOfRoot(path string) (string, error) {
	if err := os.Mkdir(path, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	st, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); !ok || !st.IsDir() || sys.Uid != 0 || st.Mode().Perm()&0o022 != 0 {
		return "", fmt.Errorf("%s: %w", path, errTaken)
	}
	return path, os.Chmod(path, 0o711)
}

// keepsNames reports whether everybody can get to a folder and nobody but root can take
// away there what is root's.
func keepsNames(base string) bool {
	st, err := os.Lstat(base)
	if err != nil || !st.IsDir() || !reachable(base) {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && sys.Uid == 0 && (st.Mode().Perm()&0o022 == 0 || st.Mode()&os.ModeSticky != 0)
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
