package exec

import (
	"syscall"
	"testing"
	"time"
)

// A command that passed a limit and ended well at the same moment did not succeed.
func TestPassedLimitIsNoSuccess(t *testing.T) {
	p := &process{}
	p.reason, p.message = ReasonLimitDisk, "wrote 2796 KiB, its limit being 1024 KiB"
	if res := p.result(syscall.WaitStatus(0), syscall.Rusage{}); res.Reason != ReasonLimitDisk || res.Code != codeOfLimit {
		t.Errorf("it ended with %s and code %d", res.Reason, res.Code)
	}
}

// Together the children of a shell passed the limit, and it ended well.
func TestProcessorTimeOfAllIsCounted(t *testing.T) {
	limits := Limits{CPUTime: time.Second}
	for _, c := range []struct {
		before, want Result
	}{
		{Result{Reason: ReasonExit, CPU: 4 * time.Second}, Result{Reason: ReasonLimitCPU, Code: codeOfLimit}},
		{Result{Reason: ReasonExit, Code: 3, CPU: 4 * time.Second}, Result{Reason: ReasonLimitCPU, Code: 3}},
		{Result{Reason: ReasonExit, CPU: time.Second}, Result{Reason: ReasonExit}},
		{Result{Reason: ReasonTimeout, Code: 143, CPU: 4 * time.Second}, Result{Reason: ReasonTimeout, Code: 143}},
	} {
		got := c.before
		limits.explainCPU(&got)
		if got.Reason != c.want.Reason || got.Code != c.want.Code {
			t.Errorf("%+v is explained as %s, code %d", c.before, got.Reason, got.Code)
		}
	}
}
