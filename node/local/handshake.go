package local

import (
	"crypto/hmac"
	"errors"
	"io"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Purpose is what a connection is for.
type Purpose string

// The purposes.
const (
	Ask  Purpose = "rpc"   // questions to a Control, served by node/remote
	Join Purpose = "enrol" // one wire.Enrol and its answer
)

const version = 1

// handshakeTime is how long either side waits for the other during the challenge.
const handshakeTime = 5 * time.Second

// accept is the listening side of the challenge. It tells a dialler that fails
// nothing but that it failed.
func (k Key) accept(s wire.Stream) (Purpose, error) {
	ours := newNonce()
	if err := s.Send(wire.LocalHello{Version: version, Nonce: ours}); err != nil {
		return "", err
	}
	p, err := wire.Recv1[wire.LocalProof](s)
	if err != nil {
		return "", err
	}
	if len(p.Nonce) != nonceLen || !hmac.Equal(p.Proof, k.proof(dialler, ours, p.Nonce, p.Purpose)) {
		err := task.Errorf(task.KindNotAllowed, "the local key does not match").
			WithHint("this program and the node read different key files; is XDG_STATE_HOME the same for both?")
		_ = s.Send(wire.FaultOf(err))
		return "", err
	}
	if p.Purpose != string(Ask) && p.Purpose != string(Join) {
		err := task.Errorf(task.KindUsage, "the node does not know what a connection for %q is", p.Purpose).
			WithHint("the two programs have different versions")
		_ = s.Send(wire.FaultOf(err))
		return "", err
	}
	return Purpose(p.Purpose), s.Send(wire.LocalWelcome{Proof: k.proof(listener, p.Nonce, ours, p.Purpose)})
}

// present is the dialling side of the challenge.
func (k Key) present(s wire.Stream, purpose Purpose) error {
	h, err := wire.Recv1[wire.LocalHello](s)
	if err != nil {
		return hungUp(err)
	}
	if h.Version != version || len(h.Nonce) != nonceLen {
		return task.Errorf(task.KindConflict, "the node speaks version %d on its local socket, this program version %d", h.Version, version).
			WithHint("use the same version of octaskly for both")
	}
	ours := newNonce()
	if err := s.Send(wire.LocalProof{Nonce: ours, Purpose: string(purpose), Proof: k.proof(dialler, h.Nonce, ours, string(purpose))}); err != nil {
		return hungUp(err)
	}
	w, err := wire.Recv1[wire.LocalWelcome](s)
	if err != nil {
		return hungUp(err)
	}
	if !hmac.Equal(w.Proof, k.proof(listener, ours, h.Nonce, string(purpose))) {
		return task.Errorf(task.KindNotAllowed, "whoever listens there does not know this user's local key: it is not a node of this user")
	}
	return nil
}

func hungUp(err error) error {
	if errors.Is(err, io.EOF) {
		return task.Errorf(task.KindUnavailable, "the node closed the connection; it may be stopping or have too many")
	}
	return err
}
