package quicnet

import (
	"context"
	"errors"
	"os"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// translated is an error of QUIC or of the system below it, in words for a person.
type translated struct {
	words string
	cause error // for errors.Is and errors.As; its text is not shown
}

func (e *translated) Error() string { return e.words }
func (e *translated) Unwrap() error { return e.cause }

// translate puts an error of QUIC into words and keeps it as the cause. It is the
// one place that does so; what is in words already, and the end of a stream or of a
// deadline of this side, comes back as it is.
func translate(err error) error {
	var own *task.Error
	var done *translated
	if err == nil || errors.As(err, &own) || errors.As(err, &done) {
		return err
	}
	if words := wordsOf(err); words != "" {
		return &translated{words: words, cause: err}
	}
	return err
}

func wordsOf(err error) string {
	var (
		stream    *quic.StreamError
		transport *quic.TransportError
		app       *quic.ApplicationError
		version   *quic.VersionNegotiationError
		handshake *quic.HandshakeTimeoutError
		idle      *quic.IdleTimeoutError
		reset     *quic.StatelessResetError
		system    *os.SyscallError
	)
	switch {
	case errors.As(err, &stream):
		return streamWords(stream)
	case errors.As(err, &transport):
		return transportWords(transport)
	case errors.As(err, &app):
		return "the connection was closed by " + sideOf(app.Remote)
	case errors.As(err, &version):
		return "it speaks another version of QUIC"
	case errors.As(err, &handshake), errors.As(err, &idle):
		return "it does not answer"
	case errors.As(err, &reset):
		return "it was restarted"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "" // of a stream: callers go on after it
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &system):
		return "the network of this machine: " + system.Err.Error()
	}
	return ""
}

func sideOf(remote bool) string {
	if remote {
		return "the other side"
	}
	return "this side"
}

func streamWords(err *quic.StreamError) string {
	who := sideOf(err.Remote)
	switch wire.Code(err.ErrorCode) {
	case wire.CodeProtocol:
		return who + " ended the exchange: the protocol was broken"
	case wire.CodeShutdown:
		return who + " ended the exchange: it shuts down"
	case wire.CodeOverload:
		return who + " ended the exchange: a limit was reached"
	case wire.CodeForbidden:
		return who + " ended the exchange: it is not allowed"
	}
	return who + " ended the exchange"
}

// TLS alerts lie in this range of QUIC's codes.
const (
	firstAlert = 0x100
	lastAlert  = 0x1ff
)

func transportWords(err *quic.TransportError) string {
	who := sideOf(err.Remote)
	switch code := err.ErrorCode; {
	case code == quic.ConnectionRefused:
		return "it takes no more connections now"
	case code == alertNoProtocol:
		return "the two sides have no protocol in common"
	case code >= firstAlert && code <= lastAlert:
		return who + " did not accept the certificate"
	case code == quic.NoError:
		return "the connection was closed by " + who
	}
	return "the connection broke: " + who + " found an error in what it was sent"
}
