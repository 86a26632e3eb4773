package part

import (
	"fmt"
	"strings"
	"testing"
)

// Every buffer counts its versions from zero, so two tasks that wrote in as
// many pieces have the same version; each must be shown its own lines.
func TestLogViewShowsTheBufferItIsGiven(t *testing.T) {
	s, view := styles(t), LogView{Follow: true}
	for i := range 5 {
		buffer := NewLogBuffer()
		buffer.Add(1, 0, fmt.Appendf(nil, "output of task %d\n", i))
		drawn := strings.Join(view.Draw(s, buffer, 40, 3), "\n")
		if want := fmt.Sprintf("output of task %d", i); !strings.Contains(drawn, want) {
			t.Errorf("the view of buffer %d shows %q, want %q in it", i, strings.TrimSpace(Clean(drawn)), want)
		}
	}
}
