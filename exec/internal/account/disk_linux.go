package account

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// MaxDiskDepth is how many folders one in the other are looked into.
const MaxDiskDepth = 512

// Disk is what the files below a directory take on disk.
type Disk struct {
	Bytes int64
	Deep  bool // some lie deeper than MaxDiskDepth and are not counted
	own   bool // they are a command's own
}

// CountDisk adds up what is below a directory. What vanishes meanwhile counts
// nothing; links are not followed. A folder that its owner may not list is opened to
// him if it is in a command's own directory: else whatever is in it would count nothing. It stops
// when ended is closed.
func CountDisk(dir string, own bool, ended <-chan struct{}) Disk {
	u := Disk{own: own}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return u
	}
	defer root.Close()
	u.count(root, 0, ended)
	return u
}

// count adds what is in a folder, until ended.
func (u *Disk) count(dir *os.Root, depth int, ended <-chan struct{}) {
	list, err := dir.Open(".")
	if err != nil {
		return
	}
	defer list.Close()
	for {
		entries, _ := list.ReadDir(1024)
		if len(entries) == 0 {
			return
		}
		for _, e := range entries {
			select {
			case <-ended:
				return
			default:
			}
			u.add(dir, e.Name(), depth, ended)
		}
	}
}

// add adds one file, or a folder with all in it.
func (u *Disk) add(dir *os.Root, name string, depth int, ended <-chan struct{}) {
	info, err := dir.Lstat(name)
	if err != nil {
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if !info.IsDir() {
		u.Bytes += st.Blocks * 512 / int64(max(st.Nlink, 1))
		return
	}
	u.Bytes += st.Blocks * 512
	if depth == MaxDiskDepth {
		u.Deep = true
		return
	}
	sub, err := dir.OpenRoot(name)
	if errors.Is(err, fs.ErrPermission) && u.own && dir.Chmod(name, 0o700) == nil {
		sub, err = dir.OpenRoot(name)
	}
	if err != nil {
		return
	}
	defer sub.Close()
	u.count(sub, depth+1, ended)
}
