package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

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
func (p *process) diskNow(ended <-chan struct{}) account.Disk {
	u := account.CountDisk(p.home.path, true, ended)
	if p.spec.Dir != "" {
		given := account.CountDisk(p.spec.Dir, false, ended)
		u.Bytes += max(0, given.Bytes-p.dirBefore)
		u.Deep = u.Deep || given.Deep
	}
	return u
}

// deepMessage is for a tree of which nobody can tell how large it is.
func (l Limits) deepMessage() string {
	return fmt.Sprintf("made more than %d folders one in the other, so that what it wrote cannot be counted against its limit of %s", account.MaxDiskDepth, size(l.DiskBytes))
}

// codeOfLimit is the code of a command that passed a limit and ended well all the same.
const codeOfLimit = 125

// explainDisk looks once more when the command has ended: it may have written too
// much since the last look, or have failed because a file could not grow any more.
func (p *process) explainDisk(res *Result) {
	limit := p.spec.Limits.DiskBytes
	if limit == 0 || p.tmpfs() > 0 || res.Reason != ReasonExit && res.Reason != ReasonSignal {
		return
	}
	u := p.diskNow(nil)
	switch {
	case u.Deep:
		res.Message = p.spec.Limits.deepMessage()
	case u.Bytes > limit, u.Bytes == limit && res.Code != 0:
		res.Message = fmt.Sprintf("wrote %s, its limit being %s", size(u.Bytes), size(limit))
	default:
		return
	}
	res.Reason = ReasonLimitDisk
	if res.Code == 0 {
		res.Code = codeOfLimit
	}
}
