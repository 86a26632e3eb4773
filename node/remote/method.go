package remote

import (
	"context"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Method names one thing that can be asked, for access rules and logs.
type Method string

// The methods, one for each method of control.Control.
const (
	Submit   Method = "submit"
	Get      Method = "get"
	List     Method = "list"
	Cancel   Method = "cancel"
	Why      Method = "why"
	Follow   Method = "follow"
	PutBlob  Method = "put_blob"
	Nodes    Method = "nodes"
	Drain    Method = "drain"
	Undrain  Method = "undrain"
	Remove   Method = "remove"
	Admit    Method = "admit"
	Invite   Method = "invite"
	Status   Method = "status"
	Events   Method = "events"
	Identity Method = "identity"
	Promote  Method = "promote"
	Stop     Method = "stop"
	Offers   Method = "offers"
	Decide   Method = "decide"
)

// request is one decoded request, ready to be carried out.
type request struct {
	method Method
	seq    uint64
	lane   uint64
	run    func(context.Context, control.Control) (wire.Message, error)
	stream func(context.Context, control.Control, *answers) error // instead of run
	blob   int64                                                  // for PutBlob: so many raw bytes follow
}

// methods says for each kind of request how it is decoded and carried out.
var methods = map[wire.Kind]func(wire.Frame) (request, error){
	wire.KindSubmit: unary(Submit, func(ctx context.Context, c control.Control, r control.SubmitRequest) (control.SubmitReply, error) {
		return c.Submit(ctx, r)
	}),
	wire.KindGet: unary(Get, func(ctx context.Context, c control.Control, a wire.TaskArg) (task.Task, error) {
		return c.Get(ctx, a.ID)
	}),
	wire.KindList: unary(List, func(ctx context.Context, c control.Control, q control.Query) (control.Page, error) {
		p, err := c.List(ctx, q)
		return shorten(p), err
	}),
	wire.KindCancel: unary(Cancel, func(ctx context.Context, c control.Control, r control.CancelRequest) ([]control.CancelReply, error) {
		return c.Cancel(ctx, r)
	}),
	wire.KindWhy: unary(Why, func(ctx context.Context, c control.Control, a wire.TaskArg) (control.Why, error) {
		return c.Why(ctx, a.ID)
	}),
	wire.KindFollow:  streamed(Follow, serveFollow),
	wire.KindPutBlob: blob,
	wire.KindNodes: unary(Nodes, func(ctx context.Context, c control.Control, _ wire.Empty) ([]control.Node, error) {
		return c.Nodes(ctx)
	}),
	wire.KindDrain: unary(Drain, func(ctx context.Context, c control.Control, a wire.NodeArg) (control.Node, error) {
		return c.Drain(ctx, a.Node)
	}),
	wire.KindUndrain: unary(Undrain, func(ctx context.Context, c control.Control, a wire.NodeArg) (control.Node, error) {
		return c.Undrain(ctx, a.Node)
	}),
	wire.KindRemove: unary(Remove, func(ctx context.Context, c control.Control, a wire.NodeArg) (control.Node, error) {
		return c.Remove(ctx, a.Node)
	}),
	wire.KindAdmit: unary(Admit, func(ctx context.Context, c control.Control, a wire.AdmitArg) (control.Node, error) {
		return c.Admit(ctx, a.Code, a.Name)
	}),
	wire.KindInvite: unary(Invite, func(ctx context.Context, c control.Control, r control.InviteRequest) (control.Invite, error) {
		return c.Invite(ctx, r)
	}),
	wire.KindStatus: unary(Status, func(ctx context.Context, c control.Control, _ wire.Empty) (control.Status, error) {
		return c.Status(ctx)
	}),
	wire.KindEvents: streamed(Events, serveEvents),
	wire.KindIdentity: unary(Identity, func(ctx context.Context, c control.Control, _ wire.Empty) (control.Identity, error) {
		return c.Identity(ctx)
	}),
	wire.KindPromote: unary(Promote, func(ctx context.Context, c control.Control, r control.PromoteRequest) (control.Status, error) {
		return c.Promote(ctx, r)
	}),
	wire.KindHalt: unary(Stop, func(ctx context.Context, c control.Control, a wire.HaltArg) (wire.Empty, error) {
		return wire.Empty{}, c.Stop(ctx, a.Now)
	}),
	wire.KindOffers: streamed(Offers, serveOffers),
	wire.KindDecide: unary(Decide, func(ctx context.Context, c control.Control, a wire.DecideArg) (wire.Empty, error) {
		return wire.Empty{}, c.Decide(ctx, a.Offer, a.Yes)
	}),
}

func unary[A, R any](m Method, call func(context.Context, control.Control, A) (R, error)) func(wire.Frame) (request, error) {
	return func(f wire.Frame) (request, error) {
		var r wire.Request[A]
		if err := wire.Decode(f, &r); err != nil {
			return request{}, err
		}
		run := func(ctx context.Context, c control.Control) (wire.Message, error) {
			out, err := call(ctx, c, r.Body)
			return wire.Reply[R]{Seq: r.Seq, Body: out}, err
		}
		return request{method: m, seq: r.Seq, lane: r.Lane, run: run}, nil
	}
}

func streamed[A any](m Method, serve func(context.Context, control.Control, A, *answers) error) func(wire.Frame) (request, error) {
	return func(f wire.Frame) (request, error) {
		var r wire.Request[A]
		if err := wire.Decode(f, &r); err != nil {
			return request{}, err
		}
		return request{method: m, seq: r.Seq, lane: r.Lane, stream: func(ctx context.Context, c control.Control, a *answers) error {
			return serve(ctx, c, r.Body, a)
		}}, nil
	}
}

func blob(f wire.Frame) (request, error) {
	var r wire.Request[wire.BlobArg]
	if err := wire.Decode(f, &r); err != nil {
		return request{}, err
	}
	return request{method: PutBlob, seq: r.Seq, blob: r.Body.Size}, nil
}

// maxPage is about how many bytes of tasks travel in one page.
const maxPage = 4 << 20

// shorten cuts a page that would be large on the wire. The caller sees More and
// asks for the rest as it would for any next page.
func shorten(p control.Page) control.Page {
	total := 0
	for i := range p.Tasks {
		if total += p.Tasks[i].Size(); total > maxPage && i > 0 {
			p.Tasks, p.More, p.Next = p.Tasks[:i], true, 0
			return p
		}
	}
	return p
}
