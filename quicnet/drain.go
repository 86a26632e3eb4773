package quicnet

import (
	"context"
	"sync"
	"time"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// Shutdown ends the session so that nothing written is lost: no new streams on
// either side, those that are open run to their end, then both sides close. It
// waits for the peer to have accepted and ended every stream too. When ctx ends
// first, the session is closed at once and the error says so.
func (s *Session) Shutdown(ctx context.Context) error {
	goAway := s.ledger.beginShutdown("leaving")
	if goAway != nil {
		s.sendControl(*goAway)
	}
	var err error
	select {
	case <-s.ledger.settled:
	case <-s.Done():
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Close(CodeLeaving, "")
	return err
}

// controlPatience bounds how long a peer may leave the control stream unread.
const controlPatience = 5 * time.Second

func (s *Session) sendControl(m wire.Message) {
	s.controlMu.Lock()
	defer s.controlMu.Unlock()
	_ = s.control.SetWriteDeadline(time.Now().Add(controlPatience))
	if err := s.control.Send(m); err != nil {
		s.Close(CodeProtocol, "the control stream is stuck")
	}
}

// watch reads the control stream until the session ends.
func (s *Session) watch() {
	defer s.e.leave(s)
	for {
		g, err := wire.Recv1[wire.GoAway](s.control)
		if err != nil {
			if s.Err() == nil {
				s.Close(CodeProtocol, "unexpected message on the control stream")
			}
			<-s.Done()
			return
		}
		s.reply(s.ledger.received(g))
	}
}

// reply sends the GoAway that a change of the ledger called for, if any.
func (s *Session) reply(g *wire.GoAway) {
	if g != nil {
		s.sendControl(*g)
	}
}

// streamEnded is called once for each stream, when both its directions are over
// at this side.
func (s *Session) streamEnded() { s.reply(s.ledger.ended()) }

// ledger counts a session's streams, so that both sides know when all is said.
type ledger struct {
	goingAway chan struct{} // closed when either side has said GOAWAY
	settled   chan struct{} // closed when both sides have ended every stream

	mu         sync.Mutex
	open       int    // streams that have not ended at this side
	nOpened    uint64 // by this side
	nAccepted  uint64
	away       bool // goingAway is closed
	sentAway   bool // this side has said GOAWAY
	peerAway   bool // the peer has said GOAWAY, so that peerOpened holds
	peerOpened uint64
	peerDone   bool
	sentDone   bool
}

func (l *ledger) init() {
	l.goingAway = make(chan struct{})
	l.settled = make(chan struct{})
}

// opening reserves a place for a stream, unless the session is going away.
func (l *ledger) opening() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return false
	}
	l.open++
	l.nOpened++
	return true
}

// notOpened takes back what opening reserved. The peer may have been told the
// higher count already; then the session is broken anyway, since only its end
// or the caller's impatience makes opening fail, and Shutdown's context bounds
// the wait.
func (l *ledger) notOpened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.nOpened--
}

func (l *ledger) accepted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open++
	l.nAccepted++
}

func (l *ledger) ended() *wire.GoAway {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	return l.check()
}

// beginShutdown returns the GOAWAY to send, nil when it was sent before.
func (l *ledger) beginShutdown(reason string) *wire.GoAway {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.markAway()
	if l.sentAway {
		return nil
	}
	l.sentAway = true
	return &wire.GoAway{Reason: reason, Streams: l.nOpened}
}

// received enters a GOAWAY of the peer and returns the answer that is due.
func (l *ledger) received(g wire.GoAway) *wire.GoAway {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.markAway()
	l.peerAway, l.peerOpened = true, g.Streams
	l.peerDone = l.peerDone || g.Done
	return l.check()
}

func (l *ledger) markAway() {
	if !l.away {
		l.away = true
		close(l.goingAway)
	}
}

// check returns the Done that is due, and closes settled when all is over.
func (l *ledger) check() *wire.GoAway {
	if !l.peerAway || l.open > 0 || l.nAccepted < l.peerOpened {
		return nil
	}
	if l.peerDone {
		select {
		case <-l.settled:
		default:
			close(l.settled)
		}
	}
	if l.sentDone {
		return nil
	}
	l.sentDone = true
	return &wire.GoAway{Streams: l.nOpened, Done: true}
}
