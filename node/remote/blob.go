package remote

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Upload has a stream of its own. It is not repeated when the connection breaks,
// because what was read cannot be read again.
func (c *Client) Upload(ctx context.Context, m *control.Method, size int64, read func(p []byte) (int, error)) (string, error) {
	if size < 0 {
		return "", task.Errorf(task.KindUsage, "a file of %d bytes cannot be stored", size)
	}
	var s wire.Stream
	err := c.retry(ctx, repeatable, func(ctx context.Context) (err error) {
		s, err = c.openStream(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	defer s.Cancel(wire.CodeNone)
	defer context.AfterFunc(ctx, func() { s.Cancel(wire.CodeNone) })()
	defer context.AfterFunc(c.ctx, func() { s.Cancel(wire.CodeNone) })()

	var ref control.UploadReply
	answered := make(chan error, 1)
	if err := s.Send(requestOf(m, 1, 0, c.user, &control.UploadRequest{Size: size})); err != nil {
		return "", unknownOutcome(broken(err))
	}
	go func() { // ends with the answer, or with the stream that is cancelled below
		frame, err := s.Recv()
		if err == nil {
			err = decodeReply(frame, &ref)
		} else {
			err = broken(err)
		}
		_ = s.SetWriteDeadline(time.Unix(1, 0)) // an early answer is a refusal: send no more
		answered <- err
	}()
	if err := copyBlob(s, size, read); err != nil {
		var own *readError
		if errors.As(err, &own) {
			s.Cancel(wire.CodeNone)
			_ = <-answered
			return "", own.err
		}
	}
	if err := <-answered; err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if errors.Is(err, errBroken) {
			return "", task.Errorf(task.KindUnavailable, "store a file of %d bytes at the node: %w", size, err).WithHint("try again")
		}
		return "", err
	}
	return ref.Ref, nil
}

// readError marks an error of the caller's own reader.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func copyBlob(w io.Writer, size int64, read func([]byte) (int, error)) error {
	buf := make([]byte, min(size, 128<<10))
	for left := size; left > 0; {
		n, err := read(buf[:min(int64(len(buf)), left)])
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			left -= int64(n)
		}
		if errors.Is(err, io.EOF) && left > 0 {
			return &readError{task.Errorf(task.KindUsage, "the input ended %d bytes before its announced size of %d", left, size)}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return &readError{err}
		}
	}
	return nil
}
