package task

import (
	"errors"
	"fmt"
)

// Kind says what sort of trouble an error is. Each face maps kinds in one
// table: exit codes, HTTP statuses, wire codes.
type Kind string

// The kinds. Their text travels on the wire and in JSON and never changes.
const (
	KindInternal     Kind = "internal"      // our fault
	KindUsage        Kind = "usage"         // the request makes no sense as written
	KindNotFound     Kind = "not_found"     // no such task or node
	KindNotAllowed   Kind = "not_allowed"   // the caller may not do this
	KindNoDispatcher Kind = "no_dispatcher" // nobody dispatches, or it cannot be reached
	KindConflict     Kind = "conflict"      // the state of things forbids it now
	KindTimeout      Kind = "timed_out"     // no answer in time
	KindFull         Kind = "queue_full"    // the queue is at its limit
	KindDisk         Kind = "disk_low"      // not enough free space to store it
	KindTooLarge     Kind = "too_large"     // beyond a size limit
	KindUnavailable  Kind = "unavailable"   // shutting down, or a node cannot do it
	KindCorrupt      Kind = "corrupt_store" // a store on disk is damaged
)

// Error is an error that reaches a person: what was attempted on what, and
// what to do next.
type Error struct {
	Kind    Kind
	Message string // one line, no full stop
	Hint    string // what to do next; may have several lines; may be empty
	Cause   error  // printed after the message; may be nil

	wrapped error // already part of Message
}

// Error is the message followed by the cause, if there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error {
	if e.Cause != nil {
		return e.Cause
	}
	return e.wrapped
}

// WithHint returns a copy that says what to do next.
func (e *Error) WithHint(format string, a ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, a...)
	return &c
}

// Errorf makes an Error. A %w in the format becomes part of the message and is
// unwrapped as usual.
func Errorf(k Kind, format string, a ...any) *Error {
	err := fmt.Errorf(format, a...)
	return &Error{Kind: k, Message: err.Error(), wrapped: errors.Unwrap(err)}
}

// KindOf is the kind of the first Error in err's chain, or KindInternal; for
// a nil error it is empty.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// HintOf is the first hint in err's chain, or empty.
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}
