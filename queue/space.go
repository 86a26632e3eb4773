package queue

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Badger maps its files: a disk that is full when it touches a new page is a
// fatal fault, not an error. So nothing is written below a reserve:
//
//	free < low        submits are refused (KindDisk)
//	free < low*3/4    and compactions pause, but for one that cannot wait
//	free < low/2      and no leases are granted, no compaction begins
//	free < low/4      the ballast is deleted, so that results can be recorded
//	still below       nothing is proposed at all
//
// Space is looked at before every proposal, at most once a millisecond.
type space struct {
	dir     string
	low     int64 // <= 0: no limit
	ballast int64
	log     *slog.Logger
	now     func() time.Time
	free    func(dir string) (int64, error)

	crossed chan struct{} // capacity 1: compactions must pause
	hurry   func(bool)    // told at each look whether space is short

	mu     sync.Mutex
	at     time.Time
	last   int64
	ballOn bool
	warned bool
}

const ballastName = "ballast"

func newSpace(o Options, hurry func(bool)) *space {
	s := &space{dir: o.Dir, low: o.MinFree, ballast: o.Ballast, log: o.Logger, now: time.Now, free: freeBytes, crossed: make(chan struct{}, 1), hurry: hurry}
	if s.low == 0 {
		s.low = defaultLow(o)
	}
	if s.ballast == 0 {
		s.ballast = s.low / 8
	}
	return s
}

// defaultLow is 5 % of the disk, at most 512 MiB, and not less than what a
// compaction of each store may need that has begun just before.
func defaultLow(o Options) int64 {
	low := int64(512 << 20)
	if total, err := totalBytes(o.Dir); err == nil {
		low = min(low, total/20)
	}
	table := o.TableSize
	if table == 0 {
		table = defaultTable
	}
	return max(low, 16*table)
}

func (s *space) path() string { return filepath.Join(s.dir, ballastName) }

// look measures the free space and acts on the ballast.
func (s *space) look() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !s.at.IsZero() && now.Sub(s.at) < time.Millisecond && now.After(s.at) {
		return s.last
	}
	n, err := s.free(s.dir)
	if err != nil {
		return 1 << 62 // a system that does not say: nothing can be watched
	}
	if n < s.low/4 && s.ballOn {
		s.ballOn = false
		if os.Remove(s.path()) == nil {
			s.log.Warn("queue: the disk is nearly full; the reserve was given up to store results", "dir", s.dir, "free", n)
			if n, err = s.free(s.dir); err != nil {
				return 1 << 62
			}
		}
	}
	if n < s.low*3/4 {
		select {
		case s.crossed <- struct{}{}:
		default:
		}
	}
	s.hurry(n < s.low)
	if low := n < s.low; low != s.warned {
		s.warned = low
		if low {
			s.log.Warn("queue: too little free space, submits are refused", "dir", s.dir, "free", n, "needed", s.low)
		} else {
			s.log.Info("queue: there is enough free space again", "dir", s.dir, "free", n)
		}
	}
	s.at, s.last = now, n
	return n
}

// keepBallast makes the ballast if there is room for it.
func (s *space) keepBallast() {
	if s.low <= 0 || s.ballast <= 0 {
		return
	}
	free := s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ballOn || free < s.low+s.ballast {
		return
	}
	if fi, err := os.Stat(s.path()); err == nil && fi.Size() == s.ballast {
		s.ballOn = true
		return
	}
	if err := writeBallast(s.path(), s.ballast); err != nil {
		_ = os.Remove(s.path())
		return
	}
	s.ballOn = true
}

// writeBallast fills a file with bytes that no file system can leave out.
func writeBallast(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for i := range buf {
		buf[i] = byte(mix(uint64(i)))
	}
	for n := int64(0); n < size && err == nil; n += int64(len(buf)) {
		_, err = f.Write(buf[:min(int64(len(buf)), size-n)])
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

func (s *space) below(limit int64, what string) error {
	if s.low <= 0 {
		return nil
	}
	free := s.look()
	if free >= limit {
		return nil
	}
	return task.Errorf(task.KindDisk, "%s: %s has %s free, %s are needed", what, s.dir, mib(free), mib(limit)).
		WithHint("free some space on that disk; it goes on by itself")
}

func mib(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func (s *space) maySubmit() error { return s.below(s.low, "no new tasks are stored") }
func (s *space) mayGrant() error  { return s.below(s.low/2, "no tasks are started") }
func (s *space) mayWrite() error  { return s.below(s.low/4, "nothing can be stored") }

// CheckSpace is called before the stores in dir are opened, because opening
// them on a full disk kills the process. It gives up the ballast if that helps.
func CheckSpace(o Options) error {
	o = o.withDefaults()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	s := newSpace(o, func(bool) {})
	if s.low <= 0 {
		return nil
	}
	_, err := os.Stat(s.path())
	s.ballOn = err == nil
	return s.below(s.low/4, "the queue can not be opened")
}
