package node

import (
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/member"
)

// TestPairingCodeIsRenewed: a code that is shown is good for at least a minute
// more, and is the same until then.
func TestPairingCodeIsRenewed(t *testing.T) {
	var p pairing
	begin := time.Now()
	first, fresh, err := p.current(begin)
	if err != nil || !fresh || first.Zero() {
		t.Fatalf("the first: fresh %v, %v", fresh, err)
	}
	if again, fresh, _ := p.current(begin.Add(member.ShortLife - renewBefore - time.Second)); fresh || !again.Equal(first) {
		t.Error("it changed while it was good")
	}
	if next, fresh, _ := p.current(begin.Add(member.ShortLife - renewBefore)); !fresh || next.Equal(first) {
		t.Error("it was not renewed before its end")
	}
}
