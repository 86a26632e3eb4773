package raftq

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/hashicorp/raft"

	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/badgerdb"
	"github.com/adauldev/octaskly/queue/state"
	"github.com/adauldev/octaskly/queue/task"
)

// Options says where the log lives and who this node is.
type Options struct {
	Dir    string      // holds raft/ and raft.guard
	ID     task.NodeID // this node
	Link   Link        // to other voters; nil while there are none
	Logger *slog.Logger

	// TableSize is as in queue.Options.
	TableSize int64

	// SnapshotBytes is how much the log grows before it is shortened; default
	// 16 MiB.
	SnapshotBytes int64
}

// Timeouts while there is one voter: it elects itself after one of them.
const loneTimeout = 50 * time.Millisecond

// Log is the queue's log through raft.
type Log struct {
	raft   *raft.Raft
	store  *store
	db     *badger.DB
	quiet  *badgerdb.Compactions
	guard  *guard
	snaps  *snapshots
	logger *slog.Logger
	limit  int64

	mu      sync.Mutex
	closed  bool
	term    uint64 // 0: not leader
	changed chan struct{}

	prop   sync.Mutex // orders proposals as they enter raft and list
	refuse bool       // guarded by prop: Close was called
	fifo   sync.Mutex // guards what follows
	some   *sync.Cond
	list   []proposal // not answered yet
	ended  bool       // no more will come

	stop context.CancelFunc
	wg   sync.WaitGroup
}

var _ queue.Log = (*Log)(nil)

// OpenQueue opens state and log in the directory of o, checks that they belong
// together, and makes a queue of them. Close the queue to close them.
func OpenQueue(o queue.Options, r Options) (*queue.Queue, *Log, error) {
	if err := queue.CheckSpace(o); err != nil {
		return nil, nil, err
	}
	s, err := queue.OpenState(o)
	if err != nil {
		return nil, nil, err
	}
	if r.Dir == "" {
		r.Dir = o.Dir
	}
	if r.Logger == nil {
		r.Logger = o.Logger
	}
	if r.TableSize == 0 {
		r.TableSize = o.TableSize
	}
	l, err := Open(s, r)
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return queue.New(s, l, o), l, nil
}

// Open opens the log that feeds a state and starts raft. It refuses a log that
// is damaged or does not belong to the state.
func Open(s *state.State, o Options) (*Log, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.SnapshotBytes == 0 {
		o.SnapshotBytes = 16 << 20
	}
	dir := filepath.Join(o.Dir, "raft")
	db, err := badgerdb.Open("raft", dir, o.TableSize, o.Logger)
	if err != nil {
		return nil, err
	}
	l := &Log{db: db, quiet: badgerdb.NewCompactions(db), logger: o.Logger, limit: o.SnapshotBytes, changed: make(chan struct{})}
	l.some = sync.NewCond(&l.fifo)
	err = l.prepare(s, o, dir)
	if err == nil {
		err = l.start(s, o)
	}
	if err != nil {
		if l.guard != nil {
			err = errors.Join(err, l.guard.close())
		}
		return nil, errors.Join(err, db.Close())
	}
	return l, nil
}

// prepare checks what is on disk before raft sees it.
func (l *Log) prepare(s *state.State, o Options, dir string) error {
	path := filepath.Join(o.Dir, "raft.guard")
	g, fresh, err := openGuard(path)
	switch {
	case errors.Is(err, errGuard):
		return badgerdb.Corrupt("raft", dir, "%v (%s)", err, path)
	case err != nil:
		return fmt.Errorf("open the raft store: %w", err)
	}
	l.guard = g
	l.store = &store{db: l.db, guard: g}
	l.snaps = &snapshots{store: l.store, state: s, dir: filepath.Join(o.Dir, "snapshot"), keep: func() { l.store.added.Store(0) }}
	v, err := l.store.look()
	if err == nil {
		err = checkLog(v, g.mark(), fresh)
	}
	if err != nil {
		return badgerdb.Corrupt("raft", dir, "%v", err)
	}
	if v.snap != nil {
		if err := l.takeOver(s, v.snap); err != nil {
			return err
		}
	}
	index, term := s.LogPosition()
	if f := checkPair(v, index, term); f != nil {
		return badgerdb.Corrupt(f.store, filepath.Join(o.Dir, f.store), "%v", f.err)
	}
	l.store.first, l.store.last = v.first, v.last
	l.store.added.Store(v.bytes)
	return nil
}

