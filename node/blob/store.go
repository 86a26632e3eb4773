package blob

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Limits bound a store. Zero values mean the defaults.
type Limits struct {
	Blob  int64 // bytes of one blob; 1 GiB
	Total int64 // bytes of all blobs together; 16 GiB
}

// Store is a folder of blobs. It is safe for concurrent use; one process at a
// time may have it open.
type Store struct {
	dir    string
	root   *os.Root
	limits Limits

	mu   sync.Mutex
	used int64          // bytes stored, and reserved by puts that are under way
	busy map[string]int // puts under way, by file: what they store is not collected
}

// incoming holds what is being written; nothing in it outlives a start.
const incoming = "incoming"

// Open opens the store in a folder, which is made when it is missing. What a
// crash left half-written is removed.
func Open(dir string, l Limits) (*Store, error) {
	if l.Blob == 0 {
		l.Blob = 1 << 30
	}
	if l.Total == 0 {
		l.Total = 16 << 30
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, task.Errorf(task.KindUnavailable, "open the file store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, task.Errorf(task.KindUnavailable, "open the file store: %w", err)
	}
	s := &Store{dir: dir, root: root, limits: l, busy: map[string]int{}}
	err = errors.Join(root.RemoveAll(incoming), root.Mkdir(incoming, 0o700))
	if err == nil {
		err = s.each(func(_ string, info fs.FileInfo) error { s.used += info.Size(); return nil })
	}
	if err != nil {
		_ = root.Close()
		return nil, task.Errorf(task.KindUnavailable, "open the file store in %s: %w", dir, err)
	}
	return s, nil
}

// Close ends the use of the store; files that are open stay readable.
func (s *Store) Close() error { return s.root.Close() }

// Put stores the next size bytes of r and returns their reference in the form of
// Ref.String. When it returns without an error the content is durable. It fails
// with KindTooLarge or KindDisk when a limit forbids it, before anything is read.
func (s *Store) Put(r io.Reader, size int64) (string, error) {
	ref, err := s.put(r, size, nil)
	if err != nil {
		return "", err
	}
	return ref.String(), nil
}

// put is Put; content other than want is refused.
func (s *Store) put(r io.Reader, size int64, want *Ref) (ref Ref, err error) {
	if err := s.reserve(size); err != nil {
		return Ref{}, err
	}
	added := false
	defer func() {
		if !added {
			s.release(size)
		}
	}()
	tmp := incoming + "/" + randomName()
	defer func() {
		if !added {
			_ = s.root.Remove(tmp)
		}
	}()
	ref, err = s.write(tmp, r, size)
	if err != nil {
		return Ref{}, task.Errorf(kindOf(err), "store a file of %d bytes: %w", size, err)
	}
	if want != nil && ref != *want {
		return Ref{}, task.Errorf(task.KindCorrupt, "the content that came is not that of %s", want)
	}
	dir, file := ref.path()
	s.hold(file)
	defer s.drop(file)
	if s.touch(file, ref) {
		return ref, nil
	}
	if err := s.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return Ref{}, task.Errorf(task.KindUnavailable, "store a file of %d bytes: %w", size, err)
	}
	if err := s.install(tmp, file); err != nil {
		return Ref{}, task.Errorf(task.KindUnavailable, "store a file of %d bytes: %w", size, err)
	}
	added = true
	if err := errors.Join(s.syncDir(dir), s.syncDir(".")); err != nil {
		return Ref{}, task.Errorf(task.KindUnavailable, "store a file of %d bytes: %w", size, err)
	}
	return ref, nil
}

// install gives a complete file its name. A damaged one, or one that another put
// was quicker to store, is replaced.
func (s *Store) install(tmp, file string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	replaced := s.sizeOf(file)
	if err := s.root.Rename(tmp, file); err != nil {
		return err
	}
	s.used -= replaced
	return nil
}

func kindOf(err error) task.Kind {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return task.KindUsage
	}
	if e := (*task.Error)(nil); errors.As(err, &e) {
		return e.Kind
	}
	return task.KindUnavailable
}

