package worker

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Quotas, when the options name none.
const (
	DefaultOutputQuota = 1 << 30  // of one attempt
	DefaultSpoolQuota  = 10 << 30 // of all attempts on one node
)

// liveAfter is how long output may wait in memory for the end of a short task
// before a person should see it.
const liveAfter = 60 * time.Millisecond

// tailKeep is how much of the end is kept when the quota is used up.
const tailKeep = 1 << 20

// output is the chunk stream of one attempt: in memory while it is small, in a
// file of the spool afterwards. One goroutine writes, any number read.
type output struct {
	w *Worker
	a *attempt

	mu      sync.Mutex
	grown   *sync.Cond
	mem     []byte // the whole stream while file is nil
	file    *os.File
	err     error // writing the file failed: the rest is dropped
	length  int64 // of the stream
	payload int64 // bytes the command wrote
	sum     hash.Hash
	scratch []byte
	tail    []byte // end of what was dropped, stdout and stderr as they came
	skipped int64
	noRoom  bool // the quota of the node's spool cut it
	over    bool // it wrote more than the task may, and is being ended
	live    *time.Timer
	wanted  bool // somebody should see it before the end
	done    bool
}

func newOutput(w *Worker, a *attempt) *output {
	o := &output{w: w, a: a}
	o.grown = sync.NewCond(&o.mu)
	return o
}

// adopt makes the output that an earlier run left usable in this one.
func (o *output) adopt(w *Worker, a *attempt) {
	o.w, o.a = w, a
	o.grown = sync.NewCond(&o.mu)
	w.spool.used(o.length)
}

// write takes what the command wrote. It is called by one goroutine at a time.
func (o *output) write(s exec.Stream, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.payload += int64(len(p))
	if limit := o.a.Spec.Need.Limits.OutputMB << 20; limit > 0 && o.payload > limit {
		if !o.over {
			o.over = true
			go o.w.stopForOutput(o.a)
		}
		o.dropLocked(p)
		return
	}
	if o.err != nil || o.skipped > 0 || o.length+int64(len(p)) > o.w.opt.OutputQuota {
		o.dropLocked(p)
		return
	}
	if !o.w.spool.room(int64(len(p))) {
		o.noRoom = true
		o.dropLocked(p)
		return
	}
	now := time.Now().UnixMilli()
	if !o.appendLocked(wire.AppendChunk(o.scratch[:0], uint8(s), now, p)) {
		o.dropLocked(p[o.keepHeadLocked(s, now, p):])
		return
	}
	if o.live == nil && !o.done {
		o.live = time.AfterFunc(liveAfter, o.showLive)
	}
}

// exceeded is how much was written, and whether that is more than the task may.
func (o *output) exceeded() (int64, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.payload, o.over
}

// stopForOutput ends an attempt that wrote more than it may.
func (w *Worker) stopForOutput(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.run != nil {
		a.run.Cancel(-1)
	}
}

// appendLocked adds whole chunks to the stream and reports whether they are
// kept. b becomes the scratch buffer.
func (o *output) appendLocked(b []byte) bool {
	o.scratch = b[:0]
	if o.file == nil && o.err == nil && len(o.mem)+len(b) > task.MaxInlineOutput {
		o.spillLocked()
	}
	switch {
	case o.err != nil:
		return false
	case o.file == nil:
		o.mem = append(o.mem, b...)
	default:
		if _, err := o.file.Write(b); err != nil {
			o.failLocked(err)
			return false
		}
		o.sum.Write(b)
		o.w.spool.used(int64(len(b)))
	}
	o.length += int64(len(b))
	o.grown.Broadcast()
	return true
}

// skipMark is the size of a mark that bytes were dropped.
const skipMark = wire.ChunkHeader + 8

// keepHeadLocked keeps as much of p in memory as a record may carry, when the
// file that was to take it cannot be written, and returns how much that is.
func (o *output) keepHeadLocked(s exec.Stream, now int64, p []byte) int {
	n := min(len(p), task.MaxInlineOutput-len(o.mem)-wire.ChunkHeader-skipMark)
	if o.file != nil || n <= 0 {
		return 0
	}
	o.mem = wire.AppendChunk(o.mem, uint8(s), now, p[:n])
	o.length = int64(len(o.mem))
	o.grown.Broadcast()
	return n
}

