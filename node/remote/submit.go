package remote

import (
	"context"
	"errors"
	"strconv"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// How a large submit is cut: tasks and about bytes in one frame, and frames on
// their way at a time. The node carries the frames of one submit out in order.
const (
	chunkTasks = 4000
	chunkBytes = 512 << 10
	window     = 4
	maxTask    = 900 << 10 // about bytes; a larger task does not fit a frame
)

// Submit sends any number of tasks. Every task gets a key, so that a submit is
// repeated after the connection broke without storing a task twice. On an error
// the reply says of each task whether it was accepted; those of which that is not
// known carry the kind of the error.
func (c *Client) Submit(ctx context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	b := &bulk{client: c, request: r, keys: task.NewKey() + ".", reply: control.SubmitReply{Results: make([]control.Submitted, len(r.Tasks))}}
	err := c.retry(ctx, repeatable, b.run)
	if err != nil {
		b.fillUnknown(err)
	}
	return b.reply, err
}

// bulk is one submit on its way.
type bulk struct {
	client  *Client
	request control.SubmitRequest
	keys    string
	reply   control.SubmitReply
	next    int  // tasks before it have their result
	told    bool // reply.Ahead is set
}

// span is a run of tasks that travel in one frame.
type span struct {
	from, to int
	pipe     *pipe
	seq      uint64
	call     *call
	got      *control.SubmitReply
}

// run sends everything from b.next on. After an error of the stream it may be
// called again.
func (b *bulk) run(ctx context.Context) error {
	p, err := b.client.connected(ctx)
	if err != nil {
		return openFailed(err)
	}
	var flying []span
	var failed error
	lane := uint64(0)
	if len(b.request.Tasks) > chunkTasks || b.end(b.next) < len(b.request.Tasks) {
		lane = b.client.lanes.Add(1)
	}
	for at := b.next; at < len(b.request.Tasks) && failed == nil || len(flying) > 0; {
		if at < len(b.request.Tasks) && failed == nil && len(flying) < window {
			s, err := b.send(ctx, p, lane, at)
			if err != nil {
				failed = err
				continue
			}
			flying, at = append(flying, s), s.to
			continue
		}
		err := b.receive(ctx, flying[0])
		flying = flying[1:]
		failed = firstOf(failed, err)
		if ctx.Err() != nil {
			for _, s := range flying {
				p.take(s.seq)
			}
			return ctx.Err()
		}
	}
	return failed
}

// firstOf prefers an error that says why the node refused.
func firstOf(a, b error) error {
	if a == nil || errors.Is(a, errBroken) && b != nil {
		return b
	}
	return a
}

// end is where the frame that begins with task i ends.
func (b *bulk) end(i int) int {
	size := 0
	for j := i; j < len(b.request.Tasks); j++ {
		n := b.request.Tasks[j].Size() + len(b.keys) + 8
		if j > i && (size+n > chunkBytes || j-i == chunkTasks) {
			return j
		}
		if n <= maxTask {
			size += n
		}
	}
	return len(b.request.Tasks)
}

func (b *bulk) send(ctx context.Context, p *pipe, lane uint64, from int) (span, error) {
	s := span{from: from, to: b.end(from), pipe: p, got: new(control.SubmitReply)}
	body := control.SubmitRequest{FailFast: b.request.FailFast, Tasks: make([]control.NewTask, 0, s.to-s.from)}
	for i := s.from; i < s.to; i++ {
		t := b.request.Tasks[i]
		if t.Size() > maxTask {
			continue // receive says so
		}
		if t.Key == "" {
			t.Key = b.keys + strconv.FormatInt(int64(i), 36)
		}
		body.Tasks = append(body.Tasks, t)
	}
	var err error
	got := s.got
	s.seq, s.call, err = p.ask(ctx,
		func(seq uint64) wire.Message {
			return requestOf(control.SubmitMethod.Method, seq, lane, b.client.user, &body)
		},
		func(f wire.Frame) error { return decodeReply(f, got) },
	)
	return s, err
}

func (b *bulk) receive(ctx context.Context, s span) error {
	select {
	case err := <-s.call.answer:
		if err != nil {
			return err
		}
	case <-ctx.Done():
		s.pipe.take(s.seq)
		return ctx.Err()
	}
	got := s.got.Results
	for i := s.from; i < s.to; i++ {
		if n := b.request.Tasks[i].Size(); n > maxTask {
			b.reply.Results[i] = control.Submitted{
				Kind: task.KindTooLarge, Message: "a task of about " + strconv.Itoa(n>>10) + " KiB is too large to submit",
				Hint: "put large input into a file for --stdin-file, and long commands into a script",
			}
			continue
		}
		if len(got) == 0 {
			return task.Errorf(task.KindInternal, "the node answered a submit for fewer tasks than it was given")
		}
		b.reply.Results[i], got = got[0], got[1:]
		if b.request.Tasks[i].Key == "" {
			b.reply.Results[i].Duplicate = false // a repeat of our own, not of the caller's
		}
	}
	if !b.told {
		b.reply.Ahead, b.told = s.got.Ahead, true
	}
	if s.from == b.next {
		b.next = s.to
	}
	return nil
}

// fillUnknown gives every task without a result the error.
func (b *bulk) fillUnknown(err error) {
	for i := b.next; i < len(b.reply.Results); i++ {
		if r := &b.reply.Results[i]; r.ID == 0 && r.Kind == "" {
			*r = control.Submitted{Kind: task.KindOf(err), Message: err.Error(), Hint: task.HintOf(err)}
		}
	}
}
