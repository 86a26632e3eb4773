// Package testlength is the one place that decides how much a test does. There
// are three lengths of a run:
//
//   - plain, which is `go test ./...` as somebody types it: the whole of it ends
//     within three minutes on two cores, so one test takes seconds;
//   - gate, which is .ci/run (OCTASKLY_GATE=1): what has to pass before a change
//     lands, so one test may take a minute;
//   - long, when somebody asks for it (OCTASKLY_LONG=1): as much as it likes,
//     within Go's own limit unless -timeout says otherwise.
//
// A test that counts takes its count from Of; a test that has no short form
// begins with Gate or Long. Every kind of check runs in each length: the plain
// run tries less of it, not less of the program.
package testlength

import (
	"os"
	"testing"
)

// Of is the one of three values that this run asks for.
func Of[T any](plain, gate, long T) T {
	switch {
	case inLong():
		return long
	case inGate():
		return gate
	}
	return plain
}

// Gate skips a test in plain runs.
func Gate(t testing.TB) {
	t.Helper()
	if !inGate() && !inLong() {
		t.Skip("takes its time: .ci/run runs it, and OCTASKLY_GATE=1 here")
	}
}

// Long skips a test unless the long run was asked for.
func Long(t testing.TB) {
	t.Helper()
	if !inLong() {
		t.Skip("takes very long: OCTASKLY_LONG=1 runs it")
	}
}

func inGate() bool { return os.Getenv("OCTASKLY_GATE") != "" }

func inLong() bool { return os.Getenv("OCTASKLY_LONG") != "" }
