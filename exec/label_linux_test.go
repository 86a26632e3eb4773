package exec

import (
	"math/bits"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLabelsAreHandedOn(t *testing.T) {
	r := testRunner(t)
	if !r.labels.on {
		t.Skip("no labels can be given here")
	}
	for _, l := range []Level{None, Basic} {
		needLevels(t, l)
		res, c := do(t, Spec{Shell: "setsid env -i cat /proc/self/limits", Level: l})
		if got := labelIn([]byte(c.out.String())); got&^commandMask != r.labels.root || got == r.labels.root {
			t.Errorf("%s: label %#x, those here begin with %#x (%+v)", l, got, r.labels.root, res)
		}
	}
	if own := r.labels.of(0); own != 0 {
		t.Errorf("this process has the label %#x itself", own)
	}
}

func TestLabelIn(t *testing.T) {
	const head = "Limit                     Soft Limit           Hard Limit           Units     \n"
	for text, want := range map[string]uint64{
		head + "Max realtime timeout      4611686018427387905  unlimited            us        \n": 1<<62 + 1,
		head + "Max realtime timeout      unlimited            unlimited            us        \n": 0,
		head + "Max realtime timeout": 0,
		"":                            0,
	} {
		if got := labelIn([]byte(text)); got != want {
			t.Errorf("%q gives %#x, want %#x", text, got, want)
		}
	}
}

// A label must look unlike no limit, and a Runner's unlike another's.
func TestLabelsAreLimitsThatNeverBite(t *testing.T) {
	a, b := openLabels("/a"), openLabels("/b")
	for _, l := range []*labels{a, b} {
		last := l.root | commandMask
		if bits.UintSize == 64 && (last >= unix.RLIM_INFINITY || l.root < 1<<62) {
			t.Errorf("labels from %#x to %#x", l.root, last)
		}
	}
	if a.root == b.root || a.root&commandMask != 0 {
		t.Errorf("labels begin with %#x and %#x", a.root, b.root)
	}
}
