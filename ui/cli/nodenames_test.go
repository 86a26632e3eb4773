package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// Nodes of the same name, which strangers may have, are told apart.
func TestNodesOfTheSameNameShowTheirIDs(t *testing.T) {
	rows := nodeTable([]control.Node{
		{ID: "aaaaaaaabbbb", Name: "mill", State: control.NodeAsks},
		{ID: "ccccccccdddd", Name: "mill", State: control.NodeAsks},
		{ID: "eeeeeeeeffff", Name: "barn", State: control.NodeUp},
	}, time.Now()).rows
	for i, want := range []string{"mill aaaaaaaa", "mill cccccccc", "barn"} {
		if got := strings.TrimSpace(rows[i][0]); got != want {
			t.Errorf("row %d is %q, not %q", i, got, want)
		}
	}
}
