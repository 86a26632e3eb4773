package api

import (
	"bytes"
	"testing"

	"github.com/adauldev/octaskly/node/control"
)

// The end of the last attempt's output is shown, whatever its chunks are like.
func TestTailOfOutput(t *testing.T) {
	var kept tail
	kept.add(control.Chunk{Attempt: 1, Data: bytes.Repeat([]byte("old"), shownOutput)})
	if !kept.over() {
		t.Error("three times what is shown is not said to be cut")
	}
	kept.add(control.Chunk{Attempt: 2, Data: []byte("new")})
	if string(kept.text()) != "new" || kept.over() {
		t.Errorf("a new attempt begins with %d bytes, cut: %v", len(kept.text()), kept.over())
	}
	var all []byte
	for i := range 100_000 {
		line := bytes.Repeat([]byte{byte('a' + i%26)}, 11)
		all = append(all, line...)
		kept.add(control.Chunk{Attempt: 2, Data: line})
	}
	if !bytes.Equal(kept.text(), all[len(all)-shownOutput:]) || !kept.over() {
		t.Error("many small chunks do not end as what was written")
	}
}
