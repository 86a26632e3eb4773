package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// fake is a cluster that does what its fields say. What a test does not set
// up panics, because nobody should have asked for it.
type fake struct {
	control.Control // nil: whatever is not below must not be asked

	mu      sync.Mutex
	tasks   []control.NewTask
	blobs   map[string]int64
	stored  int
	cancels []control.CancelRequest
	nodes   []control.Node
	calls   []string

	hold   func() // called before a submit is answered
	submit func(control.SubmitRequest) (control.SubmitReply, error)
	follow func(control.FollowRequest) (control.Follower, error)
	cancel func(control.CancelRequest)
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// Submit numbers tasks from 1.
func (f *fake) Submit(_ context.Context, r control.SubmitRequest) (control.SubmitReply, error) {
	f.note("submit")
	if f.hold != nil {
		f.hold()
	}
	if f.submit != nil {
		return f.submit(r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var reply control.SubmitReply
	for _, t := range r.Tasks {
		f.tasks = append(f.tasks, t)
		reply.Results = append(reply.Results, control.Submitted{ID: task.ID(len(f.tasks))})
	}
	return reply, nil
}

// PutBlob remembers the size.
func (f *fake) PutBlob(_ context.Context, size int64, read func([]byte) (int, error)) (string, error) {
	n, err := io.Copy(io.Discard, readFunc(read))
	if err != nil {
		return "", err
	}
	ref := strings.Repeat("0", 64) + ":1"
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blobs == nil {
		f.blobs = map[string]int64{}
	}
	f.blobs[ref] = n
	f.stored++
	if n != size {
		return "", io.ErrUnexpectedEOF
	}
	return ref, nil
}

type readFunc func([]byte) (int, error)

func (r readFunc) Read(p []byte) (int, error) { return r(p) }

// Get gives back what was submitted, done.
func (f *fake) Get(_ context.Context, id task.ID) (task.Task, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if int(id) > len(f.tasks) {
		return task.Task{}, task.Errorf(task.KindNotFound, "there is no task %s", id)
	}
	return task.Task{ID: id, Spec: f.tasks[id-1].Spec, State: task.Done}, nil
}

// Cancel notes the request.
func (f *fake) Cancel(_ context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	f.mu.Lock()
	f.cancels = append(f.cancels, r)
	f.mu.Unlock()
	if f.cancel != nil {
		f.cancel(r)
	}
	out := make([]control.CancelReply, len(r.IDs))
	for i, id := range r.IDs {
		out[i] = control.CancelReply{ID: id, State: task.Running}
	}
	return out, nil
}

// Nodes gives the nodes.
func (f *fake) Nodes(context.Context) ([]control.Node, error) { return f.nodes, nil }

// Follow asks the test.
func (f *fake) Follow(_ context.Context, r control.FollowRequest) (control.Follower, error) {
	f.note("follow")
	return f.follow(r)
}

// feed is a Follower that gives what is sent to it.
type feed struct {
	items  chan control.FollowItem
	err    error // after the last item
	once   sync.Once
	closed chan struct{}
}

func newFeed(err error, items ...control.FollowItem) *feed {
	f := &feed{items: make(chan control.FollowItem, 16), err: err, closed: make(chan struct{})}
	for _, i := range items {
		f.items <- i
	}
	return f
}

func (f *feed) Next() (control.FollowItem, error) {
	select {
	case i, ok := <-f.items:
		if !ok {
			return control.FollowItem{}, f.err
		}
		return i, nil
	case <-f.closed:
		return control.FollowItem{}, io.ErrClosedPipe
	}
}

func (f *feed) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

// end makes the feed end after what was sent.
func (f *feed) end() *feed {
	close(f.items)
	return f
}

func state(s task.State, exit task.Exit) control.FollowItem {
	return control.FollowItem{Task: &task.Task{ID: 1, State: s, Attempts: []task.Attempt{{Exit: exit}}}}
}

func output(attempt uint32, stream uint8, text string) control.FollowItem {
	return control.FollowItem{Chunks: []control.Chunk{{Attempt: attempt, Stream: stream, Data: []byte(text)}}}
}

// buffer is a bytes.Buffer for several goroutines, which tells when something
// was written.
type buffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{}
}

func newBuffer() *buffer { return &buffer{written: make(chan struct{}, 1)} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.written <- struct{}{}:
	default:
	}
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// waitFor returns when part was written.
func (b *buffer) waitFor(t *testing.T, part string) {
	t.Helper()
	for !strings.Contains(b.String(), part) {
		select {
		case <-b.written:
		case <-t.Context().Done():
			t.Fatalf("%q was not written, but %q", part, b.String())
		case <-time.After(time.Minute):
			t.Fatalf("%q was not written, but %q", part, b.String())
		}
	}
}

// session is one run of the program against a fake.
type session struct {
	out, err *buffer
	signals  chan os.Signal
	program  Program
}

func newSession(f control.Control, args ...string) *session {
	s := &session{out: newBuffer(), err: newBuffer(), signals: make(chan os.Signal)}
	s.program = Program{
		Args: args, Stdin: strings.NewReader(""), Stdout: s.out, Stderr: s.err, Environ: []string{"PATH=/bin"},
		Paths: config.Paths{File: "/nowhere/config.toml", Data: "/nowhere/octaskly"}, Signals: s.signals,
		Dial: func(context.Context, *config.Loaded) (control.Control, io.Closer, error) {
			if f == nil {
				return nil, nil, task.Errorf(task.KindNoDispatcher, "no dispatcher found")
			}
			return f, nil, nil
		},
	}
	return s
}

func (s *session) run() int { return Main(s.program) }

// try runs a command line to its end.
func try(t *testing.T, f control.Control, args ...string) (code int, out, err string) {
	t.Helper()
	s := newSession(f, args...)
	code = s.run()
	return code, s.out.String(), s.err.String()
}

func has(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s %q lacks %q", what, text, p)
		}
	}
}
