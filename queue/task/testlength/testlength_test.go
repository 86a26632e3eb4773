package testlength

import "testing"

func TestLengths(t *testing.T) {
	for _, c := range []struct{ gate, long, want string }{
		{"", "", "plain"},
		{"1", "", "gate"},
		{"", "1", "long"},
		{"1", "1", "long"},
	} {
		t.Setenv("OCTASKLY_GATE", c.gate)
		t.Setenv("OCTASKLY_LONG", c.long)
		if got := Of("plain", "gate", "long"); got != c.want {
			t.Errorf("gate %q, long %q: %s, want %s", c.gate, c.long, got, c.want)
		}
	}
}

func TestSkips(t *testing.T) {
	t.Setenv("OCTASKLY_GATE", "")
	t.Setenv("OCTASKLY_LONG", "")
	for name, skip := range map[string]func(testing.TB){"Gate": Gate, "Long": Long} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if !t.Skipped() {
					t.Error("a plain run does it too")
				}
			}()
			skip(t)
		})
	}
}
