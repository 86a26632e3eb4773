package queue_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
)

func kindOf[T any](t *testing.T, p *queue.Pending[T]) task.Kind {
	t.Helper()
	_, err := p.Wait(t.Context())
	return task.KindOf(err)
}

func TestMembers(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	q := openMem(t, dir, c)
	must(t, q.PutMember(queue.Member{ID: "a", Name: "mill"}))
	if m := must(t, q.PutMember(queue.Member{ID: "b", Name: "MILL"})); m.Name != "MILL-2" {
		t.Fatalf("a clash: %+v", m)
	}
	if m := must(t, q.PutMember(queue.Member{ID: "b", Name: "MILL"})); m.Name != "MILL-2" {
		t.Fatalf("the same again: %+v", m)
	}
	if m := must(t, q.SetDrain("a", true)); m.Drained != c.t.UnixMilli() {
		t.Fatalf("drain: %+v", m)
	}
	if m := must(t, q.PutMember(queue.Member{ID: "a", Name: "mill", Addrs: []string{"x"}})); m.Drained == 0 || m.Joined == 0 {
		t.Fatalf("replacing forgets: %+v", m)
	}
	must(t, q.RemoveMember("b", "admin"))
	if k := kindOf(t, q.PutMember(queue.Member{ID: "b", Name: "back"})); k != task.KindNotAllowed {
		t.Fatalf("a revoked key came back: %v", k)
	}
	if k := kindOf(t, q.SetDrain("b", true)); k != task.KindNotFound {
		t.Fatalf("drain of nobody: %v", k)
	}
	must(t, q.PutInvite(queue.Invite{ID: "i", Uses: 1, Expires: c.t.UnixMilli() + 1000}))
	must(t, q.UseInvite("i", "n1"))
	if i := must(t, q.UseInvite("i", "n1")); i.Uses != 0 {
		t.Fatalf("the same node spent two: %+v", i)
	}
	if k := kindOf(t, q.UseInvite("i", "n2")); k != task.KindConflict {
		t.Fatalf("used up: %v", k)
	}
	must(t, q.PutInvite(queue.Invite{ID: "j", Uses: 1, Expires: c.t.UnixMilli() + 1000}))
	c.t = c.t.Add(2 * time.Second)
	if k := kindOf(t, q.UseInvite("j", "n2")); k != task.KindTimeout {
		t.Fatalf("expired: %v", k)
	}
	must(t, q.DropInvite("j"))
	if v := must(t, q.PutMeta("ca", []byte("1"), true)); string(v) != "1" {
		t.Fatalf("meta: %q", v)
	}
	if v := must(t, q.PutMeta("ca", []byte("2"), true)); string(v) != "1" {
		t.Fatalf("once means once: %q", v)
	}
	hash := q.Hash()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = openMem(t, dir, c)
	defer q.Close()
	m, ok := q.Member("Mill")
	if q.Hash() != hash || len(q.Members()) != 1 || !ok || m.Drained == 0 || !q.Revoked("b") || len(q.Invites()) != 1 || string(q.Meta("ca")) != "1" {
		t.Fatalf("after a restart: %+v %+v %+v", q.Members(), q.Revocations(), q.Invites())
	}
}

func TestExportImport(t *testing.T) {
	c := newClock()
	a := openMem(t, t.TempDir(), c)
	defer a.Close()
	must(t, a.Submit("me", []task.NewTask{shell("1"), shell("2"), shell("3")}))
	must(t, a.Cancel("me", []task.ID{2}))
	must(t, a.PutMember(queue.Member{ID: "a", Name: "mill"}))
	var b bytes.Buffer
	if err := a.State().Export(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	s, err := queue.OpenState(queue.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Import(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	ia, ta := a.State().LogPosition()
	if ib, tb := s.LogPosition(); s.Hash() != a.Hash() || ia != ib || ta != tb || s.ReadyCount() != 2 {
		t.Fatalf("%d %d %d", ib, tb, s.ReadyCount())
	}
	bad := b.Bytes()
	bad[len(bad)/2] ^= 1
	other, err := queue.OpenState(queue.Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Import(bytes.NewReader(bad)); err == nil {
		t.Fatal("a damaged state was taken over")
	}
	_ = other.Close()
}

func TestRetention(t *testing.T) {
	c := newClock()
	q := openWith(t, queue.Options{Dir: t.TempDir(), Now: c.now, KeepCount: 2, KeepAge: time.Hour})
	defer q.Close()
	must(t, q.Submit("me", []task.NewTask{shell("1"), shell("2"), shell("3"), shell("4")}))
	must(t, q.Cancel("me", []task.ID{3, 1, 2}))
	queue.RemoveOverdue(q, t.Context())
	if _, err := q.Get(3); task.KindOf(err) != task.KindNotFound {
		t.Fatalf("the one that finished first is still there: %v", err)
	}
	if n := q.Counts()[task.Cancelled]; n != 2 {
		t.Fatalf("%d finished tasks are kept", n)
	}
	c.t = c.t.Add(2 * time.Hour)
	queue.RemoveOverdue(q, t.Context())
	if n := q.Counts(); n[task.Cancelled] != 0 || n[task.Queued] != 1 {
		t.Fatalf("after their age: %v", n)
	}
}

// TestRetentionWithAWrongClock: a start with a clock that is weeks ahead removes nothing.
func TestRetentionWithAWrongClock(t *testing.T) {
	c := newClock()
	o := queue.Options{Dir: t.TempDir(), Now: c.now, KeepAge: 7 * 24 * time.Hour}
	q := openWith(t, o)
	must(t, q.Submit("me", []task.NewTask{shell("1"), shell("2")}))
	must(t, q.Cancel("me", []task.ID{1, 2}))
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	c.t = c.t.Add(16 * 24 * time.Hour)
	q = openWith(t, o)
	defer q.Close()
	queue.RemoveOverdue(q, t.Context())
	if n := q.Counts()[task.Cancelled]; n != 2 {
		t.Errorf("%d finished tasks are kept, want 2", n)
	}
}
