package dispatch

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// put writes a stored output of a size and an age.
func (o *outputStore) put(t testing.TB, l wire.Lease, size int, age time.Duration) {
	t.Helper()
	if err := os.WriteFile(o.path(l), make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(o.path(l), at, at); err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	o.bytes += int64(size)
	o.mu.Unlock()
}

func (o *outputStore) has(l wire.Lease) bool {
	_, err := os.Stat(o.path(l))
	return err == nil
}

// Once 10 GiB of output were kept, everything later was dropped, and nobody was
// told: the oldest outputs make room, but never those of running tasks.
func TestOldestOutputsMakeRoom(t *testing.T) {
	o := testOutputs(t)
	o.quota = 1000
	running, oldest, older, young, written := at(1, 1, 1), at(2, 1, 1), at(3, 1, 1), at(4, 1, 1), at(5, 1, 1)
	o.unfinished = func(l wire.Lease) bool { return l == running }
	o.put(t, running, 200, 5*time.Hour)
	o.put(t, oldest, 200, 4*time.Hour)
	o.put(t, written, 100, 3*time.Hour)
	o.put(t, older, 200, 2*time.Hour)
	o.put(t, young, 200, time.Hour)
	o.grow(written, true)
	if err := o.reserve(at(6, 1, 1), 300); err != nil {
		t.Fatalf("there is no room: %v", err)
	}
	for l, want := range map[wire.Lease]bool{running: true, oldest: false, older: false, young: true, written: true} {
		if o.has(l) != want {
			t.Errorf("the output of task %d is there: %v, want %v", l.ID, !want, want)
		}
	}
	if used, _ := o.usage(); used != 800 {
		t.Errorf("%d bytes are counted, want 500 kept and 300 reserved", used)
	}
}

func TestOutputIsCutWhereNothingMakesRoom(t *testing.T) {
	full := errors.New("the disk is full")
	for _, tc := range []struct {
		name    string
		mayKeep func() error
		why     string
	}{
		{"quota", nil, cutByQuota},
		{"disk", func() error { return full }, cutByDisk},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := testOutputs(t)
			o.quota, o.mayKeep = 1000, tc.mayKeep
			o.unfinished = func(wire.Lease) bool { return true }
			o.put(t, at(1, 1, 1), 900, time.Hour)
			l := at(2, 1, 1)
			o.put(t, l, 50, 0)
			if err := o.reserve(l, 200); !errors.Is(err, errOutputCut) {
				t.Fatalf("reserved: %v", err)
			}
			out := task.Output{Length: 300, Bytes: 280}
			if o.judge(l, &out); !out.Truncated || out.CutBy != tc.why {
				t.Errorf("the record says %+v, want cut by %q", out, tc.why)
			}
			if !o.has(at(1, 1, 1)) || !o.has(l) {
				t.Error("output of a running task was removed")
			}
		})
	}
}

func TestJudge(t *testing.T) {
	o := testOutputs(t)
	o.put(t, at(1, 1, 1), 100, 0)
	for _, tc := range []struct {
		name string
		out  task.Output
		want task.Output
	}{
		{"inline", task.Output{Inline: []byte("x"), Bytes: 1}, task.Output{Inline: []byte("x"), Bytes: 1}},
		{"whole", task.Output{Length: 100}, task.Output{Length: 100}},
		{"short", task.Output{Length: 101}, task.Output{Length: 101, Truncated: true, CutBy: "not all of it reached the dispatcher"}},
		{"cut before", task.Output{Length: 101, Truncated: true, CutBy: "x"}, task.Output{Length: 101, Truncated: true, CutBy: "x"}},
	} {
		if o.judge(at(1, 1, 1), &tc.out); tc.out.CutBy != tc.want.CutBy || tc.out.Truncated != tc.want.Truncated || !bytes.Equal(tc.out.Inline, tc.want.Inline) {
			t.Errorf("%s: %+v, want %+v", tc.name, tc.out, tc.want)
		}
	}
}

func TestParseOutputName(t *testing.T) {
	for name, want := range map[string]wire.Lease{"12.3.4": at(12, 3, 4), "1.2": {}, "1.2.3.4": {}, "a.1.1": {}, "1.1.4294967296": {}, "notes": {}} {
		if got, ok := parseOutputName(name); got != want || ok != (want.ID != 0) {
			t.Errorf("%q is %v, %v", name, got, ok)
		}
	}
}

func TestCollectRemovesOutputsOfForgottenTasks(t *testing.T) {
	o := testOutputs(t)
	o.put(t, at(1, 1, 1), 10, 0)
	o.put(t, at(2, 1, 1), 20, 0)
	stranger := o.path(at(3, 1, 1)) + ".note"
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.collect(t.Context(), func(id task.ID) bool { return id == 2 })
	if _, err := os.Stat(stranger); err != nil || o.has(at(1, 1, 1)) || !o.has(at(2, 1, 1)) {
		t.Errorf("task 1 kept: %v, task 2 kept: %v, a file that is not ours: %v", o.has(at(1, 1, 1)), o.has(at(2, 1, 1)), err)
	}
	if used, _ := o.usage(); used != 20 {
		t.Errorf("%d bytes are counted", used)
	}
}

