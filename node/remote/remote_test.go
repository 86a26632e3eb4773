package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func news(n int) []control.NewTask {
	ts := make([]control.NewTask, n)
	for i := range ts {
		ts[i].Spec = task.Spec{Shell: fmt.Sprintf("echo %d", i), Priority: 50}
	}
	return ts
}

func TestCallsShareOneStream(t *testing.T) {
	c := &cluster{}
	l, client := newLab(t, c)
	ctx := t.Context()
	reply, err := client.Submit(ctx, control.SubmitRequest{Tasks: news(3)})
	if err != nil || len(reply.Results) != 3 || reply.Results[2].ID != 3 {
		t.Fatalf("submit: %+v, %v", reply, err)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			got, err := client.Get(ctx, task.ID(i%3+1))
			if err != nil || got.Spec.Shell != fmt.Sprintf("echo %d", i%3) {
				t.Errorf("get: %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := l.streams(); n != 1 {
		t.Errorf("%d streams were opened for ordinary calls", n)
	}
	if who := l.asked(); who != "node:lab" {
		t.Errorf("asked on behalf of %q", who)
	}
	if _, err := client.For("user:7").Get(ctx, 1); err != nil || l.asked() != "user:7@lab" {
		t.Errorf("asked on behalf of %q, %v", l.asked(), err)
	}
}

func TestFaultsKeepKindAndHint(t *testing.T) {
	l, client := newLab(t, &cluster{})
	_, err := client.Get(t.Context(), 9)
	if task.KindOf(err) != task.KindNotFound || err.Error() != "no task 9" || task.HintOf(err) != "octaskly ps lists them" {
		t.Errorf("got %v (%s), hint %q", err, task.KindOf(err), task.HintOf(err))
	}
	l.allow(func(m *control.Method) error {
		return task.Errorf(task.KindNotAllowed, "%s is not for you", m.Name)
	})
	if _, err := client.Status(t.Context()); task.KindOf(err) != task.KindNotAllowed || err.Error() != "status is not for you" {
		t.Errorf("got %v", err)
	}
	l.allow(func(*control.Method) error { return nil })
	if _, err := client.Status(t.Context()); task.KindOf(err) != task.KindInternal {
		t.Errorf("a panic inside gave %v", err)
	}
	if _, err := client.Get(t.Context(), 9); task.KindOf(err) != task.KindNotFound {
		t.Errorf("the stream did not outlive a panic: %v", err)
	}
}

func TestBulkKeepsOrder(t *testing.T) {
	var mu sync.Mutex
	frames := 0
	c := &cluster{submit: func(r control.SubmitRequest) error {
		mu.Lock()
		defer mu.Unlock()
		if frames++; len(r.Tasks) > chunkTasks {
			t.Errorf("a frame with %d tasks", len(r.Tasks))
		}
		return nil
	}}
	_, client := newLab(t, c)
	tasks := news(25_000)
	tasks[20_000].Spec.Shell = strings.Repeat("x", maxTask+1)
	reply, err := client.Submit(t.Context(), control.SubmitRequest{Tasks: tasks})
	if err != nil {
		t.Fatal(err)
	}
	want := task.ID(0)
	for i, r := range reply.Results {
		if i == 20_000 {
			if r.Kind != task.KindTooLarge || r.ID != 0 || r.Message == "" {
				t.Errorf("the large one: %+v", r)
			}
			continue
		}
		if want++; r.ID != want || r.Duplicate || c.tasks[r.ID-1].Spec.Shell != tasks[i].Spec.Shell {
			t.Fatalf("task %d has number %d: %+v", i, r.ID, r)
		}
	}
	if frames < 6 {
		t.Errorf("only %d frames", frames)
	}
}

func TestBulkStopsAtARefusal(t *testing.T) {
	n := 0
	c := &cluster{}
	c.submit = func(control.SubmitRequest) error {
		if n++; n >= 2 {
			return task.Errorf(task.KindFull, "the queue is full")
		}
		return nil
	}
	_, client := newLab(t, c)
	reply, err := client.Submit(t.Context(), control.SubmitRequest{Tasks: news(3 * chunkTasks)})
	if task.KindOf(err) != task.KindFull {
		t.Fatal(err)
	}
	if len(c.tasks) == 0 || len(c.tasks) > chunkTasks {
		t.Fatalf("%d tasks stored", len(c.tasks))
	}
	for i, r := range reply.Results {
		if accepted := i < len(c.tasks); accepted != (r.ID != 0) || accepted == (r.Kind == task.KindFull) {
			t.Fatalf("task %d: %+v", i, r)
		}
	}
}

// Whenever the connection breaks, a submit ends with every task stored once.
func TestSubmitSurvivesCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{}
		l, client := newLab(t, c)
		n := 0
		c.submit = func(control.SubmitRequest) error {
			if n++; n == 1 || n == 3 || n == 4 { // stored or not, the answer is lost
				defer l.cut()
			}
			return nil
		}
		reply, err := client.Submit(t.Context(), control.SubmitRequest{Tasks: news(3 * chunkTasks)})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[task.ID]bool{}
		for i, r := range reply.Results {
			if r.ID == 0 || seen[r.ID] || r.Duplicate {
				t.Fatalf("task %d: %+v", i, r)
			}
			seen[r.ID] = true
		}
		if len(c.tasks) != 3*chunkTasks {
			t.Errorf("%d tasks stored", len(c.tasks))
		}
		if l.streams() < 3 {
			t.Errorf("only %d streams", l.streams())
		}
		_ = client.Close()
		l.cancel()
		l.served.Wait()
	})
}

func TestCallsThatMustNotBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{}
		l, client := newLab(t, c)
		n := 0
		c.drain = func(node string) (control.Node, error) {
			if n++; n == 1 {
				l.cut()
			}
			return control.Node{Name: node}, nil
		}
		if got, err := client.Drain(t.Context(), "mill"); err != nil || got.Name != "mill" || n != 2 {
			t.Errorf("drain: %+v, %v after %d tries", got, err, n)
		}
		l.allow(func(m *control.Method) error {
			if m == control.InviteMethod.Method {
				l.cut()
			}
			return nil
		})
		_, err := client.Invite(t.Context(), control.InviteRequest{})
		if task.KindOf(err) != task.KindUnavailable || !strings.Contains(err.Error(), "nobody knows") {
			t.Errorf("invite: %v", err)
		}
		_ = client.Close()
		l.cancel()
		l.served.Wait()
	})
}

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{}
		l, client := newLab(t, c)
		down := task.Errorf(task.KindNoDispatcher, "nobody dispatches").WithHint("start one")
		l.refuse = func() error { return down }
		start := time.Now()
		if _, err := client.Get(t.Context(), 1); task.KindOf(err) != task.KindNoDispatcher || time.Since(start) != 0 {
			t.Errorf("the first connection: %v after %s", err, time.Since(start))
		}
		l.refuse = nil
		if _, err := client.Submit(t.Context(), control.SubmitRequest{Tasks: news(1)}); err != nil {
			t.Fatal(err)
		}
		// Down for ten seconds: the call waits and then succeeds.
		l.cut()
		back := time.Now().Add(10 * time.Second)
		l.refuse = func() error {
			if time.Now().Before(back) {
				return down
			}
			return nil
		}
		if _, err := client.Get(t.Context(), 1); err != nil || time.Since(back) < 0 || time.Since(back) > maxDelay {
			t.Errorf("after ten seconds: %v, %s late", err, time.Since(back))
		}
		// Down for good: it gives up with the words of the last attempt.
		l.cut()
		l.refuse = func() error { return down }
		start = time.Now()
		if _, err := client.Get(t.Context(), 1); !errors.Is(err, error(down)) || time.Since(start) > time.Minute || time.Since(start) < 50*time.Second {
			t.Errorf("gave up with %v after %s", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Get(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a deadline: %v", err)
		}
		_ = client.Close()
		if _, err := client.Get(t.Context(), 1); !errors.Is(err, error(errClosed)) {
			t.Errorf("after Close: %v", err)
		}
		l.cancel()
		l.served.Wait()
	})
}

// deaf never reads what it is sent.
type deaf struct{}

func (deaf) OpenRPC(context.Context) (wire.Stream, error) {
	a, _ := net.Pipe()
	return wire.NewConn(a, wire.LimitAfter), nil
}

// stuck never finishes opening.
type stuck struct{}

func (stuck) OpenRPC(ctx context.Context) (wire.Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCallsEndWithTheirContext(t *testing.T) {
	for name, o := range map[string]Opener{"a node that does not read": deaf{}, "a node that cannot be reached": stuck{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := NewClient(o, Options{})
				var wg sync.WaitGroup
				for i := range 5 {
					wg.Go(func() {
						after := time.Duration(5-i) * time.Second // the first to ask is the last to give up
						ctx, cancel := context.WithTimeout(t.Context(), after)
						defer cancel()
						start := time.Now()
						_, err := client.Get(ctx, 1)
						if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != after {
							t.Errorf("asked for %s: %v after %s", after, err, time.Since(start))
						}
						_, err = client.Submit(ctx, control.SubmitRequest{Tasks: news(2)})
						if !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("submit: %v", err)
						}
					})
				}
				wg.Wait()
				_ = client.Close()
			})
		})
	}
}

