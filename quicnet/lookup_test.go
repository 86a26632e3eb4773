package quicnet

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

// TestNamesThatAreNotFound: a person reads what was wrong, not how Go puts it.
func TestNamesThatAreNotFound(t *testing.T) {
	unreachable := &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"unknown":       {&net.DNSError{Err: "no such host", Name: "mill", Server: "10.0.0.53:53", IsNotFound: true}, "no machine is known as mill"},
		"silent server": {&net.DNSError{Err: "i/o timeout", Name: "mill", Server: "10.0.0.53:53", IsTimeout: true}, "the name server 10.0.0.53:53 does not answer"},
		"no network":    {&net.DNSError{Err: unreachable.Error(), Name: "mill", Server: "10.0.0.53:53", UnwrapErr: unreachable}, "the name server 10.0.0.53:53 does not answer"},
		"no time":       {&net.DNSError{Err: context.DeadlineExceeded.Error(), Name: "mill", UnwrapErr: context.DeadlineExceeded, IsTimeout: true}, "no name server answered in time"},
		"anything else": {errors.New("out of luck"), "find the address of mill: out of luck"},
	} {
		err := nameError("mill", c.err)
		if !strings.Contains(err.Error(), c.says) || task.HintOf(err) == "" || strings.Contains(err.Error(), "lookup") || strings.Contains(err.Error(), "dial udp") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
