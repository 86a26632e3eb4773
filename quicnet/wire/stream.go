package wire

import (
	"io"
	"net"
	"sync"
	"time"
)

// Code is why a stream was cut short. It travels as the QUIC error code.
type Code uint32

// The codes for Stream.Cancel.
const (
	CodeNone      Code = 0 // no longer interested
	CodeProtocol  Code = 1 // the peer sent what it must not send
	CodeShutdown  Code = 2 // going away
	CodeOverload  Code = 3 // a limit was reached
	CodeForbidden Code = 4 // the peer may not do this
)

// Stream is what the roles of a node see of a connection to a peer: frames both
// ways, and raw bytes where a kind says that they follow. It is implemented by
// quicnet.Stream and by Conn.
//
// One goroutine at a time may send (Send, Write, CloseWrite) and one at a time
// may receive (Recv, Read); the two do not disturb each other. Close, Cancel
// and the deadlines may be called at any time from anywhere.
type Stream interface {
	// Send writes m as one frame with one write. It blocks while the peer does
	// not read.
	Send(m Message) error
	// Recv reads and checks the next frame. It returns io.EOF when the peer has
	// closed its side between two frames. After a read deadline it may be called
	// again; after any other error the stream is of no more use.
	Recv() (Frame, error)
	// Read and Write carry raw bytes after the frames.
	io.Reader
	io.Writer
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	// CloseWrite says that nothing more will be sent; all that was sent arrives.
	CloseWrite() error
	// Close ends both directions: what was sent arrives, what the peer still
	// sends is dropped.
	Close() error
	// Cancel cuts both directions at once; what was sent may be lost.
	Cancel(code Code)
}

// Recv1 receives one frame that must be a T. A Fault from the peer is returned
// as the error it stands for.
func Recv1[T Message](s Stream) (T, error) {
	var m T
	f, err := s.Recv()
	if err == nil {
		err = DecodeAs(f, &m)
	}
	return m, err
}

// DecodeAs decodes a frame that must be a T. A Fault is returned as the error
// it stands for.
func DecodeAs[T Message](f Frame, into *T) error {
	if f.Kind == KindFault {
		return FaultError(f)
	}
	if want := (*into).WireKind(); f.Kind != want {
		return malformed("got " + f.Kind.String() + " where " + want.String() + " was expected")
	}
	return Decode(f, into)
}

// Conn is a Stream over any net.Conn, such as a local socket.
type Conn struct {
	*Framing
	c    net.Conn
	once sync.Once
	err  error
}

var _ Stream = (*Conn)(nil)

// NewConn makes a Stream of c. Frames larger than limit bytes are refused.
// Every registered kind is accepted from either end until Restrict is called.
func NewConn(c net.Conn, limit int) *Conn {
	return &Conn{Framing: NewFraming(c, c, limit), c: c}
}

// NetConn is the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.c }

func (c *Conn) SetReadDeadline(t time.Time) error { return c.c.SetReadDeadline(t) }

func (c *Conn) SetWriteDeadline(t time.Time) error { return c.c.SetWriteDeadline(t) }

// CloseWrite does nothing where the connection cannot close one side only.
func (c *Conn) CloseWrite() error {
	if h, ok := c.c.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

func (c *Conn) Close() error {
	c.once.Do(func() { c.err = c.c.Close() })
	return c.err
}

func (c *Conn) Cancel(Code) { _ = c.Close() }
