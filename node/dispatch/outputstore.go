package dispatch

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// outputStore keeps the chunk streams of attempts whose output is not small, one
// file each: ID.TERM.ATTEMPT. They are not part of the replicated queue; its
// records have their length and hash.
//
// The files together stay within quota: the oldest make room, but never those of
// attempts that have not ended. While the disk is short nothing is added at all.
// What cannot be kept is cut: the head stays, and the attempt's record says so.
//
// mu guards the fields and is never held while a file is read, written or
// listed. evicting is taken before mu.
type outputStore struct {
	dir   string
	quota int64 // bytes
	log   *slog.Logger
	// mayKeep fails while the disk has too little space; nil always allows.
	mayKeep func() error
	// unfinished reports whether an attempt has not ended; nil knows none.
	unfinished func(wire.Lease) bool

	evicting sync.Mutex // one eviction at a time

	mu      sync.Mutex
	growing map[wire.Lease]*growingOutput
	bytes   int64 // of all files, as far as known since the last count
	warned  bool  // the log said that the quota is nearly used
	cut     map[wire.Lease]string
}

// growingOutput is a file that is being written.
type growingOutput struct {
	mu     sync.Mutex
	length int64
	done   bool
	more   chan struct{} // closed and replaced when it grows or ends
}

// What cut an output, as records and people see it.
const (
	cutByDisk  = "the dispatcher's disk is full"
	cutByQuota = "the dispatcher's output quota is used up"
)

// nearlyFull is the share of the quota, in percent, from which on a person is warned.
const nearlyFull = 80

// errOutputCut says that no more of an output is kept.
var errOutputCut = errors.New("no more of this output is kept")

func openOutputs(dir string, quota int64, log *slog.Logger) (*outputStore, error) {
	o := &outputStore{
		dir: filepath.Join(dir, "output"), quota: quota, log: log,
		growing: make(map[wire.Lease]*growingOutput), cut: make(map[wire.Lease]string),
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	return o, nil
}

func (o *outputStore) path(l wire.Lease) string {
	return filepath.Join(o.dir, l.ID.String()+"."+l.Fence.String())
}

// grow is the file that is being written for a lease, entered if create is set.
func (o *outputStore) grow(l wire.Lease, create bool) *growingOutput {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.growing[l]
	if f == nil && create {
		f = &growingOutput{more: make(chan struct{})}
		o.growing[l] = f
	}
	return f
}

// settled says that f does not grow any more, and reports whether it did.
func (o *outputStore) settled(l wire.Lease, f *growingOutput) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.growing[l] != f {
		return false
	}
	delete(o.growing, l)
	return true
}

// reserve takes n bytes of the quota. It fails with errOutputCut, and remembers
// why for the record of the attempt.
func (o *outputStore) reserve(l wire.Lease, n int64) error {
	why := ""
	switch {
	case o.mayKeep != nil && o.mayKeep() != nil:
		why = cutByDisk
	case !o.take(n) && (!o.evict(n) || !o.take(n)):
		why = cutByQuota
	}
	if why == "" {
		o.sayNearlyFull()
		return nil
	}
	o.noteCut(l, why)
	return errOutputCut
}

// noteCut remembers what cut an output until its attempt is recorded.
func (o *outputStore) noteCut(l wire.Lease, why string) {
	o.mu.Lock()
	_, known := o.cut[l]
	o.cut[l] = why
	o.mu.Unlock()
	if !known {
		o.log.Warn("output is cut", "task", l.ID, "attempt", l.Fence.Attempt, "reason", why)
	}
}

// judge compares what a worker says of an ended output with what is here. The
// record must not promise what nobody has.
func (o *outputStore) judge(l wire.Lease, out *task.Output) {
	o.mu.Lock()
	why := o.cut[l]
	delete(o.cut, l)
	o.mu.Unlock()
	if out.Length == 0 {
		return
	}
	if info, err := os.Stat(o.path(l)); err == nil && info.Size() >= out.Length {
		return
	}
	out.Truncated = true
	if out.CutBy == "" {
		out.CutBy = cmp.Or(why, "not all of it reached the dispatcher")
	}
}

func (o *outputStore) take(n int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bytes+n > o.quota {
		return false
	}
	o.bytes += n
	return true
}

// release returns n bytes that were reserved and not written.
func (o *outputStore) release(n int64) {
	o.mu.Lock()
	o.bytes -= n
	o.mu.Unlock()
}

func (o *outputStore) sayNearlyFull() {
	o.mu.Lock()
	used, say := o.bytes, o.bytes > o.quota/100*nearlyFull && !o.warned
	o.warned = o.warned || say
	if o.bytes < o.quota/2 {
		o.warned = false
	}
	o.mu.Unlock()
	if say {
		o.log.Warn("output of tasks nearly fills its quota; the oldest will make room", "used", used, "quota", o.quota, "dir", o.dir)
	}
}

