package exec

import (
	"os"
	osexec "os/exec"
	"strings"
	"testing"
)

// TestRoomIsKept runs TestCommandsLeaveRoom where our user may have few processes.
func TestRoomIsKept(t *testing.T) {
	prlimit, err := searchPath("prlimit", defaultPath)
	if err != nil {
		t.Skip(err)
	}
	cmd := osexec.Command(prlimit, "--nproc=200:200", os.Args[0], "-test.run=^TestCommandsLeaveRoom$", "-test.v")
	cmd.Env = append(os.Environ(), "OCTASKLY_TEST_ROOM=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestCommandsLeaveRoom") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A command may have fewer processes than we, cannot change that where it is
// contained, and one that starts them without end does not keep us from starting
// another.
func TestCommandsLeaveRoom(t *testing.T) {
	if os.Getenv("OCTASKLY_TEST_ROOM") == "" {
		t.Skip("our user may have as many processes as it likes")
	}
	for l := None; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		res, c := do(t, Spec{Shell: "prlimit --nproc --raw --noheadings -o SOFT; prlimit --nproc=200:200 echo raised; :", Level: l})
		if !strings.HasPrefix(c.out.String(), "150\n") || l >= Basic && strings.Contains(c.out.String(), "raised") {
			t.Errorf("%s: %+v %q %s", l, res, c.out.String(), c.err.String())
		}
	}
	if os.Geteuid() == 0 {
		return // root may have more than its limit
	}
	// The inner shell gives up where there is no room for one more; what it started stays.
	run, c := begin(t, t.Context(), Spec{Shell: `(while :; do sleep 1000 & done) 2>/dev/null; echo full; exec sleep 1000`, Level: Basic, Grace: -1})
	done := waitAsync(run)
	select {
	case <-c.line:
	case res := <-done:
		t.Fatalf("it ended by itself: %+v %s", res, c.err.String())
	}
	if _, err := osexec.Command("true").Output(); err != nil {
		t.Errorf("we can start nothing: %v", err)
	}
	run.Cancel(-1)
	if res := <-done; res.Swept < 10 {
		t.Errorf("it had not filled its room: %+v", res)
	}
}
