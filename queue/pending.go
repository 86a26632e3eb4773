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

// Then calls f once when the change is settled, at once if it is already. f
// runs on the goroutine that settles it and must not block; calls for changes
// of one Queue come in the order in which they were applied.
func (p *Pending[T]) Then(f func(T, error)) {
	p.mu.Lock()
	if !p.set {
		p.then = append(p.then, f)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	f(p.value, p.err)
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
