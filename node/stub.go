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