// spillLocked moves the stream from memory to a file.
func (o *output) spillLocked() {
	f, err := o.w.spool.create(o.a.Lease)
	if err == nil {
		if _, err = f.Write(o.mem); err != nil {
			_ = f.Close()
			o.w.spool.discard(o.a.Lease)
		}
	}
	if err != nil {
		o.failLocked(err)
		return
	}
	o.file, o.sum = f, sha256.New()
	o.sum.Write(o.mem)
	o.w.spool.used(int64(len(o.mem)))
	o.mem = nil
	if !o.wanted {
		o.wanted = true
		go o.w.showOutput(o.a)
	}
}

func (o *output) failLocked(err error) {
	o.err = err
	o.w.noteSpoolFailed()
	o.w.log.Error("output cannot be kept", "task", o.a.ID, "error", err)
}

// lost says why output that no quota forbids was lost; empty is that it was not.
func (o *output) lost() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return lossOf(o.err)
}

// lossOf is an error of writing output in words for people.
func lossOf(err error) string {
	switch {
	case err == nil:
		return ""
	case diskFull(err):
		return "the worker's disk is full"
	}
	return "the worker could not write it: " + err.Error()
}

// diskFull reports whether an error is that of a disk without space.
func diskFull(err error) bool {
	const windowsDiskFull = syscall.Errno(112) // ERROR_DISK_FULL
	return errors.Is(err, syscall.ENOSPC) || runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull)
}

// dropLocked counts what is not kept, but for the end.
func (o *output) dropLocked(p []byte) {
	o.skipped += int64(len(p))
	if o.err != nil {
		return // there is nowhere to put the end
	}
	o.tail = append(o.tail, p...)
	if len(o.tail) > 2*tailKeep {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-tailKeep:]...)
	}
}

// showLive makes what is there visible although the attempt has not ended.
func (o *output) showLive() {
	o.mu.Lock()
	show := !o.done && !o.wanted
	o.wanted = o.wanted || show
	o.mu.Unlock()
	if show {
		o.w.showOutput(o.a)
	}
}

// finish says that nothing more will be written.
func (o *output) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live != nil {
		o.live.Stop()
	}
	if o.skipped > 0 && o.err != nil && o.file == nil && len(o.mem)+skipMark <= task.MaxInlineOutput {
		o.mem = wire.AppendSkipped(o.mem, time.Now().UnixMilli(), o.skipped)
		o.length = int64(len(o.mem))
	}
	if o.skipped > 0 && o.err == nil {
		if len(o.tail) > tailKeep {
			o.tail = o.tail[len(o.tail)-tailKeep:]
		}
		now := time.Now().UnixMilli()
		o.skipped -= int64(len(o.tail))
		b := wire.AppendSkipped(nil, now, o.skipped)
		if len(o.tail) > 0 {
			b = wire.AppendChunk(b, uint8(exec.Stdout), now, o.tail)
		}
		o.appendLocked(b)
		o.tail = nil
	}
	o.scratch = nil
	o.done = true
	o.grown.Broadcast()
}

// spilled reports whether the stream is in a file or being shown from memory,
// so that it must be sent apart from the result.
func (o *output) spilled() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.file != nil
}

// shown reports whether the stream is being sent before the attempt has ended.
func (o *output) shown() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.wanted
}

// summary describes the finished stream for the result record.
func (o *output) summary() task.Output {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := task.Output{Bytes: o.payload, Truncated: o.skipped > 0 || o.err != nil, CutBy: lossOf(o.err)}
	if s.CutBy == "" && o.noRoom {
		s.CutBy = "the worker's output quota is used up"
	}
	if o.file == nil {
		s.Inline = o.mem
		return s
	}
	s.Length, s.SHA256 = o.length, o.sum.Sum(nil)
	return s
}

// readAt copies what is there from offset on into p. It waits for more while
// the attempt writes and returns io.EOF at the end of the finished stream.
func (o *output) readAt(p []byte, off int64, gone func() bool) (int, error) {
	o.mu.Lock()
	for off >= o.length && !o.done && !gone() {
		o.grown.Wait()
	}
	if off >= o.length {
		o.mu.Unlock()
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), o.length-off))
	f := o.file
	if f == nil {
		copy(p, o.mem[off:off+int64(n)])
		o.mu.Unlock()
		return n, nil
	}
	o.mu.Unlock()
	return f.ReadAt(p[:n], off)
}

// nudge wakes readers so that they look at gone again.
func (o *output) nudge() {
	o.mu.Lock()
	o.grown.Broadcast()
	o.mu.Unlock()
}

// close gives the file back. The stream can be read no more.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live != nil {
		o.live.Stop()
	}
	if o.file != nil {
		_ = o.file.Close()
		o.w.spool.used(-o.length)
	}
	o.done = true
	o.grown.Broadcast()
}
