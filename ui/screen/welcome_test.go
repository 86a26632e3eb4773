package screen

import (
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// A computer alone is offered to become the dispatcher first; where one is
// heard, to join it.
func TestWelcomeKnowsWhoDispatches(t *testing.T) {
	th, _ := theme.Builtin("mono", true)
	k, err := scene.NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		nodes      []control.Node
		want, none string
	}{
		{nil, "none on this network", "how to join"},
		{[]control.Node{{ID: "a", Name: "mill-01", State: control.NodeForeign, Doing: []string{"dispatcher"}}}, "how to join mill-01", "none on this network"},
		{[]control.Node{{ID: "a", Name: "nas", State: control.NodeAsks}}, "none on this network", "how to join"},
	} {
		m := New(theme.NewStyles(th, theme.Mono, true), k, scene.Options{})
		for _, size := range [][2]int{{60, 15}, {80, 24}, {120, 35}} {
			m.Resize(size[0], size[1])
			m.See(&scene.Snapshot{Link: scene.Link{State: scene.Live}, Nodes: append([]control.Node{{ID: "self", Name: "lap", Self: true}}, c.nodes...)})
			s := strings.Join(m.View(), "\n")
			if !strings.Contains(s, c.want) || strings.Contains(s, c.none) {
				t.Errorf("%v, %v:\n%s", size, c.nodes, s)
			}
			m.act("promote")
			apart := strings.Contains(strings.Join(m.View(), "\n"), "mill-01 keeps a cluster")
			m.view.Dialogs = nil
			if apart != (c.want != "none on this network") {
				t.Errorf("%v, %v: promoting it says that there is another: %v", size, c.nodes, apart)
			}
		}
	}
}
