package exec

import (
	"testing"

	"golang.org/x/sys/unix"
)

// withUmask sets the umask of this process until the test ends.
func withUmask(t *testing.T, mask int) {
	t.Helper()
	was := unix.Umask(mask)
	t.Cleanup(func() { unix.Umask(was) })
}

// TestModesAreNotLeftToTheUmask: root's commands run as somebody else, and could not
// get to a directory of theirs that a narrow umask had closed.
func TestModesAreNotLeftToTheUmask(t *testing.T) {
	for _, mask := range []int{0o027, 0o077} {
		for l := Basic; l.Valid(); l++ {
			if !haveLevel(t, l) {
				continue
			}
			weaken(t, l, func(*confinement) {}) // without anything that waits since before
			withUmask(t, mask)
			if err := testRunner(t).levels[l].selfTest(); err != nil {
				t.Errorf("umask %03o: %s: the self-test: %v", mask, l, err)
			}
			if err := testRunner(t).rehearse(l); err != nil {
				t.Errorf("umask %03o: %s: %v", mask, l, err)
			}
			unix.Umask(0o022)
		}
	}
}

// TestALevelAtWhichNothingRunsIsNotOffered: the self-test takes the way that a task takes.
func TestALevelAtWhichNothingRunsIsNotOffered(t *testing.T) {
	needLevels(t, Basic)
	r := testRunner(t)
	weaken(t, Basic, func(c *confinement) { c.env = []string{"PATH=/nowhere"} })
	if err := r.levels[Basic].selfTest(); err != nil {
		t.Fatalf("the level itself holds: %v", err)
	}
	if err := r.rehearse(Basic); err == nil {
		t.Error("nothing runs, and the rehearsal did not notice")
	}
}
