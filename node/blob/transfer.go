package blob

import (
	"context"
	"io"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Serve answers one request for a blob on a stream and closes it. A blob that is
// found damaged while it is sent is cut off.
func (s *Store) Serve(ctx context.Context, st wire.Stream) error {
	defer context.AfterFunc(ctx, func() { st.Cancel(wire.CodeShutdown) })()
	want, err := wire.Recv1[wire.BlobWant](st)
	if err != nil {
		st.Cancel(wire.CodeProtocol)
		return err
	}
	r, err := s.Get(want.Ref)
	if err != nil {
		_ = st.Send(wire.FaultOf(err))
		return st.Close()
	}
	defer r.Close()
	ref, err := ParseRef(want.Ref)
	if err == nil {
		err = st.Send(wire.BlobHave{Size: ref.Size})
	}
	if err == nil {
		_, err = io.CopyBuffer(struct{ io.Writer }{st}, r, make([]byte, 128<<10))
	}
	if err != nil {
		st.Cancel(wire.CodeNone)
		return task.Errorf(task.KindOf(err), "send the file %s: %w", want.Ref, err)
	}
	return st.Close()
}

// Fetch gets the content that ref names over a stream and stores it; content that
// is here already is not asked for. It returns the path as Path does. Whatever
// else the other end sends is refused.
func (s *Store) Fetch(ctx context.Context, ref string, open func(context.Context) (wire.Stream, error)) (string, error) {
	if p, err := s.Path(ref); err == nil {
		return p, nil
	}
	want, err := ParseRef(ref)
	if err != nil {
		return "", err
	}
	if want.Size > s.limits.Blob {
		return "", s.reserve(want.Size)
	}
	st, err := open(ctx)
	if err != nil {
		return "", err
	}
	defer st.Cancel(wire.CodeNone)
	defer context.AfterFunc(ctx, func() { st.Cancel(wire.CodeNone) })()
	if err := st.Send(wire.BlobWant{Ref: ref}); err != nil {
		return "", task.Errorf(task.KindUnavailable, "fetch the file %s: %w", ref, err)
	}
	have, err := wire.Recv1[wire.BlobHave](st)
	if err != nil {
		return "", task.Errorf(task.KindOf(err), "fetch the file %s: %w", ref, err)
	}
	if have.Size != want.Size {
		return "", task.Errorf(task.KindCorrupt, "fetch the file %s: the other node has %d bytes", ref, have.Size)
	}
	if _, err := s.put(st, want.Size, &want); err != nil {
		return "", err
	}
	return s.Path(ref)
}
