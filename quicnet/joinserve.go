package quicnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// serveJoin takes one join connection from its first byte to its last.
func (e *Endpoint) serveJoin(ctx context.Context, conn *quic.Conn) {
	markRecorded(conn)
	select {
	case e.joins.slots <- struct{}{}:
		defer func() { <-e.joins.slots }()
	default:
		closeConn(conn, CodeOverload, "too many want to join at once")
		return
	}
	j, err := e.acceptJoint(ctx, conn)
	if err != nil {
		closeConn(conn, CodeProtocol, "no join")
		return
	}
	if err := j.answer(ctx); err != nil {
		e.log.Warn("audit: join refused", "from", conn.RemoteAddr().String(), "node", j.peerID().Short(), "error", err)
		if !errors.Is(err, wire.ErrMalformed) {
			j.await(joinStep)
			_ = j.st.Send(wire.FaultOf(err))
		}
	}
	j.finish(ctx)
}

func (e *Endpoint) acceptJoint(ctx context.Context, conn *quic.Conn) (*joint, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Limits.Handshake)
	defer cancel()
	q, err := conn.AcceptStream(ctx)
	if err != nil {
		return nil, err
	}
	_ = q.SetDeadline(time.Now().Add(e.cfg.Limits.Handshake))
	kind, err := readStreamKind(q)
	if err != nil {
		return nil, err
	}
	if kind != wire.StreamJoin {
		return nil, fmt.Errorf("%w: a %s stream on a join connection", wire.ErrMalformed, kind)
	}
	return e.newJoint(conn, newStream(nil, q, kind, wire.Opener, wire.LimitBefore))
}

// answer is the accepting side: this end made the code.
func (j *joint) answer(ctx context.Context) error {
	open, openBody, err := recv[wire.JoinOpen](j.st)
	if err != nil {
		return err
	}
	side := trust.JoinSide(open.Side).Other()
	if side == "" || !wire.Readable(open.Name) || !wire.Readable(open.Build) {
		return fmt.Errorf("%w: a join without a side", wire.ErrMalformed)
	}
	own := wire.Hello{Min: wire.MinVersion, Max: wire.MaxVersion, Name: j.e.cfg.Hello().Name, Build: j.e.cfg.Hello().Build}
	version, err := wire.Negotiate(own, wire.Hello{Min: open.Min, Max: open.Max, Name: open.Name, Build: open.Build})
	if err != nil {
		return err
	}
	codes, admitter, applicant, err := j.e.joinCodes(side, open)
	if err != nil {
		return err
	}
	if open.Invite == "" { // nobody guesses a long code
		if wait := j.e.joins.take(sourceOf(j.conn.RemoteAddr()), time.Now()); wait > 0 {
			return j.st.Send(wire.JoinWait{Ms: wait.Milliseconds() + 1})
		}
	}
	ready := wire.JoinReady{Version: version, Name: own.Name, Build: own.Build}
	if side == trust.Admitter {
		ready.Cluster = admitter.Cluster()
	}
	readyBody, err := j.send(nil, ready)
	if err != nil {
		return err
	}
	j.takeSide(side, open.Cluster+ready.Cluster, openBody, readyBody)
	code, err := j.examine(ctx, codes)
	if err != nil {
		return err
	}
	if side == trust.Admitter {
		_, err = j.admitPeer(ctx, admitter, code)
		return err
	}
	offer := Offer{Cluster: j.bind.Cluster, Node: j.peerID(), Name: open.Name, Addr: j.conn.RemoteAddr()}
	if err := j.confirm(ctx, applicant, offer); err != nil {
		return err
	}
	_, _, err = j.enter(own.Name, applicant.Joined)
	return err
}

// confirm asks here until the other side gives up.
func (j *joint) confirm(ctx context.Context, a Applicant, o Offer) error {
	ctx, cancel := context.WithTimeout(ctx, joinConfirm)
	defer cancel()
	defer context.AfterFunc(j.conn.Context(), cancel)()
	return a.Confirm(ctx, o)
}

// joinCodes are the codes that a try may fit, and who to turn to then.
func (e *Endpoint) joinCodes(side trust.JoinSide, open wire.JoinOpen) (codes []trust.Code, _ Admitter, _ Applicant, _ error) {
	if side == trust.Joiner {
		if e.cfg.Join.Applicant == nil || e.cfg.Join.Applicant() == nil {
			return nil, nil, nil, task.Errorf(task.KindConflict, "this node does not ask to join a cluster")
		}
		a := e.cfg.Join.Applicant()
		if c, ok := a.Code(); ok {
			codes = []trust.Code{c}
		}
		return codes, nil, a, nil
	}
	if e.cfg.Join.Admitter == nil || e.cfg.Join.Admitter() == nil {
		return nil, nil, nil, task.Errorf(task.KindConflict, "this node cannot let others into a cluster").
			WithHint("use the code at the dispatcher")
	}
	a := e.cfg.Join.Admitter()
	if open.Invite == "" {
		codes = a.Codes()
	} else if c, ok := a.Invite(open.Invite); ok {
		codes = []trust.Code{c}
	}
	return codes[:min(len(codes), joinCodes)], a, nil, nil
}

// examine receives the dialler's proof, finds the code it fits, and proves in
// turn. Whether there is no code or another one, it says the same.
func (j *joint) examine(ctx context.Context, codes []trust.Code) (trust.Code, error) {
	j.await(joinStep)
	got, err := wire.Recv1[wire.JoinProof](j.st)
	if err != nil {
		return trust.Code{}, err
	}
	for _, c := range codes {
		p, err := j.prove(ctx, c)
		if err != nil {
			return trust.Code{}, err
		}
		if p.Check(j.side.Other(), got.Proof) {
			return c, j.st.Send(wire.JoinProof{Proof: p.Of(j.side)})
		}
	}
	return trust.Code{}, task.Errorf(task.KindNotAllowed, "%w", ErrWrongCode).
		WithHint("check the code; it may have been used, or its time is over")
}

// take asks for a try.
func (d *joinDoor) take(src netip.Addr, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tries.Take(src, now)
}