// sendOutput plays a worker that sends an output, and returns from which offset
// on it was wanted and whether all of it was taken.
func (d *Dispatcher) sendOutput(t *testing.T, l wire.Lease, b []byte) (have wire.OutputHave, whole bool) {
	t.Helper()
	a, c := net.Pipe()
	ours, theirs := wire.NewConn(a, wire.LimitAfter), wire.NewConn(c, wire.LimitAfter)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = d.ServeOutput(context.Background(), Peer{ID: "w1"}, theirs)
		_ = theirs.Close()
	}()
	if err := ours.Send(wire.OutputOpen{Lease: l}); err != nil {
		t.Fatal(err)
	}
	have, err := wire.Recv1[wire.OutputHave](ours)
	if err != nil {
		t.Fatal(err)
	}
	if have.Wanted {
		_, err = ours.Write(b[have.Offset:])
		_ = ours.CloseWrite()
		whole = err == nil
	}
	_ = ours.Close()
	<-served
	return have, whole
}

func (d *Dispatcher) hold(l wire.Lease) {
	d.mu.Lock()
	d.workerLocked("w1").add(lease{Lease: l})
	d.mu.Unlock()
}

// The kind of A3 and A4: an output for which there is no room.
func TestServeOutputMakesRoomOrCuts(t *testing.T) {
	d := openDispatcher(t)
	d.mustSubmit(t)
	d.outputs.quota = 1 << 20
	d.outputs.unfinished = nil
	old, l := at(90, 1, 1), at(1, 1, 1)
	d.outputs.put(t, old, 1<<20-100, time.Hour)
	d.hold(l)
	b := stream(0, 1000)
	if have, _ := d.sendOutput(t, l, b); !have.Wanted {
		t.Fatal("the output is not wanted")
	}
	if got, err := os.ReadFile(d.outputs.path(l)); err != nil || !bytes.Equal(got, b) || d.outputs.has(old) {
		t.Errorf("kept %d of %d bytes: %v; the old one is there: %v", len(got), len(b), err, d.outputs.has(old))
	}
	d.outputs.mayKeep = func() error { return errors.New("full") }
	again := at(2, 1, 1)
	d.hold(again)
	if have, _ := d.sendOutput(t, again, b); have.Wanted {
		t.Error("an output is wanted although the disk is full")
	}
	out := task.Output{Length: int64(len(b))}
	if d.outputs.judge(again, &out); out.CutBy != cutByDisk {
		t.Errorf("its record says %+v", out)
	}
}

// Whoever reads an output that was cut hears why, after what there is of it.
func TestReaderSaysWhyOutputIsCut(t *testing.T) {
	whole := stream(0, 50)
	for _, tc := range []struct {
		name   string
		file   []byte
		out    task.Output
		want   string
		remark string
	}{
		{"nothing is here", nil, task.Output{Length: 10, CutBy: cutByDisk}, "", "output of this attempt was lost: " + cutByDisk},
		{"the head", whole[:240], task.Output{Length: int64(len(whole)), CutBy: cutByQuota}, plain(whole[:240]), "output was lost: " + cutByQuota},
		{"torn in a chunk", whole[:250], task.Output{Length: 250, CutBy: "it went with host3"}, plain(whole[:250]), "output was lost: it went with host3"},
		{"in the record", nil, task.Output{Inline: whole[:240], CutBy: "the worker's disk is full"}, plain(whole[:240]), "output was lost: the worker's disk is full"},
		{"nothing at all", nil, task.Output{CutBy: "the worker's disk is full"}, "", "output was lost: the worker's disk is full"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := testOutputs(t)
			l := at(4, 2, 1)
			if tc.file != nil {
				if err := os.WriteFile(o.path(l), tc.file, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			a := &task.Attempt{Fence: l.Fence, Ended: 1, Output: tc.out}
			r := attemptReader{o: o, open: true}
			r.start(l.ID, a)
			defer r.close()
			got, remarks, ended := readAll(t, &r, a)
			if got != tc.want || !ended || len(remarks) != 1 || !strings.Contains(remarks[0], tc.remark) {
				t.Errorf("read %q, remarks %q, ended %v; want %q and one remark with %q", got, remarks, ended, tc.want, tc.remark)
			}
		})
	}
}

func TestPurgeOutputs(t *testing.T) {
	o := testOutputs(t)
	o.put(t, at(1, 1, 1), 10, time.Hour)
	o.put(t, at(2, 1, 1), 20, time.Hour)
	o.put(t, at(3, 1, 1), 30, 0)
	files, size, err := PurgeOutputs(filepath.Dir(o.dir), map[task.ID]bool{2: true}, time.Now().Add(-time.Minute))
	if err != nil || files != 1 || size != 10 || o.has(at(1, 1, 1)) || !o.has(at(2, 1, 1)) || !o.has(at(3, 1, 1)) {
		t.Errorf("deleted %d files of %d bytes: %v", files, size, err)
	}
	if files, _, err := PurgeOutputs(t.TempDir(), nil, time.Now()); files != 0 || err != nil {
		t.Errorf("a node without outputs: %d, %v", files, err)
	}
}
