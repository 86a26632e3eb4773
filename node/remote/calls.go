package remote

import (
	"context"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Whether a call may be repeated after the connection broke under it.
const (
	repeatable = true
	once       = false
)

// Get implements control.Tasks.
func (c *Client) Get(ctx context.Context, id task.ID) (task.Task, error) {
	return ask[wire.TaskArg, task.Task](ctx, c, wire.KindGet, repeatable, wire.TaskArg{ID: id})
}

// List implements control.Tasks. A page may be shorter than its limit although
// More is set, when its tasks are large.
func (c *Client) List(ctx context.Context, q control.Query) (control.Page, error) {
	return ask[control.Query, control.Page](ctx, c, wire.KindList, repeatable, q)
}

// maxCancels is how many numbers one request carries.
const maxCancels = 50_000

// Cancel implements control.Tasks. A cancel that is repeated finds some tasks
// cancelled already; their state says so.
func (c *Client) Cancel(ctx context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	var all []control.CancelReply
	for {
		part := r
		part.IDs = r.IDs[:min(len(r.IDs), maxCancels)]
		r.IDs = r.IDs[len(part.IDs):]
		out, err := ask[control.CancelRequest, []control.CancelReply](ctx, c, wire.KindCancel, repeatable, part)
		all = append(all, out...)
		if err != nil || len(r.IDs) == 0 {
			return all, err
		}
	}
}

// Why implements control.Tasks.
func (c *Client) Why(ctx context.Context, id task.ID) (control.Why, error) {
	return ask[wire.TaskArg, control.Why](ctx, c, wire.KindWhy, repeatable, wire.TaskArg{ID: id})
}

// Nodes implements control.Nodes.
func (c *Client) Nodes(ctx context.Context) ([]control.Node, error) {
	return ask[wire.Empty, []control.Node](ctx, c, wire.KindNodes, repeatable, wire.Empty{})
}

// Drain implements control.Nodes.
func (c *Client) Drain(ctx context.Context, node string) (control.Node, error) {
	return ask[wire.NodeArg, control.Node](ctx, c, wire.KindDrain, repeatable, wire.NodeArg{Node: node})
}

// Undrain implements control.Nodes.
func (c *Client) Undrain(ctx context.Context, node string) (control.Node, error) {
	return ask[wire.NodeArg, control.Node](ctx, c, wire.KindUndrain, repeatable, wire.NodeArg{Node: node})
}

// Remove implements control.Nodes.
func (c *Client) Remove(ctx context.Context, node string) (control.Node, error) {
	return ask[wire.NodeArg, control.Node](ctx, c, wire.KindRemove, once, wire.NodeArg{Node: node})
}

// Admit implements control.Nodes.
func (c *Client) Admit(ctx context.Context, code, name string) (control.Node, error) {
	return ask[wire.AdmitArg, control.Node](ctx, c, wire.KindAdmit, once, wire.AdmitArg{Code: code, Name: name})
}

// Invite implements control.Nodes.
func (c *Client) Invite(ctx context.Context, r control.InviteRequest) (control.Invite, error) {
	return ask[control.InviteRequest, control.Invite](ctx, c, wire.KindInvite, once, r)
}

// Status implements control.Watch.
func (c *Client) Status(ctx context.Context) (control.Status, error) {
	return ask[wire.Empty, control.Status](ctx, c, wire.KindStatus, repeatable, wire.Empty{})
}

// Identity implements control.Admin.
func (c *Client) Identity(ctx context.Context) (control.Identity, error) {
	return ask[wire.Empty, control.Identity](ctx, c, wire.KindIdentity, repeatable, wire.Empty{})
}

// Promote implements control.Admin.
func (c *Client) Promote(ctx context.Context, r control.PromoteRequest) (control.Status, error) {
	return ask[control.PromoteRequest, control.Status](ctx, c, wire.KindPromote, once, r)
}

// Stop implements control.Admin.
func (c *Client) Stop(ctx context.Context, now bool) error {
	_, err := ask[wire.HaltArg, wire.Empty](ctx, c, wire.KindHalt, once, wire.HaltArg{Now: now})
	return err
}

// Decide implements control.Admin.
func (c *Client) Decide(ctx context.Context, offer uint64, yes bool) error {
	_, err := ask[wire.DecideArg, wire.Empty](ctx, c, wire.KindDecide, once, wire.DecideArg{Offer: offer, Yes: yes})
	return err
}