// write makes a new file of exactly size bytes and syncs it.
func (s *Store) write(name string, r io.Reader, size int64) (ref Ref, err error) {
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Ref{}, err
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), r, size)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("the content ended too early: %w", io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Ref{}, err
	}
	ref.Size = size
	h.Sum(ref.Sum[:0])
	return ref, nil
}

func (s *Store) reserve(size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case size < 0:
		return task.Errorf(task.KindUsage, "a file of %d bytes cannot be stored", size)
	case size > s.limits.Blob:
		return task.Errorf(task.KindTooLarge, "a file of %d bytes is over the limit of %d", size, s.limits.Blob).
			WithHint("put it where the worker can read it, and name it in the command")
	case size > s.limits.Total-s.used:
		return task.Errorf(task.KindDisk, "no room for a file of %d bytes: %d of %d are used", size, s.used, s.limits.Total).
			WithHint("wait until tasks that refer to stored files are finished and gone")
	}
	s.used += size
	return nil
}

func (s *Store) release(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= size
}

func (s *Store) hold(file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[file]++
}

func (s *Store) drop(file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[file]--; s.busy[file] == 0 {
		delete(s.busy, file)
	}
}

// Used is how many bytes the blobs have together.
func (s *Store) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// touch makes content that is there as good as new for Collect. It reports
// whether the content is there.
func (s *Store) touch(file string, ref Ref) bool {
	if s.sizeOf(file) != ref.Size {
		return false
	}
	if ref.Size == 0 { // sizeOf says 0 for nothing too
		if _, err := s.root.Lstat(file); err != nil {
			return false
		}
	}
	now := time.Now()
	return s.verify(file, ref) == nil && s.root.Chtimes(file, now, now) == nil
}

// verify reads a blob and compares.
func (s *Store) verify(file string, ref Ref) error {
	f, err := s.root.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	return matches(h, ref)
}

func matches(h hash.Hash, ref Ref) error {
	if [sha256.Size]byte(h.Sum(nil)) != ref.Sum {
		return task.Errorf(task.KindCorrupt, "the stored file %s is damaged", ref)
	}
	return nil
}

func (s *Store) sizeOf(file string) int64 {
	info, err := s.root.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// Path is where the content that ref names can be read. It is of the size that
// ref says; what is in it is checked when it is written and when it is sent, not
// here.
func (s *Store) Path(ref string) (string, error) {
	r, err := ParseRef(ref)
	if err != nil {
		return "", err
	}
	_, file := r.path()
	info, err := s.root.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return "", task.Errorf(task.KindNotFound, "the file %s is not stored here", ref)
	}
	if info.Size() != r.Size {
		return "", task.Errorf(task.KindCorrupt, "the stored file %s is damaged: it has %d bytes", ref, info.Size())
	}
	return filepath.Join(s.dir, filepath.FromSlash(file)), nil
}

// Get opens the content that ref names. The reader fails instead of reaching the
// end when the content is damaged.
func (s *Store) Get(ref string) (io.ReadCloser, error) {
	if _, err := s.Path(ref); err != nil {
		return nil, err
	}
	r, err := ParseRef(ref)
	if err != nil {
		return nil, err
	}
	_, file := r.path()
	f, err := s.root.Open(file)
	if err != nil {
		return nil, task.Errorf(task.KindNotFound, "the file %s is not stored here", ref)
	}
	return &checked{f: f, h: sha256.New(), ref: r}, nil
}

// checked is a file that is compared with its name while it is read.
type checked struct {
	f   *os.File
	h   hash.Hash
	ref Ref
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.f.Read(p)
	c.h.Write(p[:n])
	if errors.Is(err, io.EOF) {
		if bad := matches(c.h, c.ref); bad != nil {
			return n, bad
		}
	}
	return n, err
}

func (c *checked) Close() error { return c.f.Close() }

// each calls do for every blob, with its path in the store.
func (s *Store) each(do func(file string, info fs.FileInfo) error) error {
	return fs.WalkDir(s.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path == incoming {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return do(path, info)
	})
}

// syncDir makes a new name in a folder durable, where systems have that.
func (s *Store) syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func randomName() string {
	var b [12]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