func TestLargeAnswers(t *testing.T) {
	c := &cluster{}
	big := task.Task{ID: 1, State: task.Failed}
	for i := range 600 {
		big.Attempts = append(big.Attempts, task.Attempt{Fence: task.Fence{Term: 1, Attempt: uint32(i)}, Output: task.Output{Inline: bytes.Repeat([]byte("o"), task.MaxInlineOutput)}})
	}
	c.tasks = []task.Task{big}
	for range 100 {
		c.page.Tasks = append(c.page.Tasks, task.Task{Spec: task.Spec{Shell: strings.Repeat("s", 100<<10)}})
	}
	_, client := newLab(t, c)
	got, err := client.Get(t.Context(), 1)
	if err != nil || len(got.Attempts) != 600 || string(got.Attempts[599].Output.Inline) != string(big.Attempts[599].Output.Inline) {
		t.Errorf("a task of %d bytes: %d attempts, %v", big.Size(), len(got.Attempts), err)
	}
	page, err := client.List(t.Context(), control.Query{Limit: 100})
	if err != nil || !page.More || len(page.Tasks) < 10 || len(page.Tasks) > 60 {
		t.Errorf("a large page: %d tasks, more %v, %v", len(page.Tasks), page.More, err)
	}
	ids := make([]task.ID, 2*maxCancels+1)
	out, err := client.Cancel(t.Context(), control.CancelRequest{IDs: ids})
	if err != nil || len(out) != len(ids) {
		t.Errorf("cancel: %d of %d, %v", len(out), len(ids), err)
	}
	c.page.Total = 140_000
	out, err = client.Cancel(t.Context(), control.CancelRequest{Filter: &control.Query{}})
	if err != nil || len(out) != c.page.Total || out[len(out)-1].ID != 1 {
		t.Errorf("cancel by a filter: %d of %d, %v", len(out), c.page.Total, err)
	}
}

func TestHostileClient(t *testing.T) {
	for name, send := range map[string]func(*wire.Conn) error{
		"an answer":      func(s *wire.Conn) error { return s.Send(wire.Reply[control.None]{Seq: 1}) },
		"another family": func(s *wire.Conn) error { return s.Send(wire.BeatAck{}) },
		"a wrong body":   func(s *wire.Conn) error { return s.Send(requestOf(control.GetMethod.Method, 1, 0, "", "x")) },
		"a bomb": func(s *wire.Conn) error {
			_, err := s.Write([]byte{0, 0, 0, 6, 32, 0xdd, 0xff, 0xff, 0xff, 0xff})
			return err
		},
		"half a frame": func(s *wire.Conn) error { _, err := s.Write([]byte{0, 0, 0, 9, 33}); _ = s.Close(); return err },
		"a negative blob": func(s *wire.Conn) error {
			return s.Send(requestOf(control.PutBlobMethod.Method, 1, 0, "", control.UploadRequest{Size: -1}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := newLab(t, &cluster{})
			s, err := l.OpenRPC(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_ = send(s.(*wire.Conn))
			if f, err := s.Recv(); err == nil && f.Kind != wire.KindFailure {
				t.Errorf("answered with %s", f.Kind)
			}
			s.Cancel(wire.CodeNone)
			l.served.Wait()
		})
	}
}

func TestPutBlob(t *testing.T) {
	c := &cluster{}
	_, client := newLab(t, c)
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	c.put = func(size int64, read func([]byte) (int, error)) (string, error) {
		got, err := io.ReadAll(readerFunc(read))
		if size == int64(len(content))+1 {
			return "", err
		}
		if err != nil || !bytes.Equal(got, content) || size != int64(len(content)) {
			t.Errorf("stored %d of %d bytes: %v", len(got), size, err)
		}
		return "the ref", nil
	}
	ref, err := client.PutBlob(t.Context(), int64(len(content)), bytes.NewReader(content).Read)
	if err != nil || ref != "the ref" {
		t.Errorf("got %q, %v", ref, err)
	}
	_, err = client.PutBlob(t.Context(), int64(len(content))+1, bytes.NewReader(content).Read)
	if task.KindOf(err) != task.KindUsage {
		t.Errorf("an input that is too short: %v", err)
	}
	c.put = func(_ int64, read func([]byte) (int, error)) (string, error) {
		_, _ = read(make([]byte, 10))
		return "", task.Errorf(task.KindDisk, "no space")
	}
	endless := func(p []byte) (int, error) { return len(p), nil }
	if _, err = client.PutBlob(t.Context(), 1<<50, endless); task.KindOf(err) != task.KindDisk {
		t.Errorf("refused early: %v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
