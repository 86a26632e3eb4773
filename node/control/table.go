package control

import (
	"context"

	"github.com/adauldev/octaskly/queue/task"
)

// The table: one row for each method of Control, in the order of the interfaces.
// To add a method: its line in the interface, its row here with a number that was
// never used, its line in client.go, its implementation.
var (
	SubmitMethod = newRow(Method{Name: "submit", Kind: 32, Role: task.RoleClient, Repeatable: true},
		func(ctx context.Context, c Control, r SubmitRequest) (SubmitReply, error) { return c.Submit(ctx, r) })
	GetMethod = newRow(Method{Name: "get", Kind: 33, Role: task.RoleClient, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, r TaskRequest) (task.Task, error) { return c.Get(ctx, r.ID) })
	ListMethod = newRow(Method{Name: "list", Kind: 34, Role: task.RoleClient, Repeatable: true, MaxRequest: 64 << 10},
		func(ctx context.Context, c Control, r Query) (Page, error) { return c.List(ctx, r) })
	CancelMethod = newRow(Method{Name: "cancel", Kind: 35, Role: task.RoleClient, Repeatable: true},
		func(ctx context.Context, c Control, r CancelRequest) ([]CancelReply, error) { return c.Cancel(ctx, r) })
	WhyMethod = newRow(Method{Name: "why", Kind: 36, Role: task.RoleClient, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, r TaskRequest) (Why, error) { return c.Why(ctx, r.ID) })
	FollowMethod = newStreamRow(Method{Name: "follow", Kind: 37, Role: task.RoleClient, MaxRequest: small},
		func(ctx context.Context, c Control, r FollowRequest) (Stream[FollowItem], error) {
			return c.Follow(ctx, r)
		})
	PutBlobMethod = newRow(Method{Name: "put_blob", Kind: 38, Role: task.RoleClient, Shape: Upload, MaxRequest: small},
		func(context.Context, Control, UploadRequest) (UploadReply, error) {
			panic("control: an upload has no call without its bytes")
		})

	NodesMethod = newRow(Method{Name: "nodes", Kind: 40, Role: task.RoleClient, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, _ None) ([]Node, error) { return c.Nodes(ctx) })
	DrainMethod = newRow(Method{Name: "drain", Kind: 41, Role: task.RoleAdmin, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, r NodeRequest) (Node, error) { return c.Drain(ctx, r.Node) })
	UndrainMethod = newRow(Method{Name: "undrain", Kind: 42, Role: task.RoleAdmin, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, r NodeRequest) (Node, error) { return c.Undrain(ctx, r.Node) })

	RemoveMethod = newRow(Method{Name: "remove", Kind: 43, Role: task.RoleAdmin, MaxRequest: small},
		func(ctx context.Context, c Control, r NodeRequest) (Node, error) { return c.Remove(ctx, r.Node) })
	AdmitMethod = newRow(Method{Name: "admit", Kind: 44, Role: task.RoleAdmin, MaxRequest: small},
		func(ctx context.Context, c Control, r AdmitRequest) (Node, error) {
			return c.Admit(ctx, r.Code, r.Name)
		})
	InviteMethod = newRow(Method{Name: "invite", Kind: 45, Role: task.RoleAdmin, MaxRequest: small},
		func(ctx context.Context, c Control, r InviteRequest) (Invite, error) { return c.Invite(ctx, r) })

	StatusMethod = newRow(Method{Name: "status", Kind: 48, Role: task.RoleClient, Repeatable: true, MaxRequest: small},
		func(ctx context.Context, c Control, _ None) (Status, error) { return c.Status(ctx) })
	EventsMethod = newStreamRow(Method{Name: "events", Kind: 49, Role: task.RoleClient, MaxRequest: small},
		func(ctx context.Context, c Control, r EventsRequest) (Stream[[]Event], error) {
			return c.Events(ctx, r)
		})

	CreateTokenMethod = newRow(Method{Name: "create_token", Kind: 52, Role: task.RoleAdmin, MaxRequest: small},
		func(ctx context.Context, c Control, r TokenRequest) (Token, error) { return c.CreateToken(ctx, r) })

	IdentityMethod = newRow(Method{Name: "identity", Kind: 56, Role: task.RoleClient, Repeatable: true, OfNode: true, MaxRequest: small},
		func(ctx context.Context, c Control, _ None) (Identity, error) { return c.Identity(ctx) })
	PromoteMethod = newRow(Method{Name: "promote", Kind: 57, Role: task.RoleAdmin, OfNode: true, MaxRequest: small},
		func(ctx context.Context, c Control, r PromoteRequest) (Status, error) { return c.Promote(ctx, r) })
	StopMethod = newRow(Method{Name: "stop", Kind: 58, Role: task.RoleAdmin, OfNode: true, MaxRequest: small},
		func(ctx context.Context, c Control, r StopRequest) (None, error) { return None{}, c.Stop(ctx, r.Now) })
	OffersMethod = newStreamRow(Method{Name: "offers", Kind: 59, Role: task.RoleAdmin, OfNode: true, MaxRequest: small},
		func(ctx context.Context, c Control, _ None) (Stream[Offer], error) { return c.Offers(ctx) })
	DecideMethod = newRow(Method{Name: "decide", Kind: 60, Role: task.RoleAdmin, OfNode: true, MaxRequest: small},
		func(ctx context.Context, c Control, r Decision) (None, error) {
			return None{}, c.Decide(ctx, r.Offer, r.Yes)
		})
)

// small is enough for a request that only names something.
const small = 1 << 10
