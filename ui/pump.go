package ui

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) }

// How often the screen is brought up to date.
const (
	rest    = 250 * time.Millisecond // with the window in front
	quietly = time.Second            // reduced motion, or another window in front
	alone   = 2 * time.Second        // nobody has touched anything for a while
	aWhile  = 30 * time.Second
	longest = 10 * time.Second       // however much a frame costs
	logTick = 100 * time.Millisecond // output on the screen
	ask     = 5 * time.Second        // how long one round of questions may take
)

// restBytes is how much a second goes to the terminal when nobody has touched
// anything for a while: the line may be slow, and nobody may be looking.
const restBytes = 750

// pump turns a cluster into messages for the screen: a snapshot at rest four
// times a second, at once after a key, and a nudge when output grew.
type pump struct {
	col  *Collector
	tail *tail
	send func(any)
	want atomic.Pointer[scene.Want]
	kick chan struct{}
	news chan struct{} // something that is worth a frame happened
	sent func() int64  // bytes that went to the terminal; nil is not known
	mute bool          // nobody here may answer a question
	slow atomic.Bool
	used atomic.Int64 // when a person last did something, Unix ms

	crash *crashes
}

func newPump(ctl control.Control, now func() time.Time, send func(any)) *pump {
	p := &pump{col: NewCollector(ctl, now), tail: newTail(ctl), send: send, crash: &crashes{}, kick: make(chan struct{}, 1), news: make(chan struct{}, 1)}
	p.touch()
	p.want.Store(&scene.Want{})
	return p
}

// touch tells that a person is there.
func (p *pump) touch() { p.used.Store(time.Now().UnixMilli()) }

// ask changes what is wanted; the answer comes soon.
func (p *pump) ask(w scene.Want) {
	p.want.Store(&w)
	p.tail.follow(w.Output)
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// run works until ctx ends and returns after all its goroutines did.
func (p *pump) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, f := range []func(context.Context){p.collect, p.listen, p.tail.run, p.nudge, p.attend} {
		wg.Go(func() {
			defer p.crash.catch()
			f(ctx)
		})
	}
	wg.Wait()
}

func (p *pump) collect(ctx context.Context) {
	var owed debt
	for ctx.Err() == nil {
		s := p.answer(ctx)
		if ctx.Err() != nil {
			return
		}
		p.send(snapshotMsg{s})
		if s.Rows.Working {
			continue
		}
		wait := p.pace(time.Now())
		if !p.pause(ctx, wait) || wait != alone || p.sent == nil {
			continue
		}
		if more := owed.wait(time.Now(), p.sent()); more > 0 {
			p.pause(ctx, more)
		}
	}
}

// answer asks one round of questions. While the answer is late the screen is
// told so, and its clock goes on.
func (p *pump) answer(ctx context.Context) *scene.Snapshot {
	ctx, stop := context.WithTimeout(ctx, ask)
	defer stop()
	answered := make(chan *scene.Snapshot, 1)
	go func() {
		defer close(answered)
		defer p.crash.catch()
		answered <- p.col.Collect(ctx, *p.want.Load())
	}()
	late := time.NewTimer(lateAfter)
	defer late.Stop()
	for {
		select {
		case s := <-answered:
			if s == nil { // it crashed; the screen ends
				s = &scene.Snapshot{}
			}
			return s
		case <-late.C:
			if s := p.col.Overdue(); s != nil {
				p.send(snapshotMsg{s})
			}
			late.Reset(lateAfter)
		}
	}
}

// pace is how long a snapshot is good for when no key is pressed.
func (p *pump) pace(now time.Time) time.Duration {
	switch {
	case now.Sub(time.UnixMilli(p.used.Load())) > aWhile:
		return alone
	case p.slow.Load():
		return quietly
	}
	return rest
}

// debt is what went to the terminal beyond restBytes a second.
type debt struct {
	bytes int64
	at    time.Time
	sent  int64
}

// wait takes how many bytes have been written by now, all in all, and says how
// long nothing more should be. What was written while a person was there is not
// counted: after such a long time it begins anew.
func (d *debt) wait(now time.Time, sent int64) time.Duration {
	gone := now.Sub(d.at)
	if gone > longest+3*alone {
		*d = debt{at: now, sent: sent}
		return 0
	}
	d.bytes = max(0, d.bytes+sent-d.sent-int64(gone*restBytes/time.Second))
	d.at, d.sent = now, sent
	return min(time.Duration(d.bytes)*time.Second/restBytes, longest)
}

// pause waits for the next round: at once after a key, else for a while, and
// where nothing happens until the clock on the screen moves. News cuts a long
// while short. It reports whether nobody pressed a key meanwhile.
func (p *pump) pause(ctx context.Context, wait time.Duration) bool {
	begin := time.Now()
	t := time.NewTimer(wait)
	defer t.Stop()
	for spent := wait; ; spent += wait {
		select {
		case <-ctx.Done():
			return false
		case <-p.kick:
			return false
		case <-p.news:
			if left := alone - time.Since(begin); left < wait {
				wait = max(left, 0)
				t.Reset(wait)
			}
			continue
		case <-t.C:
		}
		if spent >= time.Second || !p.col.quiet() {
			return true
		}
		t.Reset(wait)
	}
}

// listen reads the event stream, and opens it again when it breaks.
func (p *pump) listen(ctx context.Context) {
	from := uint64(1) // what is still known of the past fills the charts
	for ctx.Err() == nil {
		st, err := p.col.ctl.Events(ctx, control.EventsRequest{
			From:  from,
			Kinds: []control.EventKind{control.EventTask, control.EventNode, control.EventNotice, control.EventLoad},
		})
		if err == nil {
			from = p.read(ctx, st, from)
		}
		p.col.Deaf()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (p *pump) read(ctx context.Context, st control.EventStream, from uint64) uint64 {
	stop := context.AfterFunc(ctx, func() { _ = st.Close() })
	defer stop()
	defer st.Close()
	for {
		list, err := st.Next()
		if err != nil {
			return from
		}
		p.col.Saw(list)
		if slices.ContainsFunc(list, func(e control.Event) bool { return e.Kind == control.EventNode || e.Kind == control.EventNotice }) {
			select {
			case p.news <- struct{}{}:
			default:
			}
		}
		if n := len(list); n > 0 && list[n-1].Position > 0 {
			from = list[n-1].Position
		}
	}
}

// attend hears which cluster wants this node, so that a person is asked, until
// ctx ends or it turns out that the one who is asked here may not answer.
func (p *pump) attend(ctx context.Context) {
	for ctx.Err() == nil && !p.mute {
		st, err := p.col.ctl.Offers(ctx)
		if err == nil {
			err = p.hear(ctx, st)
		}
		if task.KindOf(err) == task.KindNotAllowed {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (p *pump) hear(ctx context.Context, st control.OfferStream) error {
	defer context.AfterFunc(ctx, func() { _ = st.Close() })()
	defer st.Close()
	for {
		o, err := st.Next()
		if err != nil {
			return err
		}
		p.send(offerMsg{o})
	}
}

// nudge redraws when output that is on the screen grew.
func (p *pump) nudge(ctx context.Context) {
	var sent struct {
		buffer  *part.LogBuffer // one for each time a task is looked at
		version uint64
	}
	for p.tail.busy(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(logTick):
		}
		id, buf := p.tail.shown()
		if version := buf.Stats().Version; version != sent.version || buf != sent.buffer {
			sent.version, sent.buffer = version, buf
			p.send(logMsg{id, buf})
		}
	}
}
