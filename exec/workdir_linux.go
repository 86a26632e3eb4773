package exec

import (
	"time"

	"golang.org/x/sys/unix"
)

// dirMark changes whenever something is made, removed or renamed in a
// directory, and whenever its owner, mode or place changes.
type dirMark struct {
	dev, ino  uint64
	mode, uid uint32
	links     uint64
	sec, nsec int64
}

// clockTick is longer than the step of the clock that file systems stamp
// changes with: two changes further apart have different stamps.
const clockTick = 20 * time.Millisecond

// markDir reads the mark of the directory at path, without following a link.
func markDir(path string) (dirMark, bool) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return dirMark{}, false
	}
	sec, nsec := st.Ctim.Unix()
	return dirMark{
		dev: uint64(st.Dev), ino: st.Ino, mode: uint32(st.Mode), uid: st.Uid, //nolint:unconvert // narrower on some processors
		links: uint64(st.Nlink), sec: sec, nsec: nsec, //nolint:unconvert // narrower on some processors
	}, true
}

// settled reports whether the last change lies so far back that a later one
// must have shown.
func (m dirMark) settled() bool {
	return time.Since(time.Unix(m.sec, m.nsec)) > clockTick
}