// takeOver imports a snapshot that was received but not taken over before the
// process ended.
func (l *Log) takeOver(s *state.State, m *raft.SnapshotMeta) error {
	l.snaps.clean(m.ID)
	index, _ := s.LogPosition()
	f, err := os.Open(l.snaps.path(m.ID))
	if err != nil || index >= m.Index {
		if err == nil {
			_ = f.Close()
		}
		return nil
	}
	defer f.Close()
	return s.Import(f)
}

func (l *Log) start(s *state.State, o Options) error {
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(o.ID)
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = loneTimeout, loneTimeout, loneTimeout
	conf.CommitTimeout = 5 * time.Millisecond
	conf.MaxAppendEntries = 512
	conf.BatchApplyCh = true
	conf.TrailingLogs = 64
	conf.SnapshotInterval = 24 * time.Hour // the log's size decides, see shorten
	conf.SnapshotThreshold = 1 << 62
	conf.NoSnapshotRestoreOnStart = true
	conf.NoLegacyTelemetry = true
	conf.ShutdownOnRemove = false
	conf.Logger = raftLogger{l: o.Logger, lone: o.Link == nil}

	addr := raft.ServerAddress(o.ID)
	var trans raft.Transport
	if o.Link != nil {
		trans = raft.NewNetworkTransportWithLogger(streams{o.Link}, 3, 10*time.Second, conf.Logger)
	} else {
		_, trans = raft.NewInmemTransport(addr)
	}
	old, err := raft.HasExistingState(l.store, l.store, l.snaps)
	if err != nil {
		return err
	}
	if !old {
		self := raft.Configuration{Servers: []raft.Server{{ID: conf.LocalID, Address: addr}}}
		if err := raft.BootstrapCluster(conf, l.store, l.store, l.snaps, trans, self); err != nil {
			return fmt.Errorf("begin the raft log: %w", err)
		}
	}
	l.raft, err = raft.NewRaft(conf, &fsm{state: s}, l.store, l.store, l.snaps, trans)
	if err != nil {
		return fmt.Errorf("start raft: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	for _, run := range []func(context.Context){l.guard.run, l.watch, l.shorten, l.answer} {
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			run(ctx)
		}()
	}
	return nil
}

// shorten drops what the state has stored, whenever the log has grown enough.
func (l *Log) shorten(ctx context.Context) {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if l.store.added.Load() < l.limit {
			continue
		}
		if err := l.raft.Snapshot().Error(); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) && ctx.Err() == nil {
			l.logger.Warn("queue: the raft log could not be shortened; it is tried again", "err", err)
		}
	}
}

// Barrier returns when everything committed before is applied.
func (l *Log) Barrier(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- l.barrier() }()
	select {
	case err := <-done:
		if err != nil {
			return translateError(err)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx) // the goroutine ends with the barrier, or with raft
	}
}

// Compactions controls what the log's store does by itself.
func (l *Log) Compactions() *badgerdb.Compactions { return l.quiet }

// barrier is raft's, but does not enter behind the last thing that raft answers.
func (l *Log) barrier() error {
	l.prop.Lock()
	if l.refuse {
		l.prop.Unlock()
		return raft.ErrRaftShutdown
	}
	f := l.raft.Barrier(0)
	l.prop.Unlock()
	return f.Error()
}

// Close stops raft, tells every proposer what became of its command, and
// closes the store. The state stays open.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	l.quiet.Close() // writers may wait for a compaction
	l.prop.Lock()
	l.refuse = true
	// Raft never answers what still waits to enter it when it is shut down; a
	// barrier goes in behind it.
	last := l.raft.Barrier(0)
	l.prop.Unlock()
	_ = last.Error()
	err := l.raft.Shutdown().Error()
	l.set(0)
	l.stop()
	l.fifo.Lock()
	l.ended = true
	l.some.Broadcast()
	l.fifo.Unlock()
	l.wg.Wait()
	return errors.Join(err, l.guard.close(), l.db.Close())
}
