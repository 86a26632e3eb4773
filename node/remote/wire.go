package remote

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// byKind finds the method that a request is for.
var byKind = map[wire.Kind]*control.Method{}

func init() {
	for _, m := range control.Methods() {
		wire.RegisterRequest(wire.Kind(m.Kind), m.Name, m.MaxRequest)
		byKind[wire.Kind(m.Kind)] = m
	}
}

// requestOf is a request as it travels.
func requestOf(m *control.Method, seq, lane uint64, user string, body any) wire.Message {
	return wire.Request[any]{Kind: wire.Kind(m.Kind), Seq: seq, Lane: lane, User: user, Body: body}
}

// decodeReply reads a reply or a failure into a pointer to the method's reply.
func decodeReply(f wire.Frame, into any) error {
	switch f.Kind {
	case wire.KindFailure:
		return failureOf(f)
	case wire.KindReply:
		return decodeBody(f, into)
	}
	return unexpected(f)
}

// decodeItem reads an item.
func decodeItem(f wire.Frame, into any) error {
	if f.Kind != wire.KindItem {
		return unexpected(f)
	}
	return decodeBody(f, into)
}

func decodeBody(f wire.Frame, into any) error {
	_, body, err := wire.OpenBody(f)
	if err != nil {
		return err
	}
	return wire.DecodeInto(body, into)
}

// failureOf is the error that a Failure carries.
func failureOf(f wire.Frame) error {
	var fail wire.Failure
	if err := wire.Decode(f, &fail); err != nil {
		return err
	}
	return fail.Fault.Err()
}

func unexpected(f wire.Frame) error {
	if f.Kind == wire.KindFault {
		return wire.FaultError(f)
	}
	return task.Errorf(task.KindInternal, "%w: %s is no answer", wire.ErrMalformed, f.Kind)
}

// maxPage is about how many bytes of tasks travel in one page.
const maxPage = 4 << 20

// fitReply cuts what would be too large on the wire. The caller of List sees
// More and asks for the rest as it would for any next page.
func fitReply(reply any) {
	p, ok := reply.(*control.Page)
	if !ok {
		return
	}
	total := 0
	for i := range p.Tasks {
		if total += p.Tasks[i].Size(); total > maxPage && i > 0 {
			p.Tasks, p.More, p.Next = p.Tasks[:i], true, 0
			return
		}
	}
}

// maxItem is about how many bytes of output travel in one item, maxEvents how
// many events.
const (
	maxItem   = 256 << 10
	maxEvents = 256
)

// splitItem cuts an item that would be large on the wire.
func splitItem(item any) []any {
	switch item := item.(type) {
	case *control.FollowItem:
		return splitOutput(item)
	case *[]control.Event:
		var parts []any
		for events := *item; len(events) > 0; {
			part := events[:min(len(events), maxEvents)]
			events = events[len(part):]
			parts = append(parts, &part)
		}
		return parts
	}
	return []any{item}
}

// splitOutput cuts an item whose output is large; the task stays in front.
func splitOutput(item *control.FollowItem) []any {
	total := 0
	for i := range item.Chunks {
		total += len(item.Chunks[i].Data) + 32
	}
	if total <= maxItem {
		return []any{item}
	}
	var parts []any
	part, size := &control.FollowItem{Task: item.Task}, 0
	for _, c := range item.Chunks {
		for {
			rest := c.Data[min(len(c.Data), maxItem):]
			piece := c
			piece.Data = c.Data[:len(c.Data)-len(rest)]
			if size > 0 && size+len(piece.Data)+32 > maxItem {
				parts = append(parts, part)
				part, size = &control.FollowItem{}, 0
			}
			part.Chunks = append(part.Chunks, piece)
			size += len(piece.Data) + 32
			if len(rest) == 0 {
				break
			}
			c.Data, c.Skipped = rest, 0
		}
	}
	return append(parts, part)
}
