package queue

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// FuzzApply feeds a state anything as a command: it must answer and must not
// panic, and a store that took it must open again with the same hash.
func FuzzApply(f *testing.F) {
	q := &Queue{opts: Options{MaxSize: 5}.withDefaults()}
	q.opts.MaxSize = 5
	for _, c := range q.submitCommands("me", []task.NewTask{shell("a"), {Spec: task.Spec{Argv: []string{"b"}, Retries: 2, RetryOn: []int32{1}}, Key: "k"}}) {
		f.Add(c)
	}
	f.Add(appendGrant(putUint(putString(beginCommand(nil, cmdGrant, 1), "w"), 1), &Grant{1, task.Fence{Term: 1, Attempt: 1}}, nil))
	f.Add(appendOutcome(putUint(beginCommand(nil, cmdRecord, 2), 1), &Outcome{ID: 1, Fence: task.Fence{Term: 1, Attempt: 1}, Exit: task.Exit{Code: 1}}, nil))
	f.Add(appendReturn(putUint(beginCommand(nil, cmdReturn, 3), 1), &Return{ID: 1, Fence: task.Fence{Term: 1, Attempt: 1}, Why: LeaseLost}))
	f.Add(putUint(putUint(putString(beginCommand(nil, cmdCancel, 4), "me"), 1), 2))
	f.Add(putUint(putUint(beginCommand(nil, cmdPurge, 5), 1), 2))
	f.Add(pack(beginCommand(nil, cmdPutMember, 6), Member{ID: "n", Name: "n"}))
	f.Add(putBool(putString(beginCommand(nil, cmdDrain, 7), "n"), true))
	f.Add(putBool(putBool(putBytes(putString(beginCommand(nil, cmdPutMeta, 8), "ca"), []byte("x")), false), true))
	dir := f.TempDir()
	o := Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}
	s, err := OpenState(o)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		hash := s.Hash()
		if err := s.Close(); err != nil {
			f.Fatal(err)
		}
		again, err := OpenState(o)
		if err != nil {
			f.Fatal(err)
		}
		if again.Hash() != hash {
			f.Error("the store is not what was in memory")
		}
		_ = again.Close()
	})
	index := uint64(0)
	f.Fuzz(func(t *testing.T, cmd []byte) {
		index++
		if r := s.Apply([]Entry{{Index: index, Term: 1, Data: cmd}}); r[0] == nil {
			t.Fatal("no answer")
		}
	})
}

// FuzzStored feeds the readers of stored records; what one accepts, it must
// write again as it was.
func FuzzStored(f *testing.F) {
	a := task.Attempt{Fence: task.Fence{Term: 1, Attempt: 2}, Node: "w", Exit: task.Exit{Code: 3, Reason: task.ReasonExit}, Output: task.Output{Inline: []byte("x")}}
	f.Add((&record{state: task.Done, term: 1, attempt: 2, last: &a}).append(nil))
	f.Add((&record{state: task.Retry, notBefore: 5, history: 3}).append(nil))
	var w blockWriter
	w.add(&task.NewTask{Spec: task.Spec{Shell: "x"}, Key: "k"})
	f.Add(w.append(nil, 1, "me"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := parseRecord(b, true); err == nil {
			again, err := parseRecord(r.append(nil), true)
			if err != nil || !bytes.Equal(again.append(nil), r.append(nil)) {
				t.Fatalf("%+v is not read as it was written: %v", r, err)
			}
		}
		if k, err := parseBlock(b); err == nil {
			if _, err := parseBlock(appendBlock(nil, k, k.items)); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = parseTop(b)
		_, _ = parseNumKey(b)
	})
}
