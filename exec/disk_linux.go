package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxDiskDepth is how many folders one in the other are looked into.
const maxDiskDepth = 512

// diskUse is what the files below a directory take on disk.
type diskUse struct {
	bytes int64
	deep  bool // some lie deeper than maxDiskDepth and are not counted
	own   bool // they are a command's own
}

// countDisk adds up what is below a directory. What vanishes meanwhile counts
// nothing; links are not followed. A folder that its owner may not list is opened to
// him if it is in a command's own directory: else whatever is in it would count nothing.
func countDisk(dir string, own bool, ended <-chan struct{}) diskUse {
	u := diskUse{own: own}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return u
	}
	defer root.Close()
	u.count(root, 0, ended)
	return u
}

// count adds what is in a folder, until ended.
func (u *diskUse) count(dir *os.Root, depth int, ended <-chan struct{}) {
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
func (u *diskUse) add(dir *os.Root, name string, depth int, ended <-chan struct{}) {
	info, err := dir.Lstat(name)
	if err != nil {
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if !info.IsDir() {
		u.bytes += st.Blocks * 512 / int64(max(st.Nlink, 1))
		return
	}
	u.bytes += st.Blocks * 512
	if depth == maxDiskDepth {
		u.deep = true
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

// unnamedUse adds up the files that a command's processes hold open and that have
// no name any more.
func (p *process) unnamedUse() (total int64) {
	var home, given unix.Stat_t
	if unix.Stat(p.home.path, &home) != nil {
		return 0
	}
	given = home
	if p.spec.Dir != "" && unix.Stat(p.spec.Dir, &given) != nil {
		given = home
	}
	t := p.r.readTable()
	own := owners{r: p.r, sure: true, seen: t.seen, live: p.r.liveNow(), known: make(map[int]verdict)}
	seen := make(map[uint64]bool)
	for _, pid := range t.order {
		if own.of(pid) != others || own.owner[pid] != p {
			continue
		}
		files := "/proc/" + strconv.Itoa(pid) + "/fd"
		entries, _ := os.ReadDir(files)
		for _, e := range entries {
			var st unix.Stat_t
			if unix.Stat(filepath.Join(files, e.Name()), &st) != nil || st.Nlink > 0 || st.Dev != home.Dev && st.Dev != given.Dev || st.Mode&unix.S_IFMT != unix.S_IFREG || seen[st.Ino] {
				continue
			}
			seen[st.Ino] = true
			total += st.Blocks * 512
		}
	}
	return total
}

// diskNow is what the command has written and is still there.
func (p *process) diskNow(ended <-chan struct{}) diskUse {
	u := countDisk(p.home.path, true, ended)
	if p.spec.Dir != "" {
		given := countDisk(p.spec.Dir, false, ended)
		u.bytes += max(0, given.bytes-p.dirBefore)
		u.deep = u.deep || given.deep
	}
	return u
}

// deepMessage is for a tree of which nobody can tell how large it is.
func (l Limits) deepMessage() string {
	return fmt.Sprintf("made more than %d folders one in the other, so that what it wrote cannot be counted against its limit of %s", maxDiskDepth, size(l.DiskBytes))
}

// explainDisk looks once more when the command has ended: it may have written too
// much since the last look, or have failed because a file could not grow any more.
func (p *process) explainDisk(res *Result) {
	limit := p.spec.Limits.DiskBytes
	if limit == 0 || p.tmpfs() > 0 || res.Reason != ReasonExit && res.Reason != ReasonSignal {
		return
	}
	u := p.diskNow(nil)
	switch {
	case u.deep:
		res.Message = p.spec.Limits.deepMessage()
	case u.bytes > limit, u.bytes == limit && res.Code != 0:
		res.Message = fmt.Sprintf("wrote %s, its limit being %s", size(u.bytes), size(limit))
	default:
		return
	}
	res.Reason = ReasonLimitDisk
	if res.Code == 0 {
		res.Code = 125
	}
}
