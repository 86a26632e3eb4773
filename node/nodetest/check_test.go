package nodetest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

const second = int64(1e9)

// ev makes an event of the usual node for its kind about task 1.
func ev(kind task.EventKind, change ...func(*task.Event)) task.Event {
	e := task.Event{Kind: kind, Node: "disp", Task: 1}
	switch kind {
	case task.EvSubmitCall, task.EvSubmitOK, task.EvStore:
		e.Key, e.Hash, e.By = "k1", "spec1", "me"
		if kind == task.EvSubmitCall {
			e.Task = 0
		}
	case task.EvGrant:
		e.CPU = 1000
		fallthrough
	case task.EvExpire, task.EvCapacity:
		e.Worker = "w1"
	case task.EvStart, task.EvExit, task.EvResultOK, task.EvSpoolDrop, task.EvObey, task.EvRenewed, task.EvKilled:
		e.Node = "w1"
	}
	switch kind {
	case task.EvGrant, task.EvUngrant, task.EvRelease, task.EvExpire, task.EvRequeue, task.EvRecord, task.EvStart, task.EvExit,
		task.EvResultOK, task.EvSpoolDrop, task.EvWitness, task.EvAlive, task.EvKilled:
		e.Term, e.Attempt = 1, 1
	}
	switch kind {
	case task.EvRecord:
		e.State, e.Hash = task.Done, "result1"
	case task.EvSeen:
		e.State, e.Hash, e.Read = task.Done, "result1", 1
	case task.EvReadCall, task.EvReadOK:
		e.Task, e.Read = 0, 1
	case task.EvResultOK:
		e.Verdict = verdictRecorded
	}
	for _, f := range change {
		f(&e)
	}
	return e
}

func id(n task.ID) func(*task.Event) { return func(e *task.Event) { e.Task = n } }
func fence(t uint64, a uint32) func(*task.Event) {
	return func(e *task.Event) { e.Term, e.Attempt = t, a }
}
func at(t int64) func(*task.Event)         { return func(e *task.Event) { e.Time = t } }
func until(t int64) func(*task.Event)      { return func(e *task.Event) { e.Until = t } }
func onNode(n string) func(*task.Event)    { return func(e *task.Event) { e.Node = n } }
func by(w string) func(*task.Event)        { return func(e *task.Event) { e.Worker = w } }
func state(s task.State) func(*task.Event) { return func(e *task.Event) { e.State = s } }
func from(s task.State) func(*task.Event)  { return func(e *task.Event) { e.From = s } }
func hash(h string) func(*task.Event)      { return func(e *task.Event) { e.Hash = h } }
func code(c int32) func(*task.Event)       { return func(e *task.Event) { e.Code = c } }
func read(n uint64) func(*task.Event)      { return func(e *task.Event) { e.Read = n } }
func key(k string) func(*task.Event)       { return func(e *task.Event) { e.Key = k } }
func backlog(e *task.Event)                { e.Backlog = true }
func once(e *task.Event)                   { e.Delivery = task.AtMostOnce }
func room1(e *task.Event)                  { e.CPU, e.Slots = 1000, 1 }

// good is a life without fault, in which everything is told.
func good() []task.Event {
	return []task.Event{
		ev(task.EvPromote, id(0), fence(1, 0)), ev(task.EvCapacity, id(0), room1),
		ev(task.EvSubmitCall), ev(task.EvStore), ev(task.EvChange, state(task.Queued)), ev(task.EvSubmitOK),
		ev(task.EvGrant), ev(task.EvChange, from(task.Queued), state(task.Assigned)),
		ev(task.EvObey, id(0), fence(1, 0)), ev(task.EvRenewed, id(0), until(5*second)), ev(task.EvStart), ev(task.EvWitness), ev(task.EvExit),
		ev(task.EvRelease), ev(task.EvRecord), ev(task.EvChange, from(task.Assigned), state(task.Done)),
		ev(task.EvResultOK), ev(task.EvSpoolDrop),
		ev(task.EvReadCall), ev(task.EvSeen), ev(task.EvReadOK),
	}
}

