package member

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
)

// askFor is how long a person at this node's screen has to agree to a join. It
// is shorter than what the other side waits.
const askFor = 2 * time.Minute

// Consent puts the question whether this node may join to whoever looks at a
// screen of it. Without a screen there is nobody to ask, and none is needed:
// whoever typed the code has read it here.
type Consent struct {
	mu      sync.Mutex
	screens map[*offers]bool
	asked   *asked // the one question that is open
	last    uint64
}

type asked struct {
	offer  control.Offer
	answer chan error // takes one
}

// Confirm returns nil when this node may join, else why not, in words for the
// person at the other side.
func (a *Consent) Confirm(ctx context.Context, from quicnet.Offer) error {
	q, err := a.begin(from)
	if err != nil || q == nil {
		return err
	}
	defer a.end(q)
	t := time.NewTimer(askFor)
	defer t.Stop()
	select {
	case err := <-q.answer:
		return err
	case <-t.C:
		return task.Errorf(task.KindNotAllowed, "nobody there agreed within %s", askFor).
			WithHint("its screen asks whether it may join; type the code again when somebody looks at it")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *Consent) begin(from quicnet.Offer) (*asked, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.screens) == 0 {
		return nil, nil
	}
	switch q := a.asked; {
	case q == nil:
	case q.offer.Cluster == from.Cluster: // whoever asked before may have gone away
		q.answer <- task.Errorf(task.KindNotAllowed, "it was asked again meanwhile")
	default:
		return nil, task.Errorf(task.KindNotAllowed, "somebody there is being asked already, for %s", q.offer.By)
	}
	a.last++
	q := &asked{answer: make(chan error, 1)}
	q.offer = control.Offer{ID: a.last, By: from.Name, Cluster: from.Cluster, Until: time.Now().Add(askFor).UnixMilli()}
	if from.Addr != nil {
		q.offer.Addr = from.Addr.String()
	}
	a.asked = q
	a.notify()
	return q, nil
}

func (a *Consent) end(q *asked) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == q {
		a.asked = nil
		a.notify()
	}
}

// notify wakes all screens. The lock is held.
func (a *Consent) notify() {
	for s := range a.screens {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// Decide answers the question that is open. An answer to another one, which may
// have ended meanwhile, is refused.
func (a *Consent) Decide(id uint64, yes bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == nil || a.asked.offer.ID != id {
		return task.Errorf(task.KindConflict, "that question is over: nobody waits for an answer")
	}
	var say error
	if !yes {
		say = errDeclined()
	}
	a.asked.answer <- say
	a.asked = nil
	a.notify()
	return nil
}

func errDeclined() error {
	return task.Errorf(task.KindNotAllowed, "the person there said no")
}

// Watch is a new screen.
func (a *Consent) Watch(ctx context.Context) control.OfferStream {
	s := &offers{consent: a, news: make(chan struct{}, 1), closed: make(chan struct{})}
	a.mu.Lock()
	if a.screens == nil {
		a.screens = map[*offers]bool{}
	}
	a.screens[s] = true
	a.mu.Unlock()
	s.news <- struct{}{} // what is asked already
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s
}

// offers is what one screen hears.
type offers struct {
	consent *Consent
	news    chan struct{}
	once    sync.Once
	closed  chan struct{}
}

var _ control.OfferStream = (*offers)(nil)

func (s *offers) Next() (control.Offer, error) {
	select {
	case <-s.closed:
		return control.Offer{}, io.EOF
	case <-s.news:
	}
	s.consent.mu.Lock()
	defer s.consent.mu.Unlock()
	if q := s.consent.asked; q != nil {
		return q.offer, nil
	}
	return control.Offer{}, nil
}

// Close answers no if this was the last screen under a question.
func (s *offers) Close() error {
	s.once.Do(func() {
		close(s.closed)
		a := s.consent
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.screens, s)
		if len(a.screens) == 0 && a.asked != nil {
			a.asked.answer <- task.Errorf(task.KindNotAllowed, "the screen there was closed without an answer").
				WithHint("type the code again: without a screen nobody is asked")
			a.asked = nil
		}
	})
	return nil
}
