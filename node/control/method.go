package control

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/adauldev/octaskly/queue/task"
)

// Method is one row of the table of everything that can be asked: client,
// server, wire and permissions are driven by it. The rows are variables of this
// package; Methods lists them.
//
// Requests and replies are handed on as pointers to values of the row's types.
type Method struct {
	Name       string    // as logs, refusals and audit lines print it; never changes
	Kind       uint8     // number of its requests on the wire, 32–87; never given to another method
	Role       task.Role // what the caller's certificate has to allow
	Shape      Shape
	Repeatable bool // may be asked again when the connection broke under it
	OfNode     bool // concerns the node that is asked; everything else concerns the cluster
	MaxRequest int  // bytes of an encoded request; 0 is the limit of a frame

	Request reflect.Type
	Reply   reflect.Type // of one item, where the shape is Streaming

	call func(ctx context.Context, c Control, request any) (any, error)
	open func(ctx context.Context, c Control, request any) (io.Closer, error)
	next func(stream io.Closer) (any, error)
	wrap func(Items) io.Closer
}

// Shape is how a method answers.
type Shape uint8

// The shapes.
const (
	Unary     Shape = iota // one reply
	Streaming              // any number of items until io.EOF
	Upload                 // one reply, after raw bytes that follow the request
)

// NewRequest makes an empty request.
func (m *Method) NewRequest() any { return reflect.New(m.Request).Interface() }

// NewReply makes an empty reply, or an empty item.
func (m *Method) NewReply() any { return reflect.New(m.Reply).Interface() }

// Call asks c. The reply may be of use beside an error. For Unary only.
func (m *Method) Call(ctx context.Context, c Control, request any) (reply any, err error) {
	return m.call(ctx, c, request)
}

// Open starts a stream of items at c. For Streaming only.
func (m *Method) Open(ctx context.Context, c Control, request any) (io.Closer, error) {
	return m.open(ctx, c, request)
}

// Next is the next item of a stream that Open gave.
func (m *Method) Next(stream io.Closer) (item any, err error) { return m.next(stream) }

// Items is a stream whose items are pointers to values of a method's reply type.
type Items interface {
	NextItem() (any, error)
	Close() error
}

// StreamOf is a Stream of the method's reply type that yields these items. For
// Streaming only.
func (m *Method) StreamOf(items Items) io.Closer { return m.wrap(items) }

// Allowed reports whether a caller whose certificate has these roles may ask
// this, as an error that says which role is missing.
func (m *Method) Allowed(roles []task.Role) error {
	if slices.Contains(roles, m.Role) {
		return nil
	}
	return task.Errorf(task.KindNotAllowed, "%s needs the role %s, which this node's certificate does not have", m.Name, m.Role).
		WithHint("ask whoever runs the dispatcher for an invite with that role")
}

// The first and the last number that a method may have.
const (
	firstKind = 32
	lastKind  = 87
)

var methods []*Method

// Methods lists the table, in the order of its rows. It belongs to this package.
func Methods() []*Method { return methods }

// enter adds a row. A name or number that is used twice is an error in the table
// that every start would show.
func enter(m *Method) *Method {
	if m.Kind < firstKind || m.Kind > lastKind || m.Name == "" || m.Role == "" {
		panic(fmt.Sprintf("control: the row %q with the number %d is not whole", m.Name, m.Kind))
	}
	for _, other := range methods {
		if other.Kind == m.Kind || other.Name == m.Name {
			panic(fmt.Sprintf("control: %s and %s share a name or the number %d", other.Name, m.Name, m.Kind))
		}
	}
	methods = append(methods, m)
	return m
}

// Stream yields items. Next blocks; it returns io.EOF after the last item. Close
// may be called at any time, also while Next blocks.
type Stream[T any] interface {
	Next() (T, error)
	Close() error
}

// Caller carries requests to whoever serves them.
type Caller interface {
	// Call asks and waits for the reply, which may be nil when there is an error.
	Call(ctx context.Context, m *Method, request any) (reply any, err error)
	// Open starts a stream; it is a Stream of the method's reply type.
	Open(ctx context.Context, m *Method, request any) (stream io.Closer, err error)
	// Upload sends size bytes and returns the reference of the stored content.
	Upload(ctx context.Context, m *Method, size int64, read func([]byte) (int, error)) (ref string, err error)
}

// Direct is a Caller without a connection: the function says for each request
// which Control serves it. Nothing is encoded.
type Direct func(m *Method) Control

var _ Caller = Direct(nil)

// Call asks the Control that serves the method.
func (d Direct) Call(ctx context.Context, m *Method, request any) (any, error) {
	return m.Call(ctx, d(m), request)
}

// Open starts a stream at the Control that serves the method.
func (d Direct) Open(ctx context.Context, m *Method, request any) (io.Closer, error) {
	return m.Open(ctx, d(m), request)
}

// Upload hands the reader to the Control that serves the method.
func (d Direct) Upload(ctx context.Context, m *Method, size int64, read func([]byte) (int, error)) (string, error) {
	return d(m).PutBlob(ctx, size, read)
}

// Row is a method whose types are known.
type Row[Req, Rep any] struct{ *Method }

func newRow[Req, Rep any](m Method, call func(context.Context, Control, Req) (Rep, error)) Row[Req, Rep] {
	m.Request, m.Reply = reflect.TypeFor[Req](), reflect.TypeFor[Rep]()
	m.call = func(ctx context.Context, c Control, request any) (any, error) {
		reply, err := call(ctx, c, *request.(*Req))
		return &reply, err
	}
	return Row[Req, Rep]{enter(&m)}
}

// Ask sends a request by c.
func (m Row[Req, Rep]) Ask(ctx context.Context, c Caller, r Req) (Rep, error) {
	out, err := c.Call(ctx, m.Method, &r)
	if reply, ok := out.(*Rep); ok {
		return *reply, err
	}
	var none Rep
	return none, err
}

// StreamRow is a method with items whose types are known.
type StreamRow[Req, Item any] struct{ *Method }

func newStreamRow[Req, Item any](m Method, open func(context.Context, Control, Req) (Stream[Item], error)) StreamRow[Req, Item] {
	m.Shape, m.Repeatable = Streaming, true
	m.Request, m.Reply = reflect.TypeFor[Req](), reflect.TypeFor[Item]()
	m.open = func(ctx context.Context, c Control, request any) (io.Closer, error) {
		return open(ctx, c, *request.(*Req))
	}
	m.next = func(stream io.Closer) (any, error) {
		item, err := stream.(Stream[Item]).Next()
		return &item, err
	}
	m.wrap = func(items Items) io.Closer { return typed[Item]{items} }
	return StreamRow[Req, Item]{enter(&m)}
}

// typed gives items their type.
type typed[Item any] struct{ Items }

// Next is the next item.
func (t typed[Item]) Next() (Item, error) {
	item, err := t.NextItem()
	if p, ok := item.(*Item); ok {
		return *p, err
	}
	var none Item
	return none, err
}

// Ask starts the stream by c.
func (m StreamRow[Req, Item]) Ask(ctx context.Context, c Caller, r Req) (Stream[Item], error) {
	stream, err := c.Open(ctx, m.Method, &r)
	if err != nil {
		return nil, err
	}
	return stream.(Stream[Item]), nil
}
