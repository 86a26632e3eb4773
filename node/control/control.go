// Package control is what a person or a program may ask of a cluster. The
// screen, the command line and REST all speak to a Control; there is one
// implementation beside the queue (node/dispatch) and one that carries the
// same questions over a connection (node/remote).
//
// docs/checklists/control-method.md says how to add a method.
//
// Every method returns a *task.Error (or one wrapped) for whatever a person
// can do something about. Values that are returned belong to the caller.
package control

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Control is everything together.
type Control interface {
	Tasks
	Nodes
	Members
	Replicas
	Access
	Watch
	Admin
}

// Tasks is what can be done with tasks.
type Tasks interface {
	// Submit stores tasks and gives them consecutive numbers. It returns after
	// they are durable. Tasks that are refused have their reason in the reply;
	// the others are accepted all the same.
	Submit(ctx context.Context, r SubmitRequest) (SubmitReply, error)
	// Get is one task with all its attempts.
	Get(ctx context.Context, id task.ID) (task.Task, error)
	// List is a page of tasks, newest first unless the query says otherwise.
	List(ctx context.Context, q Query) (Page, error)
	// Cancel ends tasks that are not finished. It returns when the decision is
	// durable; a running task ends within its grace.
	Cancel(ctx context.Context, r CancelRequest) ([]CancelReply, error)
	// Why says why a task waits, or what happened to it.
	Why(ctx context.Context, id task.ID) (Why, error)
	// Follow streams a task's state changes and, if asked, its output, from
	// the beginning of the output; it ends after the terminal state.
	Follow(ctx context.Context, r FollowRequest) (Follower, error)
	// PutBlob stores the content of r and returns its reference for
	// task.Spec.StdinRef. The content is kept while a task refers to it.
	PutBlob(ctx context.Context, size int64, read func(p []byte) (int, error)) (ref string, err error)
}

// Nodes is what can be done with nodes that are members.
type Nodes interface {
	// Nodes lists all nodes that are members or were seen, by name.
	Nodes(ctx context.Context) ([]Node, error)
	// Drain stops giving tasks to a node, named by name or id; what runs there goes on.
	Drain(ctx context.Context, node string) (Node, error)
	// Undrain takes that back.
	Undrain(ctx context.Context, node string) (Node, error)
}

// Members is who belongs to the cluster.
type Members interface {
	// Remove revokes a node's membership.
	Remove(ctx context.Context, node string) (Node, error)
	// Admit lets in the node that shows this code, under the given name if it
	// is not empty.
	Admit(ctx context.Context, code, name string) (Node, error)
	// Invite makes a code that lets nodes in.
	Invite(ctx context.Context, r InviteRequest) (Invite, error)
}

// Replicas is who holds the queue.
type Replicas interface {
	// Promote makes the asked node the dispatcher.
	Promote(ctx context.Context, r PromoteRequest) (Status, error)
}

// Access is who may ask through REST.
type Access interface {
	// CreateToken makes a token for REST. The dispatcher keeps none: whoever loses
	// it needs a new one.
	CreateToken(ctx context.Context, r TokenRequest) (Token, error)
}

// Watch is how a client stays up to date.
type Watch interface {
	// Status is the cluster in one value.
	Status(ctx context.Context) (Status, error)
	// Events streams what happens from a position; From 0 is "from now".
	Events(ctx context.Context, r EventsRequest) (EventStream, error)
}

// Admin is what concerns the node that is asked, not the cluster.
type Admin interface {
	// Identity is who the asked node is.
	Identity(ctx context.Context) (Identity, error)
	// Stop ends the asked node: it drains first unless now is set.
	Stop(ctx context.Context, now bool) error
	// Offers streams the clusters that want the asked node as a member, which
	// have proved that they know its code. As long as such a stream is open, a
	// person can be asked, and the node joins only after Decide said yes.
	Offers(ctx context.Context) (OfferStream, error)
	// Decide answers the offer with this number.
	Decide(ctx context.Context, offer uint64, yes bool) error
}

