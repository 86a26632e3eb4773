// Package worker is the worker role of a node: it takes attempts that the
// dispatcher leased to it, runs them, keeps their output, and reports how they
// ended until the dispatcher has said that it is recorded.
//
// The worker outlives its connection. While no dispatcher can be reached it
// goes on with what it runs, keeps results on disk, and reports them later. An
// attempt is known here from its assignment until its result was acknowledged;
// what Register does not name is not held.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Link is the connection to the dispatcher, as far as a worker needs it.
type Link interface {
	// Open opens a stream of this kind to the dispatcher.
	Open(ctx context.Context, kind wire.StreamKind) (wire.Stream, error)
	// RTT is the round trip as measured, or 0.
	RTT() time.Duration
}

// Options configure a Worker.
type Options struct {
	Dir      string // the node's directory; the worker uses spool/ in it
	Node     task.NodeID
	Name     string
	Label    string // what its owner calls it besides
	Boot     string // random, one run of the program
	Version  string
	Capacity task.Capacity
	Runner   exec.Starter
	Load     func() task.Load                                      // called about once a heartbeat, may take long; nil sends zeros
	Fetch    func(ctx context.Context, ref string) (string, error) // path of a blob, fetched if need be
	Warnings []string
	Logger   *slog.Logger

	// Renew gives the node's public key when its certificate should be renewed,
	// else nil; Renewed takes the new one. Both may be nil.
	Renew   func() []byte
	Renewed func(chain [][]byte)
	History task.Recorder // for tests; nil records nothing

	OutputQuota int64 // bytes kept of one attempt; 0 is DefaultOutputQuota
	SpoolQuota  int64 // bytes of all output waiting on disk; 0 is DefaultSpoolQuota

	// Clock is time since some moment, and must go on while the machine sleeps.
	// Nil is the system's.
	Clock func() time.Duration
}

// Worker is the role. It is made once for a node's life.
type Worker struct {
	opt   Options
	log   *slog.Logger
	spool *spool

	mu       sync.Mutex
	attempts map[wire.Lease]*attempt
	waiting  []*attempt // assigned, not started, in order
	free     free
	taints   []taint       // appended to by attempts, taken from by Run
	term     uint64        // highest that was obeyed
	lease    time.Duration // length of a lease; 0 before the first Accepted
	until    time.Duration // by Clock: when our leases end unless renewed
	draining bool
	stopped  bool
	left     bool   // said goodbye: no connection any more
	name     string // as the cluster knows us
	conn     *conn  // to the dispatcher, or nil

	out     outbox        // what waits to be sent
	signal  chan struct{} // out has something
	changed chan struct{} // closed and replaced when an attempt was forgotten or a connection ended

	gauge gauge
	probe chan struct{} // asks Run whether it goes on
	seal  *seal.Key     // opens secrets; its private half is nowhere else

	running sync.WaitGroup
	ctx     context.Context // of Run; commands end with it
}

// New makes a worker and takes up what an earlier run left in its spool. It
// starts nothing.
func New(opt Options) (*Worker, error) {
	if opt.Logger == nil {
		opt.Logger = slog.Default()
	}
	if opt.Clock == nil {
		opt.Clock = bootClock
	}
	if opt.OutputQuota == 0 {
		opt.OutputQuota = DefaultOutputQuota
	}
	if opt.SpoolQuota == 0 {
		opt.SpoolQuota = DefaultSpoolQuota
	}
	key, err := seal.New()
	if err != nil {
		return nil, err
	}
	sp, left, err := openSpool(opt.Dir, opt.SpoolQuota, opt.Logger)
	if err != nil {
		return nil, err
	}
	w := &Worker{
		opt: opt, log: opt.Logger, spool: sp, seal: key, name: opt.Name,
		attempts: make(map[wire.Lease]*attempt),
		free:     freeOf(opt.Capacity),
		signal:   make(chan struct{}, 1),
		changed:  make(chan struct{}),
		probe:    make(chan struct{}),
		ctx:      context.Background(),
		term:     sp.term,
	}
	for _, a := range left {
		a.w = w
		if a.out != nil {
			a.out.adopt(w, a)
		}
		w.attempts[a.Lease] = a
		w.out.results = append(w.out.results, a)
	}
	return w, nil
}

// Run lets the worker work until ctx ends; then everything that still runs is
// killed. It returns when nothing of it is left.
func (w *Worker) Run(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	w.mu.Unlock()
	t := time.NewTicker(leaseCheck)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			w.stop()
			return nil
		case <-t.C:
			w.checkLease()
			w.checkTaints()
			w.saveUnacked()
		case <-w.probe:
		}
	}
}

// Alive returns when Run has come round, or with ctx's error.
func (w *Worker) Alive(ctx context.Context) error {
	select {
	case w.probe <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Worker) stop() {
	w.mu.Lock()
	w.stopped = true
	w.waiting = nil
	for _, a := range w.attempts {
		if a.run != nil && a.state == running {
			a.run.Cancel(-1)
		}
	}
	w.mu.Unlock()
	w.running.Wait()
}

// ErrOldTerm says that a dispatcher was not obeyed because a later one has
// been seen.
var ErrOldTerm = errors.New("a later dispatcher has been obeyed")

// Name is the name under which the cluster knows this worker.
func (w *Worker) Name() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.name
}

// Drain stops taking tasks and gives back those that have not started. It
// returns when nothing is left here, or with ctx's error.
func (w *Worker) Drain(ctx context.Context) error {
	w.mu.Lock()
	w.draining = true
	for _, a := range w.waiting {
		w.declineLocked(a, "the node is draining")
	}
	w.waiting = nil
	w.out.release = &wire.Release{On: true}
	w.mu.Unlock()
	w.wake()
	for {
		w.mu.Lock()
		n, ch := len(w.attempts), w.changed
		w.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ch:
		}
	}
}

// Leave ends the connection in good order: what waits to be sent is sent. There
// is no other connection afterwards. It returns when that is done, or with
// ctx's error.
func (w *Worker) Leave(ctx context.Context) error {
	w.mu.Lock()
	w.left = true
	w.mu.Unlock()
	w.wake()
	for {
		w.mu.Lock()
		c, ch := w.conn, w.changed
		w.mu.Unlock()
		if c == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ch:
		}
	}
}

func (w *Worker) leaving() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

// changedLocked wakes whoever waits for attempts or a connection to end.
func (w *Worker) changedLocked() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Undrain takes tasks again.
func (w *Worker) Undrain() {
	w.mu.Lock()
	w.draining = false
	w.out.release = &wire.Release{On: false}
	w.mu.Unlock()
	w.wake()
}

// Busy is how many attempts are held here, in any state.
func (w *Worker) Busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.attempts)
}

func (w *Worker) wake() {
	select {
	case w.signal <- struct{}{}:
	default:
	}
}
