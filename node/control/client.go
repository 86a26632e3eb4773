package control

import (
	"context"

	"github.com/adauldev/octaskly/queue/task"
)

// Client is a Control whose every method asks By as the table says.
type Client struct{ By Caller }

var _ Control = Client{}

func (c Client) Submit(ctx context.Context, r SubmitRequest) (SubmitReply, error) {
	return SubmitMethod.Ask(ctx, c.By, r)
}

func (c Client) Get(ctx context.Context, id task.ID) (task.Task, error) {
	return GetMethod.Ask(ctx, c.By, TaskRequest{ID: id})
}

func (c Client) List(ctx context.Context, q Query) (Page, error) {
	return ListMethod.Ask(ctx, c.By, q)
}

func (c Client) Cancel(ctx context.Context, r CancelRequest) ([]CancelReply, error) {
	return CancelMethod.Ask(ctx, c.By, r)
}

func (c Client) Why(ctx context.Context, id task.ID) (Why, error) {
	return WhyMethod.Ask(ctx, c.By, TaskRequest{ID: id})
}

func (c Client) Follow(ctx context.Context, r FollowRequest) (Follower, error) {
	return FollowMethod.Ask(ctx, c.By, r)
}

func (c Client) PutBlob(ctx context.Context, size int64, read func(p []byte) (int, error)) (string, error) {
	return c.By.Upload(ctx, PutBlobMethod.Method, size, read)
}

func (c Client) Nodes(ctx context.Context) ([]Node, error) {
	return NodesMethod.Ask(ctx, c.By, None{})
}

func (c Client) Drain(ctx context.Context, node string) (Node, error) {
	return DrainMethod.Ask(ctx, c.By, NodeRequest{Node: node})
}

func (c Client) Undrain(ctx context.Context, node string) (Node, error) {
	return UndrainMethod.Ask(ctx, c.By, NodeRequest{Node: node})
}

func (c Client) Remove(ctx context.Context, node string) (Node, error) {
	return RemoveMethod.Ask(ctx, c.By, NodeRequest{Node: node})
}

func (c Client) Admit(ctx context.Context, code, name string) (Node, error) {
	return AdmitMethod.Ask(ctx, c.By, AdmitRequest{Code: code, Name: name})
}

func (c Client) Invite(ctx context.Context, r InviteRequest) (Invite, error) {
	return InviteMethod.Ask(ctx, c.By, r)
}

func (c Client) Promote(ctx context.Context, r PromoteRequest) (Status, error) {
	return PromoteMethod.Ask(ctx, c.By, r)
}

func (c Client) CreateToken(ctx context.Context, r TokenRequest) (Token, error) {
	return CreateTokenMethod.Ask(ctx, c.By, r)
}

func (c Client) Status(ctx context.Context) (Status, error) {
	return StatusMethod.Ask(ctx, c.By, None{})
}

func (c Client) Events(ctx context.Context, r EventsRequest) (EventStream, error) {
	return EventsMethod.Ask(ctx, c.By, r)
}

func (c Client) Identity(ctx context.Context) (Identity, error) {
	return IdentityMethod.Ask(ctx, c.By, None{})
}

func (c Client) Stop(ctx context.Context, now bool) error {
	_, err := StopMethod.Ask(ctx, c.By, StopRequest{Now: now})
	return err
}

func (c Client) Offers(ctx context.Context) (OfferStream, error) {
	return OffersMethod.Ask(ctx, c.By, None{})
}

func (c Client) Decide(ctx context.Context, offer uint64, yes bool) error {
	_, err := DecideMethod.Ask(ctx, c.By, Decision{Offer: offer, Yes: yes})
	return err
}
