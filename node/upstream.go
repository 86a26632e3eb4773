package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// lately is how long a lost dispatcher is expected back: callers that ask within
// this time wait for patience, about as long as one takes to start again with a full
// queue, and less than the ten seconds that a program waits for an answer. Later they are told at once that there is none.
const (
	lately   = 30 * time.Second
	patience = 8 * time.Second
)

// upstream is the session with the dispatcher while another node dispatches; it
// opens calls to it. The zero value has no session.
type upstream struct {
	mu    sync.Mutex
	s     *quicnet.Session
	name  string        // of the node that dispatched last
	lost  time.Time     // when the last session ended; zero before the first
	out   error         // why this node is no member any more; nil while it may be one
	doubt error         // why it may be none
	found chan struct{} // closed by set; nil while nobody waits
}

// set makes s the session.
func (u *upstream) set(s *quicnet.Session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.s, u.out, u.doubt, u.name = s, nil, nil, s.Peer().Name
	if u.found != nil {
		close(u.found)
		u.found = nil
	}
}

// drop says that the session has ended.
func (u *upstream) drop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.s, u.lost = nil, time.Now()
}

// expelled says that the dispatcher has shut this node out.
func (u *upstream) expelled(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.out = err
}

// none is why there is no dispatcher.
func (u *upstream) none() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.out != nil:
		return u.out
	case u.doubt != nil:
		return u.doubt
	case u.name != "" && !u.lost.IsZero():
		return awayError(u.name, time.Since(u.lost))
	}
	return control.NoDispatcher()
}

// awayError says that a dispatcher that was there does not answer.
func awayError(name string, since time.Duration) error {
	return task.Errorf(task.KindNoDispatcher, "the dispatcher %s has not answered for %s", name, max(since, time.Second).Round(time.Second)).
		WithHint("this node looks for it all the time\ndoes it run?      octaskly status   (there)\nis it elsewhere? octaskly --dispatcher HOST …")
}

// refused says that whoever is where the dispatcher should be did not take this
// node: for no member, or for one too many.
func (u *upstream) refused(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.doubt = err
}

// hadOne reports whether there was a dispatcher since this node began.
func (u *upstream) hadOne() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.lost.IsZero()
}

// session is the session with the dispatcher, or nil.
func (u *upstream) session() *quicnet.Session {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.s
}

// await is the session with the dispatcher, another one than dead. One that was
// lost lately is waited for.
func (u *upstream) await(ctx context.Context, dead *quicnet.Session) (*quicnet.Session, error) {
	u.mu.Lock()
	s, found := u.s, u.found
	if s == dead {
		s = nil
	}
	expected := u.out == nil && task.KindOf(u.doubt) != task.KindFull && (dead != nil || !u.lost.IsZero() && time.Since(u.lost) < lately)
	if s == nil && expected && found == nil {
		found = make(chan struct{})
		u.found = found
	}
	u.mu.Unlock()
	if s != nil {
		return s, nil
	}
	if !expected {
		return nil, u.none()
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-found:
	case <-t.C:
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, u.none()
		}
		return nil, ctx.Err()
	}
	if s = u.session(); s == nil || s == dead {
		return nil, u.none()
	}
	return s, nil
}

func (u *upstream) OpenRPC(ctx context.Context) (wire.Stream, error) {
	var dead *quicnet.Session
	for {
		s, err := u.await(ctx, dead)
		if err != nil {
			return nil, err
		}
		st, err := s.Open(ctx, wire.StreamRPC)
		if err == nil || s.Err() == nil {
			return st, err
		}
		dead = s
	}
}

// unwaiting opens calls to a dispatcher that there is a session with now.
type unwaiting struct{ *upstream }

func (p unwaiting) OpenRPC(ctx context.Context) (wire.Stream, error) {
	s := p.session()
	if s == nil {
		return nil, control.NoDispatcher()
	}
	return s.Open(ctx, wire.StreamRPC)
}
