package exec

import (
	"syscall"
	"testing"
)

// A command that passed a limit and ended well at the same moment did not succeed.
func TestPassedLimitIsNoSuccess(t *testing.T) {
	p := &process{}
	p.reason, p.message = ReasonLimitDisk, "wrote 2796 KiB, its limit being 1024 KiB"
	if res := p.result(syscall.WaitStatus(0), syscall.Rusage{}); res.Reason != ReasonLimitDisk || res.Code != codeOfLimit {
		t.Errorf("it ended with %s and code %d", res.Reason, res.Code)
	}
}
