package state

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// FuzzApply feeds a state anything as a command: it must answer and must not
// panic, and a store that took it must open again with the same hash.
func FuzzApply(f *testing.F) {
	for _, c := range EncodeSubmit(1, 5, "me", []task.NewTask{{Spec: task.Spec{Shell: "a"}}, {Spec: task.Spec{Argv: []string{"b"}, Retries: 2, RetryOn: []int32{1}}, Key: "k"}}) {
		f.Add(c)
	}
	fence := task.Fence{Term: 1, Attempt: 1}
	for _, cmds := range [][][]byte{
		EncodeGrant(1, "w", []Grant{{1, fence}}),
		EncodeRecord(2, []Outcome{{ID: 1, Fence: fence, Exit: task.Exit{Code: 1}}}),
		EncodeRelease(3, []Release{{ID: 1, Fence: fence, Why: LeaseLost}}),
		EncodeCancel(4, "me", []task.ID{2}),
		EncodePurge(5, []task.ID{2}),
	} {
		f.Add(cmds[0])
	}
	f.Add(EncodePutMember(6, &Member{ID: "n", Name: "n"}))
	f.Add(EncodeDrain(7, "n", true))
	f.Add(EncodePutMeta(8, "ca", []byte("x"), true))
	store := &memStore{}
	s, err := Open(store, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		hash := s.Hash()
		if err := s.Close(); err != nil {
			f.Fatal(err)
		}
		again, err := Open(store, slog.New(slog.DiscardHandler))
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
		_, _ = parsePosition(b)
		_, _ = parseNumKey(b)
	})
}
