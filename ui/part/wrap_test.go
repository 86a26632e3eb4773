package part

import "testing"

func TestWrap(t *testing.T) {
	for _, w := range []int{1, 5, 12, 40} {
		for _, ln := range Wrap("a few words and averyveryverylongoneindeed 名前名前名前 end", w) {
			if n := len([]rune(ln)); n > w {
				t.Errorf("%d: %q", w, ln)
			}
		}
	}
}
