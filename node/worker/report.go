package worker

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// Bounds on one Results message: items, and bytes of inline output, so that
// the frame stays below its limit.
const (
	maxResults     = 512
	maxResultBytes = 384 << 10
)

// startedAfter is how long a task runs before the dispatcher is told that it
// has started; the result of a shorter one says so anyway.
const startedAfter = 20 * time.Millisecond

// outbox is what waits to be sent, in the order in which it came up.
type outbox struct {
	results  []*attempt
	last     int // results in the last message that carried any
	started  []*attempt
	declined []wire.Decline
	release  *wire.Release
}

// startedLater tells the dispatcher that an attempt has started unless it ends
// at once.
func (w *Worker) startedLater(a *attempt) {
	time.AfterFunc(startedAfter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if a.state == running && !a.told && !a.drop {
			w.out.started = append(w.out.started, a)
			w.wake()
		}
	})
}

// takeResults cuts the next batch of results off the outbox.
func (w *Worker) takeResults() (wire.Results, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var m wire.Results
	now, size, n := time.Now(), 0, 0
	for _, a := range w.out.results {
		if n == maxResults || (n > 0 && size+len(a.result.Output.Inline) > maxResultBytes) {
			break
		}
		n++
		if w.attempts[a.Lease] != a {
			continue // forgotten meanwhile
		}
		size += len(a.result.Output.Inline)
		a.sent = now
		m.Items = append(m.Items, a.resultAt(now))
	}
	w.out.results = w.out.results[n:]
	if len(w.out.results) == 0 {
		w.out.results = nil
	}
	if len(m.Items) > 0 {
		w.out.last = len(m.Items)
	}
	return m, len(m.Items) > 0
}

func (a *attempt) resultAt(now time.Time) wire.Result {
	r := a.result
	r.StartAgo = max(0, now.Sub(a.started).Milliseconds())
	r.EndAgo = max(0, now.Sub(a.ended).Milliseconds())
	return r
}

// takeNotes cuts everything else off the outbox.
func (w *Worker) takeNotes() (notes []wire.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.out.declined) > 0 {
		n := min(len(w.out.declined), wire.MaxItems)
		notes = append(notes, wire.Declined{Items: w.out.declined[:n:n]})
		w.out.declined = w.out.declined[n:]
	}
	var st wire.Started
	now := time.Now()
	for _, a := range w.out.started {
		if a.state == running && !a.told && len(st.Items) < wire.MaxItems {
			a.told = true
			st.Items = append(st.Items, wire.Held{Lease: a.Lease, Started: max(1, now.Sub(a.started).Milliseconds())})
		}
	}
	w.out.started = nil
	if len(st.Items) > 0 {
		notes = append(notes, st)
	}
	if w.out.release != nil {
		notes = append(notes, *w.out.release)
		w.out.release = nil
	}
	return notes
}

// flush sends everything that waits.
func (w *Worker) flush(s wire.Stream) error {
	for {
		for _, m := range w.takeNotes() {
			if err := s.Send(m); err != nil {
				return err
			}
		}
		m, ok := w.takeResults()
		if !ok {
			return nil
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

// requeueResults puts every unacknowledged result into the outbox again, for a
// new connection.
func (w *Worker) requeueResults() {
	w.out.results = w.out.results[:0]
	for _, a := range w.attempts {
		if a.state == ended && a.delivered {
			w.out.results = append(w.out.results, a)
		}
	}
}

// showOutput begins to send an attempt's output, if there is a connection.
func (w *Worker) showOutput(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.streamLocked(a)
}

// streamLocked sends an attempt's output on a stream of its own. Without a
// connection nothing happens; the next one starts it again.
func (w *Worker) streamLocked(a *attempt) {
	c := w.conn
	if c == nil || a.streaming || a.delivered || a.drop {
		return
	}
	a.streaming = true
	c.streams.Add(1)
	go func() {
		defer c.streams.Done()
		whole, err := sendOutput(c.ctx, c.link, a)
		if err != nil && c.ctx.Err() == nil {
			w.log.Debug("sending output", "task", a.ID, "error", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		a.streaming = false
		if !whole || a.delivered {
			if w.conn == c && c.ctx.Err() == nil && a.state == ended {
				w.deliveredLocked(a) // refused, or broken for this stream only: the record says what it had
			}
			return
		}
		if a.state == ended {
			w.deliveredLocked(a)
		}
	}()
}

func (w *Worker) deliveredLocked(a *attempt) {
	if a.delivered {
		return
	}
	a.delivered = true
	w.out.results = append(w.out.results, a)
	w.wake()
}

// sendOutput carries a chunk stream from the offset that the dispatcher names
// to its end, and reports whether the dispatcher has all of it.
func sendOutput(ctx context.Context, link Link, a *attempt) (whole bool, err error) {
	s, err := link.Open(ctx, wire.StreamOutput)
	if err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { s.Cancel(wire.CodeShutdown); a.out.nudge() })
	defer stop()
	defer s.Close()
	if err := s.Send(wire.OutputOpen{Lease: a.Lease}); err != nil {
		return false, err
	}
	have, err := wire.Recv1[wire.OutputHave](s)
	if err != nil || !have.Wanted {
		return false, err
	}
	buf := make([]byte, 128<<10)
	for off := have.Offset; ; {
		n, err := a.out.readAt(buf, off, func() bool { return ctx.Err() != nil })
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return false, err
			}
			off += int64(n)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err := s.CloseWrite(); err != nil {
		return false, err
	}
	// The dispatcher closes its side when everything is on its disk.
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		return false, err
	}
	return true, nil
}
