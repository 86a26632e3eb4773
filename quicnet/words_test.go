package quicnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// TestErrorsAreInWords: no error that leaves this package shows QUIC's own text,
// and each still has its cause.
func TestErrorsAreInWords(t *testing.T) {
	sys := &net.OpError{Op: "write", Net: "udp", Addr: &net.UDPAddr{Port: 9}, Err: os.NewSyscallError("sendmsg", syscall.EPERM)}
	causes := []error{
		&quic.IdleTimeoutError{}, &quic.HandshakeTimeoutError{}, &quic.StatelessResetError{}, &quic.VersionNegotiationError{},
		sys, context.DeadlineExceeded,
	}
	for _, remote := range []bool{true, false} {
		for code := range wire.Code(6) {
			causes = append(causes, &quic.StreamError{StreamID: 4, ErrorCode: quic.StreamErrorCode(code), Remote: remote})
		}
		for _, code := range []quic.TransportErrorCode{quic.NoError, quic.InternalError, quic.ConnectionRefused, quic.ProtocolViolation, alertBadCertificate, alertNoProtocol} {
			causes = append(causes, &quic.TransportError{ErrorCode: code, Remote: remote, ErrorMessage: "CRYPTO"})
		}
		for _, code := range []Code{CodeRefused, CodeProtocol, CodeOverload, CodeRemoved, 0x777} {
			causes = append(causes, &quic.ApplicationError{ErrorCode: quic.ApplicationErrorCode(code), Remote: remote})
		}
	}
	for _, cause := range causes {
		for from, err := range map[string]error{
			"translated":  translate(fmt.Errorf("outer: %w", cause)),
			"a session's": sessionError(cause, Peer{Name: "mill"}),
			"a dial's":    dialError(cause, "192.0.2.1:7878", Limits{}.withDefaults()),
		} {
			text := err.Error()
			for _, raw := range []string{"0x", "stream 4", "CRYPTO", "error code", "Application error", "INTERNAL", "timeout:", "stateless", "deadline", "sendmsg", "no compatible", "%!"} {
				if strings.Contains(text, raw) {
					t.Errorf("%s of %T: %q shows %q", from, cause, text, raw)
				}
			}
		}
		if err := translate(cause); !errors.Is(err, cause) || translate(err).Error() != err.Error() {
			t.Errorf("%T lost its cause, or is translated twice", cause)
		}
	}
	for _, err := range []error{io.EOF, os.ErrDeadlineExceeded, context.Canceled, task.Errorf(task.KindFull, "full"), wire.ErrMalformed} {
		if translate(err) != err { //nolint:errorlint // the very same value
			t.Errorf("%v was changed to %v", err, translate(err))
		}
	}
}
