package queue

import (
	"context"
	"sync"
)

// Pending is a change on its way: proposed, not yet acknowledged.
type Pending[T any] struct {
	mu    sync.Mutex
	done  chan struct{} // made by the first Done or Wait; closed when settled
	set   bool
	value T
	err   error
	then  []func(T, error)
}

// Wait returns what became of the change. When ctx ends first the change may
// still happen.
func (p *Pending[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-p.Done():
		return p.value, p.err
	default:
	}
	select {
	case <-p.Done():
		return p.value, p.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

// Done is closed when Wait would not block.
func (p *Pending[T]) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.set {
			close(p.done)
		}
	}
	return p.done
}

// Then calls f once when the change is settled, also if it is already.
//
// f never runs on the caller's stack: it may take a lock that the caller of
// Then holds. It runs on the goroutine that settles the change, and must not
// wait for another change; where the change was settled before, it runs on a
// goroutine of its own. Calls that were asked for before their changes were
// settled come in the order in which the changes of one Queue were applied.
func (p *Pending[T]) Then(f func(T, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set {
		go f(p.value, p.err)
		return
	}
	p.then = append(p.then, f)
}

// settle ends the wait; only the first call counts.
func (p *Pending[T]) settle(v T, err error) {
	p.mu.Lock()
	if p.set {
		p.mu.Unlock()
		return
	}
	p.set, p.value, p.err = true, v, err
	if p.done != nil {
		close(p.done)
	}
	then := p.then
	p.then = nil
	p.mu.Unlock()
	for _, f := range then {
		f(v, err)
	}
}

func failed[T any](err error) *Pending[T] {
	p := &Pending[T]{}
	var zero T
	p.settle(zero, err)
	return p
}