// with is the history with every event of a kind replaced; nil leaves it out.
func with(h []task.Event, kind task.EventKind, events ...task.Event) []task.Event {
	var out []task.Event
	for _, e := range h {
		if e.Kind == kind {
			out = append(out, events...)
			continue
		}
		out = append(out, e)
	}
	return out
}

// before puts events in front of the first one of a kind.
func before(h []task.Event, kind task.EventKind, events ...task.Event) []task.Event {
	i := slices.IndexFunc(h, func(e task.Event) bool { return e.Kind == kind })
	return slices.Insert(slices.Clone(h), i, events...)
}

// after puts events behind everything.
func after(h []task.Event, events ...task.Event) []task.Event {
	return append(slices.Clone(h), events...)
}

var all = CheckOptions{Witnessed: true, Complete: true}

func TestCheck(t *testing.T) {
	without := func(kinds ...task.EventKind) []task.Event {
		h := good()
		for _, k := range kinds {
			h = with(h, k)
		}
		return h
	}
	// A task that is lost with its worker once, and then done by another.
	twice := []task.Event{
		ev(task.EvSubmitCall), ev(task.EvStore), ev(task.EvSubmitOK), ev(task.EvGrant),
		ev(task.EvRenewed, until(5*second)), ev(task.EvStart), ev(task.EvWitness), ev(task.EvExpire, at(6*second)),
		ev(task.EvGrant, fence(1, 2), by("w2")), ev(task.EvStart, fence(1, 2), onNode("w2")), ev(task.EvWitness, fence(1, 2)),
		ev(task.EvExit, fence(1, 2), onNode("w2")), ev(task.EvRecord, fence(1, 2)), ev(task.EvResultOK, fence(1, 2), onNode("w2")),
	}
	onceHistory := func(h []task.Event) []task.Event {
		return with(h, task.EvStore, ev(task.EvStore, once))
	}
	for _, tt := range []struct {
		name    string
		history []task.Event
		opt     CheckOptions
		want    string // invariants, in order
	}{
		{"nothing", nil, all, ""},
		{"a good life", good(), all, ""},
		{"a good life, seen by clients and witnesses only", without(task.EvStore, task.EvGrant, task.EvRecord, task.EvChange, task.EvRelease), all, ""},
		{"lost with a worker and done by another", twice, all, ""},
		{"the same submit twice", after(good(), ev(task.EvSubmitCall), ev(task.EvSubmitOK)), all, ""},
		{"purged after its retention", before(with(good(), task.EvSeen), task.EvReadCall, ev(task.EvPurge)), all, ""},
		{"a late witness line", append([]task.Event{ev(task.EvWitness)}, without(task.EvWitness)...), all, ""},

		{"I1 gone from a list", with(good(), task.EvSeen), all, "I1"},
		{"I1 gone after a crash", after(good(), ev(task.EvCrash), ev(task.EvReadCall, read(2)), ev(task.EvReadOK, read(2))), all, "I1"},
		{"I2 nobody asked for it", after(good(), ev(task.EvStore, id(2), key("k2"))), CheckOptions{}, "I2"},
		{"I2 stored with another spec", with(good(), task.EvSubmitCall, ev(task.EvSubmitCall, hash("spec0"))), all, "I2"},
		{"I2 listed, never stored", before(good(), task.EvReadOK, ev(task.EvSeen, id(7), state(task.Queued))), all, "I2"},
		{"I3 one key, two tasks", after(good(), ev(task.EvSubmitCall), ev(task.EvStore, id(2))), CheckOptions{}, "I3"},
		{"I3 one key, two specs", after(good(), ev(task.EvSubmitCall, hash("spec2")), ev(task.EvSubmitOK, hash("spec2"))), all, "I3 I3"},
		{"I4 a step that is not in the table", after(good(), ev(task.EvChange, from(task.Done), state(task.Queued))), all, "I4"},
		{"I4 a step from elsewhere", after(good(), ev(task.EvChange, from(task.Queued), state(task.Assigned))), all, "I4"},
		{"I4 granted after the end", after(good(), ev(task.EvGrant, fence(1, 2))), CheckOptions{}, "I4 I12"},
		{"I4 lost although it may run again", with(with(with(twice, task.EvRecord, ev(task.EvRecord, fence(1, 2), state(task.Lost))), task.EvExit), task.EvResultOK), all, "I4"},
		{"I5 recorded twice", before(good(), task.EvReadCall, ev(task.EvRecord, state(task.Failed), hash("other"))), all, "I5"},
		{"I5 the result changed", with(good(), task.EvSeen, ev(task.EvSeen, hash("other"))), all, "I5"},
		{"I5 alive again", with(good(), task.EvSeen, ev(task.EvSeen, state(task.Queued))), all, "I5"},
		{"I5 never ended", good()[:8], all, "I5"},
		{"I6 a late result was recorded", with(twice, task.EvRecord, ev(task.EvRecord)), CheckOptions{}, "I6"},
		{"no leases are told of", with(good(), task.EvGrant), all, ""},
		{"I6 recorded for an attempt that was not granted", with(good(), task.EvRecord, ev(task.EvRecord, fence(1, 9))), CheckOptions{}, "I6"},
		{"I6 a fence again", with(twice, task.EvExpire, ev(task.EvRequeue), ev(task.EvGrant), ev(task.EvRequeue)), CheckOptions{}, "I6"},
		{"I6 started without a lease", before(good(), task.EvExit, ev(task.EvStart, fence(1, 2))), all, "I6"},
		{"I6 started by somebody else", with(good(), task.EvStart, ev(task.EvStart, onNode("w2"))), all, "I6"},
		{"I6 cancelled while it runs, without its fence", with(with(good(), task.EvRelease), task.EvRecord, ev(task.EvRecord, fence(0, 0), state(task.Cancelled))), CheckOptions{}, "I6 I5"},
		{"I7 two leases", with(twice, task.EvExpire), all, "I7"},
		{"I7 the worker believes longer", with(twice, task.EvRenewed, ev(task.EvRenewed, until(7*second))), all, "I7"},
		{"I7 started after its lease", before(with(good(), task.EvStart), task.EvExit, ev(task.EvExpire, at(6*second)), ev(task.EvStart)), all, "I7"},
		{"I8 ran twice", onceHistory(before(good(), task.EvExit, ev(task.EvWitness))), all, "I8"},
		{"I8 ran twice, as late lines say", onceHistory(append([]task.Event{ev(task.EvWitness)}, good()...)), all, "I8"},
		{"I8 started twice", onceHistory(before(good(), task.EvExit, ev(task.EvStart))), all, "I8"},
		{"I9 nobody saw it", without(task.EvWitness), all, "I9"},
		{"I9 seen under another fence", with(good(), task.EvWitness, ev(task.EvWitness, fence(1, 9))), all, "I9"},
		{"I9 it failed", with(good(), task.EvExit, ev(task.EvExit, code(3))), all, "I9"},
		{"I10 over and over", append(slices.Repeat([]task.Event{ev(task.EvWitness)}, 6), good()...), all, "I10"},
		{"I11 two rule one term", before(good(), task.EvGrant, ev(task.EvPromote, id(0), fence(1, 0), onNode("usurper"))), all, "I11"},
		{"I11 an older term is obeyed", before(good(), task.EvExit, ev(task.EvObey, id(0), fence(3, 0)), ev(task.EvObey, id(0), fence(2, 0))), all, "I11"},
		{"I12 acknowledged before it was stored", before(without(task.EvStore), task.EvGrant, ev(task.EvStore)), all, "I12"},
		{"I12 a number twice", after(good(), ev(task.EvStore)), all, "I12"},
		{"I12 result acknowledged before it was recorded", before(without(task.EvResultOK), task.EvRecord, ev(task.EvResultOK)), all, "I12"},
		{"I12 result dropped too early", before(without(task.EvSpoolDrop), task.EvResultOK, ev(task.EvSpoolDrop)), all, "I12"},
		{"I12 an acknowledged success was forgotten", after(without(task.EvRecord, task.EvSeen, task.EvReadCall, task.EvReadOK), ev(task.EvGrant, fence(2, 2))), CheckOptions{}, "I12"},
		{"I13 granted after its cancel", before(good(), task.EvGrant, ev(task.EvCancelOK)), all, "I13"},
		{"I13 alive after its grace", after(good(), ev(task.EvCancelOK, at(second)), ev(task.EvAlive, at(7*second))), all, "I13"},
		{"alive within its grace", after(good(), ev(task.EvCancelOK, at(second), func(e *task.Event) { e.Grace = 2 * second }), ev(task.EvAlive, at(7*second))), all, ""},
		{"I14 two on one slot", before(good(), task.EvRelease, ev(task.EvSubmitCall, key("k2")), ev(task.EvStore, id(2), key("k2")), ev(task.EvGrant, id(2))), all, "I14"},
		{"backlog waits", before(good(), task.EvRelease, ev(task.EvSubmitCall, key("k2")), ev(task.EvStore, id(2), key("k2")), ev(task.EvGrant, id(2), backlog)), all, ""},
		{"I14 backlog that does not wait", before(good(), task.EvExit, ev(task.EvSubmitCall, key("k2")), ev(task.EvStore, id(2), key("k2")), ev(task.EvGrant, id(2), backlog), ev(task.EvStart, id(2))), all, "I14"},

		{"a crash swallowed the grant", before(with(good(), task.EvGrant, ev(task.EvGrant, id(2), fence(1, 1))), task.EvStart, ev(task.EvCrash)), CheckOptions{Lossy: true}, ""},
		{"a crash swallowed the record", before(without(task.EvRecord, task.EvResultOK, task.EvSpoolDrop, task.EvChange), task.EvReadCall, ev(task.EvCrash)), CheckOptions{Lossy: true, Complete: true}, ""},
		{"a crash swallowed the requeue", with(twice, task.EvExpire, ev(task.EvCrash)), CheckOptions{Lossy: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vs := Check(tt.history, tt.opt)
			var got []string
			for _, v := range vs {
				got = append(got, v.Invariant)
				if v.Text == "" || v.At > len(tt.history) {
					t.Errorf("%+v says nothing", v)
				}
			}
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("found %q, want %q\n%s", g, tt.want, Report(vs))
			}
		})
	}
}

