package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Address is the socket of one node of this user. Nobody needs to listen there.
type Address struct {
	N    int // the node's number
	Path string
}

// Find lists the sockets that there are in the user's folder for sockets and in
// the numbered folders of its nodes, by number.
func Find(runtime, nodes string) []Address {
	found := findPlatform(runtime)
	dirs, _ := os.ReadDir(nodes)
	for _, d := range dirs {
		if n, err := strconv.Atoi(d.Name()); err == nil {
			found = append(found, socketsIn(filepath.Join(nodes, d.Name()), n)...)
		}
	}
	slices.SortStableFunc(found, func(a, b Address) int { return a.N - b.N })
	return found
}

// socketsIn lists the sockets N.sock in a folder, all of them or that of one node.
func socketsIn(dir string, only int) []Address {
	var found []Address
	files, _ := os.ReadDir(dir)
	for _, f := range files {
		number, isSocket := strings.CutSuffix(f.Name(), suffix)
		n, err := strconv.Atoi(number)
		if isSocket && err == nil && f.Type()&fs.ModeSocket != 0 && (only < 0 || n == only) {
			found = append(found, Address{N: n, Path: filepath.Join(dir, f.Name())})
		}
	}
	return found
}

const suffix = ".sock"

// Dial connects to the node that listens at the address and proves that this
// process belongs to its user. The stream is then for the purpose. The error is
// of KindNoDispatcher when nobody listens there.
func Dial(ctx context.Context, address string, key Key, purpose Purpose) (wire.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	c, err := dial(ctx, address)
	if isTimeout(err) {
		return nil, silent(address)
	}
	if err != nil {
		return nil, err
	}
	s := wire.NewConn(c, wire.LimitBefore)
	s.Restrict(wire.StreamRPC, wire.Acceptor)
	if _, err := peerOf(c); err != nil {
		s.Cancel(wire.CodeForbidden)
		return nil, task.Errorf(task.KindNotAllowed, "connect to %s: %w", address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	err = key.present(s, purpose)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Cancel(wire.CodeNone)
		if isTimeout(err) {
			return nil, silent(address)
		}
		return nil, inWords(address, err)
	}
	s.SetLimit(wire.LimitAfter)
	return s, nil
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// silent says that a node did not answer, neither to the connection nor on it.
func silent(address string) error {
	return task.Errorf(task.KindTimeout, "the node at %s did not answer in time", address)
}

// inWords names the socket in an error that does not.
func inWords(address string, err error) error {
	if strings.Contains(err.Error(), address) {
		return err
	}
	e := task.Errorf(task.KindOf(err), "connect to the node at %s: %w", address, err)
	return e.WithHint("%s", task.HintOf(err))
}

// Opener opens streams for questions to one node.
type Opener struct {
	Address string
	Key     Key
}

// OpenRPC connects for the purpose Ask.
func (o Opener) OpenRPC(ctx context.Context) (wire.Stream, error) {
	return Dial(ctx, o.Address, o.Key, Ask)
}
