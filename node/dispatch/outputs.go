package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// outputBuffer is how much of an output stream is read and written at a time.
const outputBuffer = 256 << 10

// collectOutputsEvery is how often outputs are counted and those of removed
// tasks deleted.
const collectOutputsEvery = time.Minute

// ServeOutput takes the chunk stream of one attempt from the worker that holds
// it. What was received before a broken connection is not sent again. Where
// there is no room for more the stream is refused or broken off: what is here
// then is the head, and the record of the attempt says that it was cut.
func (d *Dispatcher) ServeOutput(ctx context.Context, p Peer, s wire.Stream) error {
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown) })
	defer stop()
	open, err := wire.Recv1[wire.OutputOpen](s)
	if err != nil {
		return err
	}
	if !d.mayWrite(p.ID, open.Lease) || d.outputs.reserve(open.Lease, 0) != nil {
		_ = s.Send(wire.OutputHave{})
		return s.CloseWrite()
	}
	file, err := os.OpenFile(d.outputs.path(open.Lease), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		d.outputs.noteCut(open.Lease, cutByDisk)
		_ = s.Send(wire.OutputHave{})
		return errors.Join(err, s.CloseWrite())
	}
	defer file.Close()
	off, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	f := d.outputs.grow(open.Lease, true)
	f.begin(off)
	defer d.outputEnded(open.Lease, f)
	d.notifyID(open.ID)
	if err := s.Send(wire.OutputHave{Offset: off, Wanted: true}); err != nil {
		return err
	}
	if err := d.outputs.receive(open.Lease, file, f, s); err != nil {
		if errors.Is(err, errOutputCut) {
			s.Cancel(wire.CodeShutdown)
		}
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	f.add(0, true)
	d.outputEnded(open.Lease, f)
	return s.CloseWrite()
}

// outputEnded wakes readers of an output that nothing writes any more.
func (d *Dispatcher) outputEnded(l wire.Lease, f *growingOutput) {
	if d.outputs.settled(l, f) {
		f.add(0, true)
		d.notifyID(l.ID)
	}
}

// begin says from which length on the file grows.
func (f *growingOutput) begin(length int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.length, f.done = length, false
}

func (f *growingOutput) add(n int64, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.length += n
	f.done = f.done || done
	close(f.more)
	f.more = make(chan struct{})
}

func (f *growingOutput) state() (length int64, done bool, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.length, f.done, f.more
}

// receive carries the stream into the file until its end. When it fails the
// file holds what f says.
func (o *outputStore) receive(l wire.Lease, file *os.File, f *growingOutput, s io.Reader) error {
	buf := make([]byte, outputBuffer)
	for {
		n, err := s.Read(buf)
		if n > 0 {
			if err := o.reserve(l, int64(n)); err != nil {
				return err
			}
			if _, err := file.Write(buf[:n]); err != nil {
				o.release(int64(n))
				length, _, _ := f.state()
				_ = file.Truncate(length)
				o.noteCut(l, cutByDisk)
				return fmt.Errorf("%w: %w", errOutputCut, err)
			}
			f.add(int64(n), false)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
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

// collectOutputs deletes, now and then, the outputs of tasks that the queue no
// longer keeps, until ctx ends.
func (d *Dispatcher) collectOutputs(ctx context.Context) {
	t := time.NewTicker(collectOutputsEvery)
	defer t.Stop()
	kept := func(id task.ID) bool {
		_, err := d.queue.Get(id)
		return task.KindOf(err) != task.KindNotFound
	}
	for {
		d.outputs.collect(ctx, kept)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// unfinished reports whether an attempt has not ended.
func (d *Dispatcher) unfinished(l wire.Lease) bool {
	t, err := d.queue.Get(l.ID)
	if err != nil {
		return task.KindOf(err) != task.KindNotFound
	}
	last := t.Last()
	return t.State.Holds() && last != nil && last.Fence == l.Fence
}

// outputProblems is what a person should know of the kept outputs.
func (d *Dispatcher) outputProblems() []control.Problem {
	used, nearly := d.outputs.usage()
	if err := d.queue.MayKeepOutput(); err != nil {
		return []control.Problem{{ID: "output-disk", Level: control.LevelError, Text: err.Error(), Cure: "free some space on that disk, or: octaskly purge --outputs"}}
	}
	if !nearly {
		return nil
	}
	// No more than a remark: where the oldest make room this is how it stays.
	return []control.Problem{{
		ID: "output-quota", Level: control.LevelInfo,
		Text: fmt.Sprintf("outputs of tasks use %.1f of %.1f MiB: the oldest make room for new ones", float64(used)/(1<<20), float64(d.outputs.quota)/(1<<20)),
		Cure: "raise --output-quota, or free them: octaskly purge --outputs",
	}}
}
