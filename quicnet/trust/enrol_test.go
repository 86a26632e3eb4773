package trust

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func TestParseCode(t *testing.T) {
	for in, want := range map[string]string{
		"K7QM-3XPA": "K7QM-3XPA", "k7qm3xpa": "K7QM-3XPA", " k7 qm 3x pa \n": "K7QM-3XPA", "K-7-Q-M-3-X-P-A": "K7QM-3XPA",
		"OIL0-1111": "0110-1111", "oilo1lio": "0110-1110", "OCT1-AAAA": "0CT1-AAAA",
		"oct1-abcdefgh-01234567890123456789012345": "OCT1-ABCDEFGH-01234567890123456789012345",
		"OCT1ABCDEFGH01234567890123456789012345":   "OCT1-ABCDEFGH-01234567890123456789012345",
	} {
		c, err := ParseCode(in)
		if err != nil || c.Text() != want {
			t.Errorf("%q: %q, %v", in, c.Text(), err)
		}
	}
	for in, say := range map[string]string{
		"": "this has 0", "K7QM-3XP": "this has 7", "K7QM-3XPAA": "this has 9", "K7QM-3XPU": "'U'", "K7QM-3XP!": "'!'", "K7QM–3XPA": "'–'",
		"ÄBCDEFGH": "'Ä'", "OCT1-ABCDEFGH-0123": "this has 16", strings.Repeat("A", 500): "this has 500", "K7QM_3XPA": "'_'",
	} {
		c, err := ParseCode(in)
		if task.KindOf(err) != task.KindUsage || !strings.Contains(err.Error(), say) || task.HintOf(err) == "" {
			t.Errorf("%q: %q, %v", in, c.Text(), err)
		}
		if len(in) > 6 && strings.Contains(err.Error(), in[:6]) {
			t.Errorf("the error repeats what was typed: %v", err)
		}
	}
}

func TestCodesAreNotPrinted(t *testing.T) {
	short, err1 := NewCode()
	long, err2 := NewInvite()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for _, c := range []Code{short, long} {
		again, err := ParseCode(strings.ToLower(c.Text()))
		if err != nil || !again.Equal(c) || again.Long() != c.Long() {
			t.Fatal(again, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("code", "code", c)
		for _, s := range []string{c.String(), fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), log.String()} {
			if strings.Contains(s, c.secret) || strings.Contains(s, c.secret[:4]) {
				t.Errorf("%q shows the secret of %s", s, c.Text())
			}
		}
	}
}

func binding(t *testing.T) JoinBinding {
	t.Helper()
	a, _ := NewIdentity()
	b, _ := NewIdentity()
	return JoinBinding{Exporter: bytes.Repeat([]byte{7}, 32), Cluster: "c", Joiner: a.Public(), Admitter: b.Public(), Transcript: []byte("t")}
}

// Everything that a proof is bound to changes it.
func TestProofsAreBound(t *testing.T) {
	other, _ := NewIdentity()
	code, _ := NewInvite() // a long code, to be quick
	b := binding(t)
	p, err := ProveJoin(code, b)
	if err != nil {
		t.Fatal(err)
	}
	same, _ := ProveJoin(code, b)
	if !same.Check(Joiner, p.Of(Joiner)) || !same.Check(Admitter, p.Of(Admitter)) {
		t.Error("the same does not give the same")
	}
	if p.Check(Joiner, p.Of(Admitter)) || p.Check(Admitter, p.Of(Joiner)) || p.Check("", p.Of(Joiner)) || p.Check(Joiner, nil) {
		t.Error("a proof of one side, or none, passes for the other's")
	}
	wrong, _ := NewInvite()
	wrong.id = code.id
	for name, change := range map[string]func(*Code, *JoinBinding){
		"code":       func(c *Code, _ *JoinBinding) { *c = wrong },
		"public id":  func(c *Code, _ *JoinBinding) { c.id = "00000000" },
		"connection": func(_ *Code, b *JoinBinding) { b.Exporter = bytes.Repeat([]byte{8}, 32) },
		"cluster":    func(_ *Code, b *JoinBinding) { b.Cluster = "d" },
		"joiner":     func(_ *Code, b *JoinBinding) { b.Joiner = other.Public() },
		"admitter":   func(_ *Code, b *JoinBinding) { b.Admitter = other.Public() },
		"swapped":    func(_ *Code, b *JoinBinding) { b.Joiner, b.Admitter = b.Admitter, b.Joiner },
		"transcript": func(_ *Code, b *JoinBinding) { b.Transcript = nil },
	} {
		c, changed := code, b
		change(&c, &changed)
		q, err := ProveJoin(c, changed)
		if err != nil {
			t.Fatal(err)
		}
		if q.Check(Joiner, p.Of(Joiner)) || q.Check(Admitter, p.Of(Admitter)) {
			t.Errorf("another %s gives the same proof", name)
		}
	}
	if _, err := ProveJoin(Code{}, b); err == nil {
		t.Error("a proof without a code")
	}
	b.Exporter = nil
	if _, err := ProveJoin(code, b); err == nil {
		t.Error("a proof without a connection")
	}
}

func TestShortCodesAreSalted(t *testing.T) {
	code, _ := NewCode()
	b := binding(t)
	p, err := ProveJoin(code, b)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := ParseCode(strings.ToLower(code.Text()))
	if q, _ := ProveJoin(again, b); !q.Check(Joiner, p.Of(Joiner)) {
		t.Error("the same code, typed, gives another proof")
	}
	b.Exporter = bytes.Repeat([]byte{9}, 32)
	if q, _ := ProveJoin(code, b); q.Check(Joiner, p.Of(Joiner)) {
		t.Error("the connection does not matter")
	}
}

func TestTries(t *testing.T) {
	var tr Tries
	at := time.Unix(1e9, 0)
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	if w := tr.Take(a, at); w != 0 {
		t.Fatal(w)
	}
	if w := tr.Take(a, at.Add(100*time.Millisecond)); w != 900*time.Millisecond {
		t.Error("the same address again:", w)
	}
	if w := tr.Take(b, at.Add(100*time.Millisecond)); w != 0 {
		t.Error("another address:", w)
	}
	if w := tr.Take(a, at.Add(time.Second)); w != 0 {
		t.Error("a second later:", w)
	}
	// From many addresses: five at once, then five a second.
	tr = Tries{}
	granted := 0
	for i := range 10_000 {
		src := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if tr.Take(src, at.Add(time.Duration(i)*time.Millisecond)) == 0 {
			granted++
		}
	}
	if granted < 50 || granted > 55 {
		t.Errorf("%d tries in ten seconds", granted)
	}
	if len(tr.sources) > maxSources {
		t.Errorf("%d addresses are remembered", len(tr.sources))
	}
	// A stranger who tries all the time from one address leaves room for another.
	tr = Tries{}
	for i := range 100 {
		now := at.Add(time.Duration(i) * 10 * time.Millisecond)
		tr.Take(a, now)
		if i == 99 && tr.Take(b, now) != 0 {
			t.Error("kept out by another address")
		}
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"K7QM-3XPA", "oct1-abcdefgh-01234567890123456789012345", "", "----", "K7QM 3XP\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			return
		}
		again, err := ParseCode(c.Text())
		if err != nil || !again.Equal(c) {
			t.Fatalf("%q is read as %q, that as %q: %v", s, c.Text(), again.Text(), err)
		}
	})
}
