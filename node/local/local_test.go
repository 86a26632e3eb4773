//go:build unix

package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// home is a folder that only we can use, as a node's is.
func home(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "o")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func key(b byte) Key { return Key{0: b, 31: b} }

// echo answers every Enrol with its name.
func echo(ctx context.Context, p Purpose, s wire.Stream, who Peer) {
	_ = ServeEnrol(ctx, s, func(_ context.Context, e wire.Enrol) (wire.Enrolled, error) {
		if e.Name == "bad" {
			return wire.Enrolled{}, task.Errorf(task.KindConflict, "no room for %s", e.Name).WithHint("leave")
		}
		return wire.Enrolled{Name: e.Name, Cluster: string(p), Dispatcher: who.User}, nil
	})
}

// run starts a listener and ends it with the test.
func run(t testing.TB, p Place, k Key) *Listener {
	t.Helper()
	l, err := Listen(p, k)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- l.Run(ctx, echo) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(l.Address()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return l
}

func TestRoundTrip(t *testing.T) {
	short, long := home(t), home(t)
	for range 4 {
		long = filepath.Join(long, strings.Repeat("long", 10))
	}
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Place{
		"in the node's folder":          {Dir: short, N: 3},
		"in a folder with a long name":  {Dir: long, N: 3},
		"in the folder for sockets":     {Runtime: filepath.Join(home(t), "octaskly"), Dir: short, N: 4},
		"in a long folder for sockets":  {Runtime: filepath.Join(long, "octaskly"), Dir: short, N: 5},
		"no such folder for sockets":    {Runtime: "/nonexistent/octaskly", Dir: short, N: 6},
		"relative folder for sockets":   {Runtime: "octaskly", Dir: short, N: 7},
		"folder for sockets of another": {Runtime: "/octaskly-test-in-a-folder-that-is-open", Dir: short, N: 8},
	} {
		t.Run(name, func(t *testing.T) {
			l := run(t, p, key(1))
			out, err := Enrol(t.Context(), l.Address(), key(1), wire.Enrol{Name: "mill"})
			if err != nil || out.Name != "mill" || out.Cluster != "enrol" || out.Dispatcher != strconv.Itoa(os.Geteuid()) {
				t.Errorf("got %+v, %v", out, err)
			}
			_, err = Enrol(t.Context(), l.Address(), key(1), wire.Enrol{Name: "bad"})
			if task.KindOf(err) != task.KindConflict || task.HintOf(err) != "leave" {
				t.Errorf("a refusal: %v, hint %q", err, task.HintOf(err))
			}
			if info, err := os.Lstat(l.Address()); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the socket: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestKeyMustMatch(t *testing.T) {
	l := run(t, Place{Dir: home(t), N: 1}, key(1))
	_, err := Dial(t.Context(), l.Address(), key(2), Ask)
	if task.KindOf(err) != task.KindNotAllowed || !strings.Contains(err.Error(), "key") {
		t.Errorf("another key: %v", err)
	}
	_, err = Dial(t.Context(), l.Address(), key(1), "play")
	if task.KindOf(err) != task.KindUsage {
		t.Errorf("an unknown purpose: %v", err)
	}
}

// Somebody of our own user who does not know the key listens in the place of a
// node: the dialler notices.
func TestListenerMustKnowTheKey(t *testing.T) {
	for name, answer := range map[string]func(s wire.Stream, p wire.LocalProof) error{
		"a proof without the key": func(s wire.Stream, p wire.LocalProof) error {
			return s.Send(wire.LocalWelcome{Proof: key(9).proof(listener, p.Nonce, make([]byte, nonceLen), p.Purpose)})
		},
		"our own proof back": func(s wire.Stream, p wire.LocalProof) error { return s.Send(wire.LocalWelcome{Proof: p.Proof}) },
		"no proof":           func(s wire.Stream, _ wire.LocalProof) error { return s.Send(wire.LocalWelcome{}) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(home(t), "1.sock")
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				s := wire.NewConn(c, wire.LimitBefore)
				_ = s.Send(wire.LocalHello{Version: version, Nonce: make([]byte, nonceLen)})
				if p, err := wire.Recv1[wire.LocalProof](s); err == nil {
					_ = answer(s, p)
				}
			}()
			if _, err := Dial(t.Context(), path, key(1), Ask); task.KindOf(err) != task.KindNotAllowed {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWhatIsInTheWay(t *testing.T) {
	sock := func(dir string) string { return filepath.Join(dir, "1.sock") }
	for name, tt := range map[string]struct {
		prepare func(dir string) error
		want    string
	}{
		"a symbolic link": {func(d string) error { return os.Symlink("/tmp/elsewhere", sock(d)) }, "symbolic link"},
		"a file":          {func(d string) error { return os.WriteFile(sock(d), nil, 0o600) }, "ordinary file"},
		"a folder":        {func(d string) error { return os.Mkdir(sock(d), 0o700) }, "a folder"},
		"an open folder":  {func(d string) error { return os.Chmod(d, 0o770) }, "open to other users"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := home(t)
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Listen(Place{Dir: dir, N: 1}, key(1))
			if err == nil || !strings.Contains(err.Error(), tt.want) || task.HintOf(err) == "" {
				t.Errorf("got %v, hint %q", err, task.HintOf(err))
			}
		})
	}
	t.Run("a link in place of the folder for sockets", func(t *testing.T) {
		base, elsewhere := home(t), home(t)
		if err := os.Symlink(elsewhere, filepath.Join(base, "octaskly")); err != nil {
			t.Fatal(err)
		}
		_, err := Listen(Place{Runtime: filepath.Join(base, "octaskly"), Dir: home(t), N: 1}, key(1))
		if err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("dialling what is no socket", func(t *testing.T) {
		dir := home(t)
		if err := os.WriteFile(sock(dir), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Dial(t.Context(), sock(dir), key(1), Ask); task.KindOf(err) != task.KindNotAllowed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		if _, err := Dial(t.Context(), sock(home(t)), key(1), Ask); task.KindOf(err) != task.KindNoDispatcher {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeadAndLivingSockets(t *testing.T) {
	dir, runtime := home(t), filepath.Join(home(t), "octaskly")
	if err := os.Mkdir(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(runtime, "1.sock")})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	if _, err := Dial(t.Context(), filepath.Join(runtime, "1.sock"), key(1), Ask); task.KindOf(err) != task.KindNoDispatcher {
		t.Errorf("dialling a dead one: %v", err)
	}
	first := run(t, Place{Runtime: runtime, Dir: dir, N: 1}, key(1))
	if filepath.Dir(first.Address()) != runtime {
		t.Errorf("a dead node's socket was not replaced: %s", first.Address())
	}
	other := home(t)
	second := run(t, Place{Runtime: runtime, Dir: other, N: 1}, key(1))
	if filepath.Dir(second.Address()) != other {
		t.Errorf("a living node lost its socket to %s", second.Address())
	}
	if _, err := Listen(Place{Dir: other, N: 1}, key(1)); task.KindOf(err) != task.KindConflict {
		t.Errorf("a third one: %v", err)
	}
	nodes := home(t)
	if err := os.Mkdir(filepath.Join(nodes, "2"), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, Place{Dir: filepath.Join(nodes, "2"), N: 2}, key(1))
	for _, junk := range []string{"x.sock", "3.socket", "5"} {
		if err := os.WriteFile(filepath.Join(runtime, junk), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := Find(runtime, nodes)
	if len(found) != 2 || found[0] != (Address{1, first.Address()}) || found[1].N != 2 {
		t.Errorf("found %+v", found)
	}
}

func TestRunEndsWithItsConnections(t *testing.T) {
	l, err := Listen(Place{Dir: home(t), N: 1}, key(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done, serving := make(chan error), make(chan bool)
	go func() {
		done <- l.Run(ctx, func(_ context.Context, _ Purpose, s wire.Stream, _ Peer) {
			serving <- true
			_, _ = s.Recv()
		})
	}()
	s, err := Dial(t.Context(), l.Address(), key(1), Ask)
	if err != nil {
		t.Fatal(err)
	}
	<-serving
	silent, err := net.Dial("unix", l.Address()) // never answers the challenge
	if err != nil {
		t.Fatal(err)
	}
	if _, err := silent.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := s.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the client saw %v", err)
	}
}

func TestKeyFile(t *testing.T) {
	file := filepath.Join(home(t), "state", "local.key")
	if _, err := ReadKey(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key yet: %v", err)
	}
	keys := make([]Key, 20)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKey(file); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == (Key{}) {
			t.Fatal("two processes have different keys")
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if s := fmt.Sprint(keys[0], keys); strings.Contains(s, fmt.Sprint(keys[0][5])+" ") {
		t.Error("a key shows itself")
	}
	for _, spoil := range []func() error{
		func() error { return os.Chmod(file, 0o640) },
		func() error { return errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, []byte("123"), 0o600)) },
		func() error { return errors.Join(os.Remove(file), os.Symlink("/dev/zero", file)) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKey(file); err == nil || task.HintOf(err) == "" {
			t.Errorf("got %v, hint %q", err, task.HintOf(err))
		}
	}
}

func TestSilentNode(t *testing.T) {
	path := filepath.Join(home(t), "1.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, limit := range []time.Duration{0, 10 * time.Millisecond} { // before it is connected, and after
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if _, err := Dial(ctx, path, key(1), Ask); task.KindOf(err) != task.KindTimeout {
			t.Errorf("within %s: %v", limit, err)
		}
		cancel()
	}
}

// bytesConn gives what it was told and swallows what it is given.
type bytesConn struct {
	net.Conn
	r io.Reader
}

func (c bytesConn) Read(p []byte) (int, error)  { return c.r.Read(p) }
func (c bytesConn) Write(p []byte) (int, error) { return len(p), nil }

func FuzzAccept(f *testing.F) {
	good, _ := wire.Append(nil, wire.LocalProof{Nonce: make([]byte, nonceLen), Purpose: "rpc", Proof: make([]byte, 32)})
	f.Add(good)
	f.Add([]byte{0, 0, 0, 6, 81, 0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := wire.NewConn(bytesConn{r: bytes.NewReader(b)}, wire.LimitBefore)
		s.Restrict(wire.StreamRPC, wire.Opener)
		if _, err := key(1).accept(s); err == nil {
			t.Fatal("admitted without the key")
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("00")
	f.Add(strings.Repeat("aB", 32) + "\n")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := ParseKey(s); err == nil && len(strings.TrimSpace(s)) != 2*len(Key{}) {
			t.Fatal("a key of another length")
		}
	})
}

func BenchmarkDial(b *testing.B) {
	l := run(b, Place{Dir: home(b), N: 1}, key(1))
	for b.Loop() {
		s, err := Dial(b.Context(), l.Address(), key(1), Ask)
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
