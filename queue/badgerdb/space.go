package badgerdb

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// SpaceOptions say where the stores are and how much space is kept free there.
type SpaceOptions struct {
	Dir       string
	MinFree   int64 // bytes; 0 is 5 % of the disk, 256 to 512 MiB; negative is no limit
	Ballast   int64 // bytes set aside; 0 is an eighth of MinFree
	TableSize int64 // bytes of a memory table of each store; 0 is DefaultTable
	Logger    *slog.Logger
}

// Space watches the free space of the disk on which the stores are.
//
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
type Space struct {
	dir     string
	low     int64 // <= 0: no limit
	ballast int64
	log     *slog.Logger
	clock   func() time.Time
	free    func(dir string) (int64, error)

	crossed chan struct{} // capacity 1: compactions must pause
	short   func(bool)    // told at each look whether space is short

	mu     sync.Mutex
	at     time.Time
	last   int64
	ballOn bool
	warned bool
}

const ballastName = "ballast"

// NewSpace watches o.Dir. short is told at each look whether space is short; it may
// be nil. It starts nothing.
func NewSpace(o SpaceOptions, short func(bool)) *Space {
	s := &Space{dir: o.Dir, low: o.MinFree, ballast: o.Ballast, log: o.Logger, clock: time.Now, free: freeBytes, crossed: make(chan struct{}, 1), short: short}
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
func defaultLow(o SpaceOptions) int64 {
	low := int64(512 << 20)
	if total, err := totalBytes(o.Dir); err == nil {
		low = min(low, total/20)
	}
	table := o.TableSize
	if table == 0 {
		table = DefaultTable
	}
	return max(low, 16*table)
}

func (s *Space) path() string { return filepath.Join(s.dir, ballastName) }

// Look measures the free space and acts on the ballast.
func (s *Space) Look() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
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
	if s.short != nil {
		s.short(n < s.low)
	}
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

// KeepBallast makes the ballast if there is room for it.
func (s *Space) KeepBallast() {
	if s.low <= 0 || s.ballast <= 0 {
		return
	}
	free := s.Look()
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
		buf[i] = byte(noise(uint64(i)))
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

func (s *Space) below(limit int64, what string) error {
	if s.low <= 0 {
		return nil
	}
	free := s.Look()
	if free >= limit {
		return nil
	}
	return task.Errorf(task.KindDisk, "%s: %s has %s free, %s are needed", what, s.dir, mib(free), mib(limit)).
		WithHint("free some space on that disk; it goes on by itself")
}

func mib(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

// MaySubmit refuses new tasks while there is too little space for them.
func (s *Space) MaySubmit() error { return s.below(s.low, "no new tasks are stored") }

// MayLease refuses leases while their results may find no space.
func (s *Space) MayLease() error { return s.below(s.low/2, "no tasks are started") }

// MayWrite refuses everything while the disk is full.
func (s *Space) MayWrite() error { return s.below(s.low/4, "nothing can be stored") }

// MayKeepOutput refuses output of tasks while there is too little space for it
// beside the queue.
func (s *Space) MayKeepOutput() error { return s.below(s.low, "no more output is kept") }

// CheckSpace is called before the stores in dir are opened, because opening
// them on a full disk kills the process. It gives up the ballast if that helps.
func CheckSpace(o SpaceOptions) error {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	s := NewSpace(o, nil)
	if s.low <= 0 {
		return nil
	}
	_, err := os.Stat(s.path())
	s.ballOn = err == nil
	return s.below(s.low/4, "the queue can not be opened")
}

// Crossed is signalled (capacity one) when there is so little space that
// compactions must pause.
func (s *Space) Crossed() <-chan struct{} { return s.crossed }

// Pausing says what becomes of the compactions of a store with so much free space:
// they pause late, because they are also what gives space back.
func (s *Space) Pausing(c *Compactions, free int64) {
	switch {
	case s.low <= 0:
	case free >= s.low*7/8, free >= s.low/2 && c.Crowded():
		c.Resume()
	case free < s.low*3/4:
		c.Pause()
	}
}

// Limited reports whether there is a limit at all.
func (s *Space) Limited() bool { return s.low > 0 }

// noise is the finalizer of splitmix64: it spreads neighbouring numbers.
func noise(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
