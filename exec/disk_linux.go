package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

var errEnded = errors.New("the command has ended")

// diskUse adds up what the files below a directory take on disk. What vanishes
// meanwhile counts nothing; links are not followed.
func diskUse(dir string, ended <-chan struct{}) int64 {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0
	}
	defer root.Close()
	return diskBelow(root, dir, ".", ended)
}

// diskBelow is diskUse for a part of root. A folder that its owner may not list is
// opened to him: else whatever is in it would count nothing.
func diskBelow(root *os.Root, dir, from string, ended <-chan struct{}) (total int64) {
	_ = fs.WalkDir(root.FS(), from, func(path string, d fs.DirEntry, err error) error {
		select {
		case <-ended:
			return errEnded
		default:
		}
		switch {
		case err != nil && d != nil && d.IsDir() && path != from && errors.Is(err, fs.ErrPermission):
			openUp(root, path)
			total += diskBelow(root, dir, path, ended)
			return fs.SkipDir
		case err != nil && d != nil && d.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil //nolint:nilerr // what is gone is not counted
		}
		var st unix.Stat_t
		if unix.Lstat(filepath.Join(dir, path), &st) != nil {
			return nil //nolint:nilerr // likewise
		}
		names := int64(1)
		if !d.IsDir() {
			names = int64(max(st.Nlink, 1))
		}
		total += st.Blocks * 512 / names
		return nil
	})
	return total
}

// unnamedUse adds up the files that a command's processes hold open and that have
// no name any more.
func (p *process) unnamedUse() (total int64) {
	var home unix.Stat_t
	if unix.Stat(p.home.path, &home) != nil {
		return 0
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
			if unix.Stat(filepath.Join(files, e.Name()), &st) != nil || st.Nlink > 0 || st.Dev != home.Dev || st.Mode&unix.S_IFMT != unix.S_IFREG || seen[st.Ino] {
				continue
			}
			seen[st.Ino] = true
			total += st.Blocks * 512
		}
	}
	return total
}

// diskNow is what the command has written and is still there.
func (p *process) diskNow(ended <-chan struct{}) int64 {
	n := diskUse(p.home.path, ended)
	if p.spec.Dir != "" {
		n += max(0, diskUse(p.spec.Dir, ended)-p.dirBefore)
	}
	return n
}

// explainDisk looks once more when the command has ended: it may have written too
// much since the last look, or have failed because a file could not grow any more.
func (p *process) explainDisk(res *Result) {
	limit := p.spec.Limits.DiskBytes
	if limit == 0 || p.tmpfs() > 0 || res.Reason != ReasonExit && res.Reason != ReasonSignal {
		return
	}
	used := p.diskNow(nil)
	if used < limit || used == limit && res.Code == 0 {
		return
	}
	res.Reason, res.Message = ReasonLimitDisk, fmt.Sprintf("wrote %s, its limit being %s", size(used), size(limit))
	if res.Code == 0 {
		res.Code = 125
	}
}
