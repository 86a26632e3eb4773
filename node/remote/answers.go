package remote

import (
	"context"
	"errors"
	"io"
	"reflect"
	"sync"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// answers writes to the stream for all requests that are under way on it.
type answers struct {
	stream wire.Stream
	mu     sync.Mutex
}

// send writes one answer; its error says that the stream is broken. An answer
// that cannot travel is replaced by a failure that says so.
func (a *answers) send(seq uint64, m wire.Message) error {
	b, err := wire.AppendAnswer(nil, seq, m)
	if err != nil {
		return a.fail(seq, err)
	}
	return a.write(b)
}

func (a *answers) fail(seq uint64, why error) error {
	b, err := wire.Append(nil, wire.Failure{Seq: seq, Fault: wire.FaultOf(why)})
	if err != nil {
		return err
	}
	return a.write(b)
}

func (a *answers) write(b []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.stream.Write(b)
	return err
}

// sendItems answers a streaming request: the items until io.EOF. An empty item
// comes first where nothing may come for long (see announced).
func (a *answers) sendItems(ctx context.Context, c control.Caller, r request) error {
	stream, err := c.Open(ctx, r.method, r.body)
	if err != nil {
		return err
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	if announced(r.method) {
		if err := a.send(r.seq, wire.Item[any]{Seq: r.seq, Body: r.method.NewReply()}); err != nil {
			return err
		}
	}
	for {
		item, err := r.method.Next(stream)
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		for _, part := range splitItem(item) {
			if err := a.send(r.seq, wire.Item[any]{Seq: r.seq, Body: part}); err != nil {
				return err
			}
		}
	}
}

// announced reports whether the first item of a stream is empty and says only
// that what happens from now on will come: so it is with lists of what happens.
func announced(m *control.Method) bool { return m.Reply.Kind() == reflect.Slice }
