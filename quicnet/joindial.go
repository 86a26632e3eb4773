package quicnet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Join makes this node a member of the cluster of the node at addr, with a code
// that the cluster made. keep stores the membership before the other side is
// told that all went well; it may be nil. When the other side is busy with the
// tries of others, Join waits its turn until ctx ends. ErrWrongCode is wrapped
// when the code does not fit.
func (e *Endpoint) Join(ctx context.Context, addr string, code trust.Code, keep func(*trust.Membership, wire.JoinGrant) error) (*trust.Membership, wire.JoinGrant, error) {
	var m *trust.Membership
	var g wire.JoinGrant
	open := wire.JoinOpen{Side: string(trust.Joiner), Invite: code.ID()}
	err := e.joinDial(ctx, addr, code, open, func(ctx context.Context, j *joint) (err error) {
		m, g, err = j.enter(e.cfg.Hello().Name, keep)
		return err
	})
	return m, g, err
}

// Admit lets the node at addr become a member, with a code that it shows.
// Otherwise it is like Join.
func (e *Endpoint) Admit(ctx context.Context, addr string, code trust.Code, a Admitter) (Candidate, error) {
	var who Candidate
	open := wire.JoinOpen{Side: string(trust.Admitter), Cluster: a.Cluster()}
	err := e.joinDial(ctx, addr, code, open, func(ctx context.Context, j *joint) (err error) {
		who, err = j.admitPeer(ctx, a, code)
		return err
	})
	return who, err
}

// joinDial tries the addresses of a name one after the other, and again while
// the other side asks to wait.
func (e *Endpoint) joinDial(ctx context.Context, addr string, code trust.Code, open wire.JoinOpen, then func(context.Context, *joint) error) error {
	if e.cfg.Join == nil {
		return task.Errorf(task.KindInternal, "quicnet: an Endpoint without JoinConfig cannot join")
	}
	if err := e.usable(ctx); err != nil {
		return err
	}
	targets, err := resolve(ctx, addr, e.Addr())
	if err != nil {
		return err
	}
	h := e.cfg.Hello()
	open.Min, open.Max, open.Name, open.Build = wire.MinVersion, wire.MaxVersion, h.Name, h.Build
	var errs []error
	for _, to := range targets {
		wait, err := e.joinOnce(ctx, to, code, open, then)
		for err == nil && wait > 0 {
			if err = sleep(ctx, wait); err == nil {
				wait, err = e.joinOnce(ctx, to, code, open, then)
			}
		}
		var said *task.Error
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrWrongCode) {
			return err
		}
		if !errors.As(err, &said) || task.KindOf(err) == task.KindInternal {
			err = dialError(err, to.String(), e.cfg.Limits)
		}
		errs = append(errs, err)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return allFailed(errs)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// joinOnce is one join connection from the dialling side; a positive wait means
// "later".
func (e *Endpoint) joinOnce(ctx context.Context, to *net.UDPAddr, code trust.Code, open wire.JoinOpen, then func(context.Context, *joint) error) (wait time.Duration, err error) {
	conf, err := trust.JoinTLS(e.cfg.Join.Identity)
	if err != nil {
		return 0, err
	}
	dctx, cancel := context.WithTimeout(ctx, e.cfg.Limits.Handshake)
	defer cancel()
	conn, err := e.tr.Dial(dctx, to, conf, e.qconf)
	if err != nil {
		return 0, dialError(err, to.String(), e.cfg.Limits)
	}
	defer closeConn(conn, CodeLeaving, "")
	stop := context.AfterFunc(ctx, func() { closeConn(conn, CodeLeaving, "") })
	defer stop()
	q, err := conn.OpenStreamSync(dctx)
	if err != nil {
		return 0, err
	}
	j, err := e.newJoint(conn, newStream(nil, q, wire.StreamJoin, wire.Acceptor, wire.LimitBefore))
	if err != nil {
		return 0, err
	}
	if wait, err = j.ask(ctx, code, open); err != nil || wait > 0 {
		return wait, err
	}
	if err := then(ctx, j); err != nil {
		j.await(joinStep)
		_ = j.st.Send(wire.FaultOf(err)) // so that the other side need not wait
		return 0, err
	}
	j.settle()
	return 0, nil
}

// settle waits for the other side to have read everything.
func (j *joint) settle() {
	j.await(joinStep)
	_ = j.st.CloseWrite()
	if _, err := j.st.Recv(); err != nil {
		j.e.log.Debug("join ended", "error", err)
	}
}

// ask is the dialling side up to the point where both have proved. It proves
// first, because it did not make the code.
func (j *joint) ask(ctx context.Context, code trust.Code, open wire.JoinOpen) (time.Duration, error) {
	j.await(joinStep)
	openBody, err := j.send([]byte{byte(wire.StreamJoin)}, open)
	if err != nil {
		return 0, err
	}
	frame, err := j.st.Recv()
	if err != nil {
		return 0, err
	}
	if frame.Kind == wire.KindJoinWait {
		var w wire.JoinWait
		err := wire.Decode(frame, &w)
		return min(max(time.Duration(w.Ms)*time.Millisecond, time.Millisecond), joinStep), err
	}
	var ready wire.JoinReady
	readyBody := bytes.Clone(frame.Body)
	if err := wire.DecodeAs(frame, &ready); err != nil {
		return 0, err
	}
	if !wire.Readable(ready.Name) || !wire.Readable(ready.Build) {
		return 0, wire.ErrMalformed
	}
	side := trust.JoinSide(open.Side)
	j.takeSide(side, open.Cluster+ready.Cluster, openBody, readyBody)
	proofs, err := j.prove(ctx, code)
	if err != nil {
		return 0, err
	}
	j.await(joinStep)
	if err := j.st.Send(wire.JoinProof{Proof: proofs.Of(side)}); err != nil {
		return 0, err
	}
	got, err := wire.Recv1[wire.JoinProof](j.st)
	if err != nil {
		return 0, wrongCode(err)
	}
	if !proofs.Check(side.Other(), got.Proof) {
		return 0, task.Errorf(task.KindNotAllowed, "%w: the other side could not prove that it knows it", ErrWrongCode).
			WithHint("somebody between the two computers may be listening; try again on a network that you trust")
	}
	return 0, nil
}

// wrongCode recognises the answer to a wrong proof.
func wrongCode(err error) error {
	var said *task.Error
	if errors.As(err, &said) && said.Kind == task.KindNotAllowed {
		return task.Errorf(task.KindNotAllowed, "%w", ErrWrongCode).WithHint("%s", said.Hint)
	}
	return err
}
