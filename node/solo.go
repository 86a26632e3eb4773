package node

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// Solo starts a dispatcher and a worker in this process that nobody else can
// reach and that keep nothing. The Closer stops what runs and returns when
// everything has ended.
func Solo(ctx context.Context, cfg *config.Config, version string, log *slog.Logger) (control.Control, io.Closer, error) {
	dir, err := os.MkdirTemp("", "octaskly-solo-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a directory for one run: %w", err)
	}
	c := *cfg
	c.NodeDir = filepath.Join(dir, "node")
	n, err := New(Options{
		Config: &c, Role: task.RoleDispatcher, Version: version, Logger: log, Private: true,
		Paths: config.Paths{Data: dir, Cluster: filepath.Join(dir, "cluster"), Nodes: filepath.Join(dir, "nodes"), State: dir},
	})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	cut, cancel := context.WithCancel(context.Background())
	s := &solo{dir: dir, cancel: cancel, done: make(chan struct{})}
	ready := make(chan control.Control, 1)
	go func() {
		defer close(s.done)
		s.err = n.Run(cut, cut, func(c control.Control) { ready <- c })
	}()
	select {
	case face := <-ready:
		return face, s, nil
	case <-s.done:
		_ = s.Close()
		return nil, nil, s.err
	case <-ctx.Done():
		_ = s.Close()
		return nil, nil, ctx.Err()
	}
}

// solo ends a private node.
type solo struct {
	dir    string
	cancel context.CancelFunc
	done   chan struct{}
	err    error
	once   sync.Once
}

func (s *solo) Close() error {
	s.once.Do(func() {
		s.cancel()
		<-s.done
		_ = os.RemoveAll(s.dir)
	})
	return nil
}
