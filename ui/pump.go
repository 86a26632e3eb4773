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
	"github.com/adauldev/octaskly/ui/screen"
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
	want atomic.Pointer[screen.Want]
	kick chan struct{}
	news chan struct{} // something that is worth a frame happened
	sent func() int64  // bytes that went to the terminal; nil is not known
	slow atomic.Bool
	used atomic.Int64 // when a person last did something, Unix ms

	crash *crashes
}

func newPump(ctl control.Control, now func() time.Time, send func(any)) *pump {
	p := &pump{col: NewCollector(ctl, now), tail: newTail(ctl), send: send, crash: &crashes{}, kick: make(chan struct{}, 1), news: make(chan struct{}, 1)}
	p.touch()
	p.want.Store(&screen.Want{})
	return p
}

// touch tells that a person is there.
func (p *pump) touch() { p.used.Store(time.Now().UnixMilli()) }

// ask changes what is wanted; the answer comes soon.
func (p *pump) ask(w screen.Want) {
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
	for _, f := range []func(context.Context){p.collect, p.listen, p.tail.run, p.nudge} {
		wg.Go(func() {
			defer p.crash.catch()
			f(ctx)
		})
	}
	wg.Wait()
}

func (p *pump) collect(ctx context.Context) {
	var before int64
	for ctx.Err() == nil {
		one, stop := context.WithTimeout(ctx, ask)
		s := p.col.Collect(one, *p.want.Load())
		stop()
		if ctx.Err() != nil {
			return
		}
		var cost int64 // of the frame before this one
		if p.sent != nil {
			now := p.sent()
			cost, before = now-before, now
		}
		p.send(snapshotMsg{s})
		if wait := p.pace(time.Now(), cost); !s.Rows.Working {
			p.pause(ctx, wait)
		}
	}
}

// pace is how long a snapshot is good for when no key is pressed and a frame
// takes cost bytes.
func (p *pump) pace(now time.Time, cost int64) time.Duration {
	switch {
	case now.Sub(time.UnixMilli(p.used.Load())) > aWhile:
		return min(max(alone, time.Duration(cost)*time.Second/restBytes), longest)
	case p.slow.Load():
		return quietly
	}
	return rest
}

// pause waits for the next round: at once after a key, else for a while, and
// where nothing happens until the clock on the screen moves. News cuts a long
// while short.
func (p *pump) pause(ctx context.Context, wait time.Duration) {
	begin := time.Now()
	t := time.NewTimer(wait)
	defer t.Stop()
	for spent := wait; ; spent += wait {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
			return
		case <-p.news:
			if left := alone - time.Since(begin); left < wait {
				wait = max(left, 0)
				t.Reset(wait)
			}
			continue
		case <-t.C:
		}
		if spent >= time.Second || !p.col.quiet() {
			return
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

// nudge redraws when output that is on the screen grew.
func (p *pump) nudge(ctx context.Context) {
	tick := time.NewTicker(logTick)
	defer tick.Stop()
	var last uint64
	var lastID any
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		id, buf := p.tail.shown()
		if v := buf.Stats().Version; v != last || lastID != any(id) {
			last, lastID = v, id
			p.send(logMsg{id, buf})
		}
	}
}
