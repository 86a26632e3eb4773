package remote

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func item(state task.State, chunks ...control.Chunk) control.FollowItem {
	i := control.FollowItem{Chunks: chunks}
	if state != 0 {
		i.Task = &task.Task{ID: 1, State: state}
	}
	return i
}

func chunk(attempt uint32, at int64, s string) control.Chunk {
	return control.Chunk{Stream: 1, Attempt: attempt, Time: at, Data: []byte(s)}
}

// collect reads a follow to its end.
func collect(t *testing.T, f control.Follower) (out string, states []task.State) {
	for {
		i, err := f.Next()
		if errors.Is(err, io.EOF) {
			return out, states
		}
		if err != nil {
			t.Fatal(err)
		}
		if i.Task != nil {
			states = append(states, i.Task.State)
		}
		for _, c := range i.Chunks {
			if c.Skipped > 0 {
				out += fmt.Sprintf("<%d>", c.Skipped)
			}
			out += string(c.Data)
		}
	}
}

func TestFollow(t *testing.T) {
	c := &cluster{}
	_, client := newLab(t, c)
	big := strings.Repeat("z", 3*maxItem+7)
	c.follow = func(r control.FollowRequest) (control.Follower, error) {
		if r.ID != 1 {
			return nil, task.Errorf(task.KindNotFound, "no task %d", r.ID)
		}
		f := listed(item(task.Queued), item(task.Running, chunk(1, 1, "a"), chunk(1, 1, big), control.Chunk{Attempt: 1, Skipped: 9}), item(task.Done))
		close(f.more)
		return f, nil
	}
	if _, err := client.Follow(t.Context(), control.FollowRequest{ID: 2}); task.KindOf(err) != task.KindNotFound {
		t.Errorf("unknown task: %v", err)
	}
	f, err := client.Follow(t.Context(), control.FollowRequest{ID: 1, Output: true})
	if err != nil {
		t.Fatal(err)
	}
	out, states := collect(t, f)
	if out != "a"+big+"<9>" || fmt.Sprint(states) != "[queued running done]" {
		t.Errorf("got %d bytes and %v", len(out), states)
	}
	if _, err := f.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
}

func TestFollowGoesOnAfterCuts(t *testing.T) {
	for _, tail := range []int{0, 2} {
		t.Run(fmt.Sprint("tail ", tail), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cluster{}
				l, client := newLab(t, c)
				var lives []*listing[control.FollowItem]
				c.follow = func(r control.FollowRequest) (control.Follower, error) {
					var f *listing[control.FollowItem]
					switch len(lives) {
					case 0:
						f = listed(item(task.Running, chunk(1, 5, "one "), chunk(1, 6, "two ")))
					case 1: // the same pieces in other portions, and more
						if r.Tail != 0 {
							t.Errorf("asked for a tail of %d again", r.Tail)
						}
						f = listed(item(task.Running, chunk(1, 5, "one "), chunk(1, 6, "two three "), chunk(1, 7, "four ")))
					default:
						f = listed(item(task.Running, chunk(1, 5, "one "), chunk(1, 6, "two three "), chunk(1, 7, "four five ")), item(task.Done))
						close(f.more)
					}
					lives = append(lives, f)
					return f, nil
				}
				f, err := client.Follow(t.Context(), control.FollowRequest{ID: 1, Output: true, Tail: tail})
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan string)
				go func() {
					out, states := collect(t, f)
					done <- fmt.Sprint(out, states)
				}()
				for range 2 {
					synctest.Wait()
					time.Sleep(time.Second) // virtual: lets the follower connect again
					synctest.Wait()
					l.cut()
				}
				if got := <-done; got != "one two three four five [running done]" {
					t.Errorf("got %q", got)
				}
				_ = client.Close()
				l.cancel()
				l.served.Wait()
			})
		})
	}
}

func TestCloseWhileNextBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{}
		l, client := newLab(t, c)
		live := listed(item(task.Queued))
		c.follow = func(control.FollowRequest) (control.Follower, error) { return live, nil }
		f, err := client.Follow(t.Context(), control.FollowRequest{ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error)
		go func() {
			_, _ = f.Next()
			_, err := f.Next()
			failed <- err
		}()
		synctest.Wait()
		_ = f.Close()
		if err := <-failed; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("closed: %v", err)
		}
		<-live.closed // the node's end learned of it
		_ = client.Close()
		l.cancel()
		l.served.Wait()
	})
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{}
		l, client := newLab(t, c)
		var asked []uint64
		var mu sync.Mutex
		var latest *listing[[]control.Event]
		c.events = func(r control.EventsRequest) (control.EventStream, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, r.From)
			latest = listed[[]control.Event]()
			return latest, nil
		}
		live := func() *listing[[]control.Event] {
			mu.Lock()
			defer mu.Unlock()
			return latest
		}
		e, err := client.Events(t.Context(), control.EventsRequest{})
		if err != nil || live() == nil {
			t.Fatal("the stream does not stand when Events returns:", err)
		}
		next := func() []control.Event {
			t.Helper()
			ev, err := e.Next()
			if err != nil {
				t.Fatal(err)
			}
			return ev
		}
		l.cut() // before anything was seen: the reader must be told
		if ev := next(); len(ev) != 1 || ev[0].Kind != control.EventGap {
			t.Errorf("got %+v", ev)
		}
		live().more <- make([]control.Event, maxEvents+1)
		if a, b := next(), next(); len(a) != maxEvents || len(b) != 1 {
			t.Errorf("got %d and %d events", len(a), len(b))
		}
		live().more <- []control.Event{{Position: 41}}
		next()
		l.cut()
		go func() {
			time.Sleep(time.Second) // virtual
			close(live().more)
		}()
		if _, err := e.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("at goodbye: %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if fmt.Sprint(asked) != "[0 0 41]" {
			t.Errorf("asked from %v", asked)
		}
		_ = client.Close()
		l.cancel()
		l.served.Wait()
	})
}

// However the output is cut into chunks and wherever the connection breaks, the
// reader has every byte once.
func TestFollowedPassesEveryByteOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type piece struct {
			c control.Chunk
		}
		var all []piece
		tail := rapid.Bool().Draw(t, "tail")
		least := 0
		if tail {
			least = 1 // within one millisecond a tail is not exact
		}
		now := int64(1000)
		for i := range rapid.IntRange(1, 12).Draw(t, "chunks") {
			now += int64(rapid.IntRange(least, 2).Draw(t, "later"))
			p := piece{chunk(uint32(1+i/6), now, strings.Repeat(string(rune('a'+i)), rapid.IntRange(1, 5).Draw(t, "size")))}
			if rapid.IntRange(0, 5).Draw(t, "skip") == 0 {
				p.c = control.Chunk{Attempt: p.c.Attempt, Time: now, Skipped: int64(len(p.c.Data))}
			}
			all = append(all, p)
		}
		from := 0
		if tail {
			from = rapid.IntRange(0, len(all)-1).Draw(t, "from")
		}
		var s followed
		var got, want bytes.Buffer
		show := func(b *bytes.Buffer, c control.Chunk) {
			b.Write(c.Data)
			b.WriteString(strings.Repeat("_", int(c.Skipped)))
		}
		for _, p := range all[from:] {
			show(&want, p.c)
		}
		for range rapid.IntRange(1, 4).Draw(t, "lives") {
			list := all
			s.rewind(tail)
			if !s.any() {
				list = all[from:] // nothing was delivered: the tail is asked for again
			}
			for _, p := range list[:rapid.IntRange(0, len(list)).Draw(t, "delivered")] {
				for _, c := range s.pass(control.FollowItem{Chunks: []control.Chunk{p.c}}).Chunks {
					show(&got, c)
				}
			}
		}
		if !s.any() {
			return
		}
		s.rewind(tail)
		for _, p := range all {
			for _, c := range s.pass(control.FollowItem{Chunks: []control.Chunk{p.c}}).Chunks {
				show(&got, c)
			}
		}
		if got.String() != want.String() {
			t.Fatalf("got  %s\nwant %s", got.String(), want.String())
		}
	})
}

// A screen in another program is asked like one in the node, and the node
// knows when it has gone.
func TestOffers(t *testing.T) {
	c := &cluster{offers: listed(control.Offer{}, control.Offer{ID: 4, By: "mill-01"})}
	_, client := newLab(t, c)
	st, err := client.Offers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []uint64{0, 4} {
		if o, err := st.Next(); err != nil || o.ID != want {
			t.Errorf("%+v, %v", o, err)
		}
	}
	if err := client.Decide(t.Context(), 4, true); err != nil || fmt.Sprint(c.decided) != "[4 true]" {
		t.Errorf("%v, %v", err, c.decided)
	}
	_ = st.Close()
	<-c.offers.closed
}
