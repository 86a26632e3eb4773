package wire

import (
	"errors"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func TestNegotiate(t *testing.T) {
	for _, c := range []struct {
		ours, theirs [2]uint16
		want         uint16 // 0: refused
		older        string
	}{
		{[2]uint16{1, 1}, [2]uint16{1, 1}, 1, ""},
		{[2]uint16{1, 3}, [2]uint16{2, 5}, 3, ""},
		{[2]uint16{2, 5}, [2]uint16{1, 3}, 3, ""},
		{[2]uint16{1, 9}, [2]uint16{4, 4}, 4, ""},
		{[2]uint16{1, 2}, [2]uint16{3, 4}, 0, "mill"},
		{[2]uint16{3, 4}, [2]uint16{1, 2}, 0, "kiln"},
	} {
		ours := Hello{Min: c.ours[0], Max: c.ours[1], Name: "mill", Build: "0.9"}
		theirs := Hello{Min: c.theirs[0], Max: c.theirs[1], Name: "kiln", Build: "1.4"}
		got, err := Negotiate(ours, theirs)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%v with %v: %d, %v", c.ours, c.theirs, got, err)
		}
		if c.want != 0 {
			continue
		}
		for _, word := range []string{"mill (octaskly 0.9)", "kiln (octaskly 1.4)", window(ours), window(theirs)} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
		if hint := task.HintOf(err); !strings.Contains(hint, c.older) || task.KindOf(err) != task.KindConflict {
			t.Errorf("%q should name %s as the older one", hint, c.older)
		}
	}
}

func TestHelloThatIsRefused(t *testing.T) {
	good := Hello{Min: 1, Max: 1, Kind: PeerNode}
	if err := good.Valid(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 200)
	for name, change := range map[string]func(*Hello){
		"no version":      func(h *Hello) { h.Min = 0 },
		"reversed window": func(h *Hello) { h.Min = 2 },
		"no kind":         func(h *Hello) { h.Kind = "" },
		"other kind":      func(h *Hello) { h.Kind = "god" },
		"long name":       func(h *Hello) { h.Name = long },
		"long boot":       func(h *Hello) { h.Boot = long },
		"long address":    func(h *Hello) { h.Addrs = []string{long} },
		"many addresses":  func(h *Hello) { h.Addrs = make([]string, 17) },
		"many roles":      func(h *Hello) { h.Plays = make([]task.Role, 9) },
		"role that is no": func(h *Hello) { h.Plays = []task.Role{"a\x00"} },
		"escape in name":  func(h *Hello) { h.Name = "a\x1b[2J" },
		"newline in name": func(h *Hello) { h.Name = "a\nb" },
		"broken utf-8":    func(h *Hello) { h.Name = "a\xff" },
		"space in addr":   func(h *Hello) { h.Addrs = []string{"1.2.3.4:5 x"} },
	} {
		h := good
		change(&h)
		if err := h.Valid(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzHello(f *testing.F) {
	f.Add(frameOf(f, samples()[0]).Body)
	f.Add(frameOf(f, Hello{Min: 1, Max: 2, Kind: PeerNode, Name: "mill-01"}).Body)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxHello || Check(b) != nil {
			return
		}
		var h Hello
		if Decode(Frame{Kind: KindHello, Body: b}, &h) != nil || h.Valid() != nil {
			return
		}
		if strings.ContainsFunc(h.Name, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("%q is a name", h.Name)
		}
		again, err := Append(nil, h)
		if err != nil || len(again) > maxHello+headerLen {
			t.Fatalf("cannot be sent on: %d bytes, %v", len(again), err)
		}
		_, _ = Negotiate(Hello{Min: MinVersion, Max: MaxVersion}, h)
	})
}
