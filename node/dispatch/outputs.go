package dispatch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// outputs keeps the chunk streams of attempts whose output is not small, one
// file each: ID.TERM.ATTEMPT. They are not part of the replicated queue; its
// records have their length and hash.
type outputs struct {
	dir   string
	quota int64
	log   *slog.Logger

	mu    sync.Mutex
	files map[wire.Lease]*outFile // being written now
	bytes int64
}

// outFile is a file that grows.
type outFile struct {
	mu     sync.Mutex
	length int64
	done   bool
	more   chan struct{} // closed and replaced when it grows or ends
}

func openOutputs(dir string, quota int64, log *slog.Logger) (*outputs, error) {
	o := &outputs{dir: filepath.Join(dir, "output"), quota: quota, log: log, files: make(map[wire.Lease]*outFile)}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	return o, nil
}

func (o *outputs) path(l wire.Lease) string {
	return filepath.Join(o.dir, l.ID.String()+"."+l.Fence.String())
}

// open is the file that is being written for a lease, made if make is set.
func (o *outputs) open(l wire.Lease, create bool) *outFile {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.files[l]
	if f == nil && create {
		f = &outFile{more: make(chan struct{})}
		o.files[l] = f
	}
	return f
}

func (o *outputs) remove(l wire.Lease) {
	o.mu.Lock()
	delete(o.files, l)
	o.mu.Unlock()
	_ = os.Remove(o.path(l))
}

func (f *outFile) grow(n int64, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.length += n
	f.done = f.done || done
	close(f.more)
	f.more = make(chan struct{})
}

func (f *outFile) state() (length int64, done bool, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.length, f.done, f.more
}

// ServeOutput takes the chunk stream of one attempt from the worker that holds
// it. What was received before a broken connection is not sent again.
func (d *Dispatcher) ServeOutput(ctx context.Context, p Peer, s wire.Stream) error {
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown) })
	defer stop()
	open, err := wire.Recv1[wire.OutputOpen](s)
	if err != nil {
		return err
	}
	if !d.mayWrite(p.ID, open.Lease) || !d.outputs.room() {
		_ = s.Send(wire.OutputHave{})
		return s.CloseWrite()
	}
	file, err := os.OpenFile(d.outputs.path(open.Lease), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	off, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	f := d.outputs.open(open.Lease, true)
	f.mu.Lock()
	f.length = off
	f.mu.Unlock()
	d.notifyID(open.ID)
	if err := s.Send(wire.OutputHave{Offset: off, Wanted: true}); err != nil {
		return err
	}
	if err := d.outputs.copy(file, f, s); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	f.grow(0, true)
	d.outputs.mu.Lock()
	delete(d.outputs.files, open.Lease)
	d.outputs.mu.Unlock()
	d.notifyID(open.ID)
	return s.CloseWrite()
}

// copy carries the stream into the file until its end.
func (o *outputs) copy(file *os.File, f *outFile, s io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		n, err := s.Read(buf)
		if n > 0 {
			if _, werr := file.Write(buf[:n]); werr != nil {
				return werr
			}
			o.mu.Lock()
			o.bytes += int64(n)
			o.mu.Unlock()
			f.grow(int64(n), false)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (o *outputs) room() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes < o.quota
}

// mayWrite reports whether a node may write the output of a lease: it holds it
// now, or held it as the last one.
func (d *Dispatcher) mayWrite(n task.NodeID, l wire.Lease) bool {
	d.mu.Lock()
	w := d.workers[n]
	if w != nil {
		if have, ok := w.leases[l.ID]; ok && have.Fence == l.Fence {
			d.mu.Unlock()
			return true
		}
	}
	d.mu.Unlock()
	t, err := d.queue.Get(l.ID)
	if err != nil {
		return false
	}
	last := t.Last()
	return last != nil && last.Fence == l.Fence && last.Node == n
}

// janitor removes files of tasks that the queue no longer keeps, and counts
// what is there.
func (o *outputs) janitor(ctx context.Context, q *queue.Queue) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		o.sweep(ctx, q)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (o *outputs) sweep(ctx context.Context, q *queue.Queue) {
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		o.log.Warn("output folder cannot be read", "error", err)
		return
	}
	var total int64
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		id, _, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			continue
		}
		if _, err := q.Get(task.ID(n)); task.KindOf(err) == task.KindNotFound {
			_ = os.Remove(filepath.Join(o.dir, e.Name()))
			continue
		}
		if i, err := e.Info(); err == nil {
			total += i.Size()
		}
	}
	o.mu.Lock()
	o.bytes = total
	o.mu.Unlock()
}