// Requests and replies that have no type of their own elsewhere. The methods
// that they belong to take their fields as arguments.
type (
	// None is a request or a reply without content.
	None struct{}
	// TaskRequest names a task.
	TaskRequest struct {
		ID task.ID `msgpack:"i"`
	}
	// NodeRequest names a node by name or id.
	NodeRequest struct {
		Node string `msgpack:"n"`
	}
	// AdmitRequest is the code that a node shows and the name to give it.
	AdmitRequest struct {
		Code string `msgpack:"c"`
		Name string `msgpack:"n,omitempty"`
	}
	// StopRequest says how to stop.
	StopRequest struct {
		Now bool `msgpack:"n,omitempty"`
	}
	// Decision answers an offer.
	Decision struct {
		Offer uint64 `msgpack:"o"`
		Yes   bool   `msgpack:"y,omitempty"`
	}
	// UploadRequest says how many raw bytes follow.
	UploadRequest struct {
		Size int64 `msgpack:"s"`
	}
	// UploadReply names the stored content.
	UploadReply struct {
		Ref string `msgpack:"r"`
	}
)

// SubmitRequest is a batch of tasks. Any size; it is cut as needed, and tasks
// that were accepted before an error stay accepted.
type SubmitRequest struct {
	Tasks    []NewTask `msgpack:"t"`
	FailFast bool      `msgpack:"f,omitempty"` // refuse a task that no node known now could ever run
}

// The types of package task that requests and replies are made of.
type (
	NewTask   = task.NewTask
	Submitted = task.Submitted
	Query     = task.Query
	Page      = task.Page
)

// SubmitReply has one entry for each task of the request, in its order.
type SubmitReply struct {
	Results []Submitted `msgpack:"r"`
	Ahead   int         `msgpack:"a"` // ready tasks before the first accepted one
}

// CancelRequest names tasks by number or by query.
type CancelRequest struct {
	IDs    []task.ID     `msgpack:"i,omitempty"`
	Filter *Query        `msgpack:"f,omitempty"` // instead of IDs; its Limit 0 is no limit, and After goes on behind the last reply
	Grace  time.Duration `msgpack:"g,omitempty"` // 0 is the task's own; negative is none
}

// CancelReply is what became of one of them.
type CancelReply struct {
	ID    task.ID    `msgpack:"i"`
	State task.State `msgpack:"s"`           // after the cancel; still assigned or running while it is being killed
	Kind  task.Kind  `msgpack:"k,omitempty"` // set when refused: not found, already finished
}

// FollowRequest names the task to follow.
type FollowRequest struct {
	ID      task.ID `msgpack:"i"`
	Output  bool    `msgpack:"o,omitempty"` // send output as well
	Attempt uint32  `msgpack:"a,omitempty"` // this attempt's output only; 0 is the last one and those to come
	All     bool    `msgpack:"A,omitempty"` // with Attempt 0: those before the last one too
	Tail    int     `msgpack:"t,omitempty"` // only the last so many lines of what is there already; 0 is all
	NoWait  bool    `msgpack:"n,omitempty"` // end after what is there now
}

// Follower yields what a Follow asked for.
type Follower = Stream[FollowItem]

// FollowItem is one step of a follow: output, or a new state of the task.
type FollowItem struct {
	Chunks []Chunk    `msgpack:"c,omitempty"`
	Task   *task.Task `msgpack:"t,omitempty"` // after each change of state; the first item always has it
}

// Chunk is a piece of output as the task wrote it, unchanged.
type Chunk struct {
	Stream  uint8  `msgpack:"s"`           // 1 stdout, 2 stderr, 0 a remark of ours (in Data)
	Attempt uint32 `msgpack:"a"`           // the attempt that wrote it
	Time    int64  `msgpack:"t"`           // worker's clock, Unix ms
	Data    []byte `msgpack:"d,omitempty"` // any bytes
	Skipped int64  `msgpack:"k,omitempty"` // so many bytes were dropped here
}