// Histories that were kept because they showed something are checked for ever.
// The name of a file begins with what is to be found in it, or with ok.
func TestKeptHistories(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no histories", err)
	}
	for _, f := range files {
		h, err := LoadHistory(f)
		if err != nil {
			t.Fatal(err)
		}
		want, _, _ := strings.Cut(filepath.Base(f), "_")
		vs := Check(h, CheckOptions{Witnessed: true})
		if want == "ok" && len(vs) > 0 || want != "ok" && !slices.ContainsFunc(vs, func(v Violation) bool { return v.Invariant == want }) {
			t.Errorf("%s: %s", f, Report(vs))
		}
	}
}

func TestHistoryFiles(t *testing.T) {
	h := good()
	for i := range h {
		h[i].Seq, h[i].Time = uint64(i+1), int64(i+1)
	}
	file := filepath.Join(t.TempDir(), "new", "h.jsonl")
	if err := SaveHistory(file, h); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadHistory(file); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("written and read: %v\n%+v", err, got)
	}
	var b bytes.Buffer
	r := task.NewRecorder(&b, "n1")
	for _, e := range h {
		e.Node = ""
		task.Note(r, e)
	}
	task.Note(nil, h[0])
	whole := b.String()
	got, err := ReadHistory(strings.NewReader(whole))
	if err != nil || len(got) != len(h) || got[3].Node != "n1" || got[3].Key != "k1" {
		t.Errorf("recorded and read: %v\n%+v", err, got)
	}
	if got, err = ReadHistory(strings.NewReader(whole[:len(whole)-9])); err != nil || len(got) != len(h)-1 {
		t.Errorf("a writer that was killed: %d events, %v", len(got), err)
	}
	if _, err = ReadHistory(strings.NewReader("{}\nnonsense\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a damaged line: %v", err)
	}
}

