package local

import (
	"context"
	"errors"
	"time"

	"github.com/adauldev/octaskly/quicnet/wire"
)

// enrolTime is how long a dispatcher may take to store a new member.
const enrolTime = 30 * time.Second

// Enrol asks the node at the address for membership in its cluster.
func Enrol(ctx context.Context, address string, key Key, e wire.Enrol) (wire.Enrolled, error) {
	s, err := Dial(ctx, address, key, Join)
	if err != nil {
		return wire.Enrolled{}, err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Cancel(wire.CodeNone) })()
	_ = s.SetReadDeadline(time.Now().Add(enrolTime))
	if err := s.Send(e); err != nil {
		return wire.Enrolled{}, inWords(address, err)
	}
	out, err := wire.Recv1[wire.Enrolled](s)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return wire.Enrolled{}, inWords(address, err)
	}
	return out, nil
}

// ServeEnrol answers one request on a stream for the purpose Join. The error of
// admit is the answer when there is one.
func ServeEnrol(ctx context.Context, s wire.Stream, admit func(context.Context, wire.Enrol) (wire.Enrolled, error)) error {
	_ = s.SetReadDeadline(time.Now().Add(handshakeTime))
	e, err := wire.Recv1[wire.Enrol](s)
	if err != nil {
		return err
	}
	out, err := admit(ctx, e)
	if err != nil {
		return errors.Join(err, s.Send(wire.FaultOf(err)))
	}
	return s.Send(out)
}
