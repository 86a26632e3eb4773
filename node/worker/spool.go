package worker

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// spool is the folder in which a worker keeps what the dispatcher has not
// acknowledged: ID.TERM.ATTEMPT.out is a chunk stream, .res a result. A result
// file is complete or not there; it is removed when the result was recorded.
type spool struct {
	dir   string
	quota int64
	bytes atomic.Int64
	term  uint64 // highest that was obeyed, as of the last run
}

// saved is a result on disk. Ended is by this machine's wall clock, so that
// the age can still be told after a restart.
type saved struct {
	Result wire.Result `msgpack:"r"`
	Ended  int64       `msgpack:"e"` // Unix ms
}

// openSpool opens the folder and returns the results that an earlier run could
// not report. What else it left is removed: output without a result is of an
// attempt that died with the worker.
func openSpool(dir string, quota int64, log *slog.Logger) (*spool, []*attempt, error) {
	s := &spool{dir: filepath.Join(dir, "spool"), quota: quota}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open the worker's spool: %w", err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("read the worker's spool: %w", err)
	}
	var left []*attempt
	keep := map[string]bool{}
	for _, name := range termFiles {
		keep[name] = true
	}
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ".res")
		if !ok {
			continue
		}
		if a, err := s.load(base); err == nil {
			left = append(left, a)
			keep[e.Name()], keep[base+".out"] = true, true
		}
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
	if err := s.loadTerm(log); err != nil {
		return nil, nil, err
	}
	for _, a := range left {
		s.term = max(s.term, a.Fence.Term)
	}
	return s, left, nil
}

// load reads one result back. A damaged one is not used: the task will be run
// again or be lost, never recorded wrongly.
func (s *spool) load(base string) (*attempt, error) {
	b, err := os.ReadFile(filepath.Join(s.dir, base+".res"))
	if err != nil {
		return nil, err
	}
	body, sum := b[:max(0, len(b)-sha256.Size)], b[max(0, len(b)-sha256.Size):]
	if want := sha256.Sum256(body); string(want[:]) != string(sum) {
		return nil, errors.New("damaged result")
	}
	var r saved
	if err := wire.Decode(wire.Frame{Kind: wire.KindResults, Body: body}, &r); err != nil {
		return nil, err
	}
	a := &attempt{Lease: r.Result.Lease, state: ended, result: r.Result, told: true, onDisk: true, delivered: true}
	a.ended = time.UnixMilli(r.Ended)
	a.started = a.ended.Add(-time.Duration(r.Result.RanUs) * time.Microsecond)
	if r.Result.Output.Length > 0 {
		f, err := os.Open(s.path(a.Lease, ".out"))
		if err != nil {
			return nil, err
		}
		a.out = &output{file: f, length: r.Result.Output.Length, done: true, payload: r.Result.Output.Bytes}
		a.delivered = false
	}
	return a, nil
}

func (s *spool) path(l wire.Lease, suffix string) string {
	return filepath.Join(s.dir, l.ID.String()+"."+l.Fence.String()+suffix)
}

// create makes the file for a chunk stream.
func (s *spool) create(l wire.Lease) (*os.File, error) {
	return os.OpenFile(s.path(l, ".out"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
}

// discard removes the file of a chunk stream that could not be begun.
func (s *spool) discard(l wire.Lease) { _ = os.Remove(s.path(l, ".out")) }

// save puts a result on disk, synced together with its output.
func (s *spool) save(a *attempt, r wire.Result) error {
	if a.out != nil && a.out.file != nil {
		if err := a.out.file.Sync(); err != nil {
			return err
		}
	}
	body, err := msgpack.Marshal(saved{Result: r, Ended: a.ended.UnixMilli()})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return writeSynced(s.path(a.Lease, ".res"), append(body, sum[:]...))
}

// forget removes what is kept of an attempt.
func (s *spool) forget(a *attempt) {
	if a.out != nil {
		a.out.close()
		if a.out.file != nil {
			_ = os.Remove(s.path(a.Lease, ".out"))
		}
	}
	if a.onDisk {
		_ = os.Remove(s.path(a.Lease, ".res"))
	}
}

// room reports whether n more bytes of output may be kept.
func (s *spool) room(n int64) bool { return s.bytes.Load()+n <= s.quota }

func (s *spool) used(n int64) { s.bytes.Add(n) }

// writeSynced replaces a file so that it is complete and durable, or as it was.
func writeSynced(path string, b []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, fs.ErrInvalid) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // a folder cannot be synced here
	}
	return errors.Join(err, d.Close())
}
