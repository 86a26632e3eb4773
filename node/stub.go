package node

import (
	"context"
	"io"

	"github.com/adauldev/octaskly/quicnet/wire"
)

type blobStore interface {
	Put(r io.Reader, size int64) (string, error)
	Path(ref string) (string, error)
	Serve(ctx context.Context, s wire.Stream) error
}

func (n *Node) otherDispatcher(ctx context.Context) (string, bool) { return "", false }
func (n *Node) serveLocal(ctx context.Context)                     { <-ctx.Done() }
func (n *Node) enrolHere(ctx context.Context) (wire.Enrolled, error) {
	return wire.Enrolled{}, errNoDispatcher()
}