func TestHistoryAndMerge(t *testing.T) {
	var a History
	a.For("a").Record(task.Event{Kind: task.EvFault})
	a.Record(task.Event{Kind: task.EvFault, Node: "b", Time: 7})
	if e := a.Events(); e[0].Node != "a" || e[0].Time == 0 || e[1].Seq != 2 {
		t.Errorf("%+v", e)
	}
	one := []task.Event{{Time: 1, Node: "x"}, {Time: 5, Node: "x"}, {Time: 3, Node: "x"}, {Time: 9, Node: "x"}}
	two := []task.Event{{Time: 2, Node: "y"}, {Time: 5, Node: "y"}, {Time: 8, Node: "y"}}
	var s []string
	for _, e := range Merge(one, two) {
		s = append(s, fmt.Sprint(e.Node, e.Time))
	}
	if got := strings.Join(s, " "); got != "x1 y2 x5 x5 y5 y8 x9" {
		t.Error(got)
	}
}

func TestWitness(t *testing.T) {
	file := filepath.Join(t.TempDir(), "it's a file")
	cmd := exec.Command("sh", "-c", WitnessLine(file))
	cmd.Env = append(os.Environ(), "OCTASKLY_TASK_ID=42", "OCTASKLY_ATTEMPT=3", "OCTASKLY_FENCE=7.3")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no shell here: %v %s", err, out)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := ReadWitness(f)
	if err != nil || len(h) != 1 || h[0].Task != 42 || h[0].Fence() != (task.Fence{Term: 7, Attempt: 3}) || h[0].PID <= 0 {
		t.Errorf("%+v, %v", h, err)
	}
	for _, bad := range []string{"", "1,2,3", "0,1,1.1,5", "1,1,x.1,5", "1,2,1.1,5", "1,1,1.1,x"} {
		if e, err := parseWitness(bad); err == nil {
			t.Errorf("%q is %+v", bad, e)
		}
	}
}

func FuzzReadHistory(f *testing.F) {
	var b bytes.Buffer
	_ = WriteHistory(&b, good())
	f.Add(b.Bytes())
	f.Add([]byte("{\"kind\":\"read_ok\"}\n{\"kind\":\"seen\",\"state\":7}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHistory(bytes.NewReader(b))
		for _, v := range Check(h, all) {
			_ = v.String()
		}
		_, errW := ReadWitness(bytes.NewReader(b))
		_ = errors.Join(err, errW)
	})
}

func BenchmarkCheck(b *testing.B) {
	var h []task.Event
	for i := range 10_000 {
		for _, e := range good() {
			if e.Task == 1 {
				e.Task = task.ID(i + 1)
			}
			if e.Key != "" {
				e.Key = fmt.Sprint("k", i)
			}
			if e.Kind != task.EvReadCall && e.Kind != task.EvSeen && e.Kind != task.EvReadOK {
				h = append(h, e)
			}
		}
	}
	b.ReportMetric(float64(len(h)), "events")
	for b.Loop() {
		if vs := Check(h, all); len(vs) > 0 {
			b.Fatal(Report(vs))
		}
	}
}
