package dialog

import (
	"testing"
)

func TestJoinCode(t *testing.T) {
	for in, want := range map[string]string{"k7qm-3xpa": "K7QM-3XPA", "K7QM3XPA": "K7QM-3XPA", "kOqm-ilpa": "K0QM-11PA", " k7 qm 3x pa": "K7QM-3XPA"} {
		if got, err := JoinCode(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"", "K7QM", "K7QM-3XPU", "K7QM-3XPA-1", "名前名前"} {
		if _, err := JoinCode(in); err == nil {
			t.Errorf("%q passed", in)
		}
	}
}
