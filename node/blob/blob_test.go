package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func open(t testing.TB, l Limits) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "blobs"), l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t testing.TB, s *Store, content string) string {
	t.Helper()
	ref, err := s.Put(strings.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func files(t testing.TB, s *Store) (n int) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPutAndGet(t *testing.T) {
	s := open(t, Limits{})
	for _, content := range []string{"", "hello", strings.Repeat("x", 1<<20)} {
		ref := put(t, s, content)
		if again := put(t, s, content); again != ref {
			t.Errorf("put twice: %s and %s", ref, again)
		}
		r, err := s.Get(ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != content {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		_ = r.Close()
		path, err := s.Path(ref)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != int64(len(content)) {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if n := files(t, s); n != 3 || s.Used() != 5+1<<20 {
		t.Errorf("%d files with %d bytes", n, s.Used())
	}
	if _, err := s.Put(strings.NewReader("abcdef"), 3); err != nil {
		t.Errorf("the first part of a longer input: %v", err)
	}
}

func TestPutThatFailsLeavesNothing(t *testing.T) {
	s := open(t, Limits{Blob: 100, Total: 150})
	put(t, s, strings.Repeat("a", 100))
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		r    io.Reader
		size int64
		kind task.Kind
	}{
		"too short":   {strings.NewReader("abc"), 4, task.KindUsage},
		"fails":       {io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)), 4, task.KindUnavailable},
		"negative":    {nil, -1, task.KindUsage},
		"too large":   {nil, 101, task.KindTooLarge},
		"no room":     {nil, 51, task.KindDisk},
		"huge number": {nil, 1<<63 - 1, task.KindTooLarge},
	} {
		if _, err := s.Put(tt.r, tt.size); task.KindOf(err) != tt.kind {
			t.Errorf("%s: %v (%s)", name, err, task.KindOf(err))
		}
	}
	if n := files(t, s); n != 1 || s.Used() != 100 {
		t.Errorf("%d files with %d bytes", n, s.Used())
	}
}

func TestOpenCleansUp(t *testing.T) {
	s := open(t, Limits{})
	ref := put(t, s, "kept")
	if err := os.WriteFile(filepath.Join(s.dir, incoming, "half"), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.dir, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.Path(ref); err != nil || files(t, again) != 1 || again.Used() != 4 {
		t.Errorf("%v, %d files with %d bytes", err, files(t, again), again.Used())
	}
}

func TestConcurrentPuts(t *testing.T) {
	s := open(t, Limits{})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := s.Put(strings.NewReader(fmt.Sprint("content ", i%4)), 9); err != nil {
				t.Error(err)
			}
		})
	}
	for range 5 {
		wg.Go(func() {
			if _, err := s.Collect(nil, 0); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := s.Collect(nil, -time.Hour); err != nil || s.Used() != 0 || files(t, s) != 0 {
		t.Errorf("%v, %d files with %d bytes", err, files(t, s), s.Used())
	}
}

func TestCollect(t *testing.T) {
	s := open(t, Limits{})
	kept, old, fresh := put(t, s, "kept"), put(t, s, "old one"), put(t, s, "fresh")
	stranger := filepath.Join(s.dir, "README")
	if err := os.WriteFile(stranger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	for _, ref := range []string{kept, old} {
		p, _ := s.Path(ref)
		if err := os.Chtimes(p, past, past); err != nil {
			t.Fatal(err)
		}
	}
	freed, err := s.Collect(map[string]bool{kept: true, "../../etc/passwd": true}, time.Minute)
	if err != nil || freed != 7 || s.Used() != 9 {
		t.Errorf("freed %d, used %d, %v", freed, s.Used(), err)
	}
	if _, err := s.Path(old); task.KindOf(err) != task.KindNotFound {
		t.Errorf("the old one: %v", err)
	}
	for _, ref := range []string{kept, fresh} {
		if _, err := s.Path(ref); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("a file that is not ours was removed: %v", err)
	}
	// Putting old content again makes it young.
	p, _ := s.Path(kept)
	_ = os.Chtimes(p, past, past)
	put(t, s, "kept")
	if freed, _ := s.Collect(nil, time.Minute); freed != 0 {
		t.Error("what was just put again was collected")
	}
}

func TestDamage(t *testing.T) {
	s := open(t, Limits{})
	ref := put(t, s, "precious")
	p, _ := s.Path(ref)
	if err := os.WriteFile(p, []byte("precio_s"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); task.KindOf(err) != task.KindCorrupt {
		t.Errorf("a changed byte: %v", err)
	}
	_ = r.Close()
	if err := os.Truncate(p, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ref); task.KindOf(err) != task.KindCorrupt {
		t.Errorf("cut off: %v", err)
	}
	put(t, s, "precious")
	if r, err = s.Get(ref); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "precious" {
		t.Errorf("put again: %q, %v", got, err)
	}
}

func TestLinksLeadNowhere(t *testing.T) {
	s := open(t, Limits{})
	ref := put(t, s, "content")
	p, _ := s.Path(ref)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(p), os.Symlink(secret, p)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Path(ref); task.KindOf(err) != task.KindNotFound {
		t.Errorf("a link: %v", err)
	}
	dir := filepath.Dir(p)
	outside := t.TempDir()
	if err := errors.Join(os.RemoveAll(dir), os.Symlink(outside, dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(strings.NewReader("content"), 7); err == nil {
		t.Error("stored through a link that leaves the store")
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("written outside: %v", left)
	}
}

// link is a pair of stores with one stream between them.
func link(t *testing.T, from *Store, spoil func([]byte)) func(context.Context) (wire.Stream, error) {
	return func(ctx context.Context) (wire.Stream, error) {
		a, b := net.Pipe()
		go func() { _ = from.Serve(ctx, wire.NewConn(spoiled{b, spoil}, wire.LimitAfter)) }()
		return wire.NewConn(a, wire.LimitAfter), nil
	}
}

type spoiled struct {
	net.Conn
	spoil func([]byte)
}

func (s spoiled) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	s.spoil(p)
	return s.Conn.Write(p)
}

func TestFetch(t *testing.T) {
	from := open(t, Limits{})
	ref := put(t, from, strings.Repeat("data ", 100_000))
	to := open(t, Limits{})
	fine := link(t, from, func([]byte) {})
	for range 2 {
		p, err := to.Fetch(t.Context(), ref, fine)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(p); err != nil || len(got) != 500_000 {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		fine = nil // the second time nothing is asked
	}
	missing := strings.Repeat("0", 64) + ":5"
	if _, err := to.Fetch(t.Context(), missing, link(t, from, func([]byte) {})); task.KindOf(err) != task.KindNotFound {
		t.Errorf("missing: %v", err)
	}
	if _, err := to.Fetch(t.Context(), "../x", nil); task.KindOf(err) != task.KindUsage {
		t.Errorf("no reference: %v", err)
	}
	if _, err := to.Fetch(t.Context(), strings.Repeat("0", 64)+":99999999999999", nil); task.KindOf(err) != task.KindTooLarge {
		t.Errorf("too large: %v", err)
	}
	other := open(t, Limits{})
	bad := link(t, from, func(p []byte) {
		if len(p) > 1000 {
			p[500] ^= 1
		}
	})
	if _, err := other.Fetch(t.Context(), ref, bad); task.KindOf(err) != task.KindCorrupt {
		t.Errorf("changed on the way: %v", err)
	}
	if files(t, other) != 0 || other.Used() != 0 {
		t.Error("something of it was kept")
	}
}

func TestServeCutsOffDamage(t *testing.T) {
	from, to := open(t, Limits{}), open(t, Limits{})
	ref := put(t, from, "0123456789")
	p, _ := from.Path(ref)
	if err := os.WriteFile(p, []byte("012345678_"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := to.Fetch(t.Context(), ref, link(t, from, func([]byte) {})); err == nil || files(t, to) != 0 {
		t.Errorf("damaged content arrived: %v", err)
	}
}

func FuzzParseRef(f *testing.F) {
	f.Add("")
	f.Add(Ref{Size: 5}.String())
	f.Add(strings.Repeat("ab", 32) + ":05")
	f.Add(strings.Repeat("AB", 32) + ":5")
	f.Add("../../../../etc/passwd:1")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			return
		}
		if r.String() != s || r.Size < 0 {
			t.Fatalf("%q is %q", s, r)
		}
		if _, file := r.path(); !filepath.IsLocal(file) || !isBlob(file) {
			t.Fatalf("%q leads to %q", s, file)
		}
	})
}