// usage is how many bytes are kept, and whether that is nearly all that may be.
func (o *outputStore) usage() (bytes int64, nearly bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes, o.bytes > o.quota/100*nearlyFull
}

// storedOutput is one file of the store.
type storedOutput struct {
	name  string
	lease wire.Lease
	size  int64
	age   int64 // time of the last write, Unix ns
}

// list is what is in the folder; files with other names are not ours.
func (o *outputStore) list(ctx context.Context) ([]storedOutput, error) {
	return listOutputs(ctx, o.dir)
}

func listOutputs(ctx context.Context, dir string) ([]storedOutput, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := make([]storedOutput, 0, len(entries))
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l, ok := parseOutputName(e.Name())
		if !ok {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			all = append(all, storedOutput{e.Name(), l, info.Size(), info.ModTime().UnixNano()})
		}
	}
	return all, nil
}

// parseOutputName reads ID.TERM.ATTEMPT.
func parseOutputName(name string) (l wire.Lease, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return l, false
	}
	var n [3]uint64
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 64)
		if err != nil || i == 2 && v > 1<<32-1 {
			return l, false
		}
		n[i] = v
	}
	return wire.Lease{ID: task.ID(n[0]), Fence: task.Fence{Term: n[1], Attempt: uint32(n[2])}}, true
}

// evict removes the oldest outputs until n more bytes fit, and a tenth of the
// quota beyond, so that it is not needed for each. It reports whether they fit.
func (o *outputStore) evict(n int64) bool {
	o.evicting.Lock()
	defer o.evicting.Unlock()
	all, err := o.list(context.Background())
	if err != nil {
		o.log.Warn("output folder cannot be read", "error", err)
		return false
	}
	var total int64
	for _, f := range all {
		total += f.size
	}
	o.mu.Lock()
	total = max(total, min(o.bytes, total+int64(len(o.growing))*outputBuffer)) // reserved and not yet written
	o.bytes = total
	o.mu.Unlock()
	if total+n <= o.quota {
		return true
	}
	slices.SortFunc(all, func(a, b storedOutput) int {
		return cmp.Or(cmp.Compare(a.age, b.age), cmp.Compare(a.lease.ID, b.lease.ID))
	})
	enough := o.quota - o.quota/10 - n
	removed, freed := 0, int64(0)
	for _, f := range all {
		if total-freed <= enough {
			break
		}
		if o.grow(f.lease, false) != nil || o.unfinished != nil && o.unfinished(f.lease) {
			continue
		}
		if err := os.Remove(filepath.Join(o.dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		removed++
		freed += f.size
	}
	o.release(freed)
	if removed > 0 {
		o.log.Warn("the oldest outputs made room for new ones", "count", removed, "bytes", freed, "quota", o.quota)
	}
	return total-freed+n <= o.quota
}

// collect removes outputs of tasks that the queue no longer keeps, and counts
// what is there.
func (o *outputStore) collect(ctx context.Context, kept func(task.ID) bool) {
	o.evicting.Lock()
	defer o.evicting.Unlock()
	all, err := o.list(ctx)
	if err != nil {
		if ctx.Err() == nil {
			o.log.Warn("output folder cannot be read", "error", err)
		}
		return
	}
	var total int64
	for _, f := range all {
		if ctx.Err() != nil {
			return
		}
		if !kept(f.lease.ID) {
			_ = os.Remove(filepath.Join(o.dir, f.name))
			continue
		}
		total += f.size
	}
	o.mu.Lock()
	o.bytes = total
	o.mu.Unlock()
}

// payload is how many bytes a command wrote of which the output is here; what
// follows a torn chunk does not count.
func (o *outputStore) payload(l wire.Lease) int64 {
	file, err := os.Open(o.path(l))
	if err != nil {
		return 0
	}
	defer file.Close()
	var n int64
	header := make([]byte, wire.ChunkHeader)
	for off := int64(0); ; {
		if _, err := file.ReadAt(header, off); err != nil {
			return n
		}
		size := int64(binary.BigEndian.Uint32(header[wire.ChunkHeader-4:]))
		if off += wire.ChunkHeader + size; size > wire.MaxChunk {
			return n
		}
		if header[0] != 0 {
			n += size
		}
	}
}

// PurgeOutputs deletes the outputs in a node's directory, but for those of tasks
// in held and those that were written at or after before. The node may run: it
// counts what is there once a minute. It returns how many files were deleted and
// how many bytes they had.
func PurgeOutputs(nodeDir string, held map[task.ID]bool, before time.Time) (files int, bytes int64, err error) {
	dir := filepath.Join(nodeDir, "output")
	all, err := listOutputs(context.Background(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("look for outputs: %w", err)
	}
	for _, f := range all {
		if held[f.lease.ID] || f.age >= before.UnixNano() {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return files, bytes, fmt.Errorf("delete an output: %w", err)
		}
		files++
		bytes += f.size
	}
	return files, bytes, nil
}
