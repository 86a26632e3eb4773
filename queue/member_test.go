package queue

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func kindOf[T any](t *testing.T, p *Pending[T]) task.Kind {
	t.Helper()
	_, err := p.Wait(t.Context())
	return task.KindOf(err)
}

func TestMembers(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	q := openMem(t, dir, c)
	must(t, q.PutMember(Member{ID: "a", Name: "mill"}))
	if m := must(t, q.PutMember(Member{ID: "b", Name: "MILL"})); m.Name != "MILL-2" {
		t.Fatalf("a clash: %+v", m)
	}
	if m := must(t, q.PutMember(Member{ID: "b", Name: "MILL"})); m.Name != "MILL-2" {
		t.Fatalf("the same again: %+v", m)
	}
	if m := must(t, q.SetDrain("a", true)); m.Drained != c.t.UnixMilli() {
		t.Fatalf("drain: %+v", m)
	}
	if m := must(t, q.PutMember(Member{ID: "a", Name: "mill", Addrs: []string{"x"}})); m.Drained == 0 || m.Joined == 0 {
		t.Fatalf("replacing forgets: %+v", m)
	}
	must(t, q.RemoveMember("b", "admin"))
	if k := kindOf(t, q.PutMember(Member{ID: "b", Name: "back"})); k != task.KindNotAllowed {
		t.Fatalf("a revoked key came back: %v", k)
	}
	if k := kindOf(t, q.SetDrain("b", true)); k != task.KindNotFound {
		t.Fatalf("drain of nobody: %v", k)
	}
	must(t, q.PutInvite(Invite{ID: "i", Uses: 1, Expires: c.t.UnixMilli() + 1000}))
	must(t, q.UseInvite("i", "n1"))
	if i := must(t, q.UseInvite("i", "n1")); i.Uses != 0 {
		t.Fatalf("the same node spent two: %+v", i)
	}
	if k := kindOf(t, q.UseInvite("i", "n2")); k != task.KindConflict {
		t.Fatalf("used up: %v", k)
	}
	must(t, q.PutInvite(Invite{ID: "j", Uses: 1, Expires: c.t.UnixMilli() + 1000}))
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
	must(t, a.PutMember(Member{ID: "a", Name: "mill"}))
	var b bytes.Buffer
	if err := a.Export(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	s, err := OpenState(Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Import(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	ia, ta := a.LogPosition()
	if ib, tb := s.LogPosition(); s.Hash() != a.Hash() || ia != ib || ta != tb || s.ReadyCount() != 2 {
		t.Fatalf("%d %d %d", ib, tb, s.ReadyCount())
	}
	bad := b.Bytes()
	bad[len(bad)/2] ^= 1
	other, err := OpenState(Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Import(bytes.NewReader(bad)); err == nil {
		t.Fatal("a damaged state was taken over")
	}
	_ = other.Close()
}

func TestRetryDelay(t *testing.T) {
	for n, want := range map[uint32]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 900: 5 * time.Minute} {
		for id := task.ID(1); id < 200; id++ {
			d := RetryDelay(id, n, false)
			if d < want*3/4 || d >= want*5/4 || d != RetryDelay(id, n, false) {
				t.Fatalf("delay %d of task %d: %v, about %v wanted", n, id, d, want)
			}
		}
		if d := RetryDelay(7, n, true); d >= RetryBase*5/4 {
			t.Fatalf("fixed delay %d: %v", n, d)
		}
	}
}

func TestSpaceMarks(t *testing.T) {
	free := int64(1000)
	s := newSpace(Options{Dir: t.TempDir(), MinFree: 400, Ballast: 100, Logger: slog.New(slog.DiscardHandler)}, func(bool) {})
	s.free = func(string) (int64, error) { return free, nil }
	now := time.Now()
	s.now = func() time.Time { now = now.Add(time.Second); return now }
	s.keepBallast()
	if !s.ballOn {
		t.Fatal("no ballast")
	}
	for _, c := range []struct {
		free                 int64
		submit, grant, write bool
	}{{1000, true, true, true}, {400, true, true, true}, {399, false, true, true}, {199, false, false, true}, {99, false, false, false}} {
		free = c.free
		if (s.maySubmit() == nil) != c.submit || (s.mayGrant() == nil) != c.grant || (s.mayWrite() == nil) != c.write {
			t.Errorf("with %d free: %v, %v, %v", c.free, s.maySubmit(), s.mayGrant(), s.mayWrite())
		}
	}
	if s.ballOn {
		t.Error("the ballast was kept")
	}
}

func TestRetention(t *testing.T) {
	c := newClock()
	q := openMem(t, t.TempDir(), c)
	defer q.Close()
	q.opts.KeepCount, q.opts.KeepAge = 2, time.Hour
	must(t, q.Submit("me", []task.NewTask{shell("1"), shell("2"), shell("3"), shell("4")}))
	must(t, q.Cancel("me", []task.ID{3, 1, 2}))
	q.sweep(t.Context())
	if _, err := q.Get(3); task.KindOf(err) != task.KindNotFound {
		t.Fatalf("the one that finished first is still there: %v", err)
	}
	if n := q.Counts()[task.Cancelled]; n != 2 {
		t.Fatalf("%d finished tasks are kept", n)
	}
	c.t = c.t.Add(2 * time.Hour)
	q.sweep(t.Context())
	if n := q.Counts(); n[task.Cancelled] != 0 || n[task.Queued] != 1 {
		t.Fatalf("after their age: %v", n)
	}
}
