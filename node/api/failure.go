package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Failure is the body of every answer that is not a success. Its first three
// fields are the original's.
type Failure struct { //nolint:errname // the name of the object in the API
	Message   string  `json:"error" doc:"what was attempted and what is wrong with it"`
	Status    int     `json:"status" doc:"the status of the answer"`
	Timestamp string  `json:"timestamp" doc:"RFC 3339, UTC"`
	Code      string  `json:"code" doc:"the kind of failure, a word that never changes"`
	Hint      *string `json:"hint" doc:"what to do next, or null"`
}

var _ huma.StatusError = (*Failure)(nil)

func (f *Failure) Error() string { return f.Message }

// GetStatus is for huma.
func (f *Failure) GetStatus() int { return f.Status }

// codes are the kinds of those statuses that no task.Error stands behind.
var codes = map[int]task.Kind{
	http.StatusBadRequest: task.KindUsage, http.StatusUnauthorized: "unauthorized", http.StatusForbidden: task.KindNotAllowed,
	http.StatusNotFound: task.KindNotFound, http.StatusMethodNotAllowed: task.KindUsage, http.StatusConflict: task.KindConflict,
	http.StatusRequestEntityTooLarge: task.KindTooLarge, http.StatusUnsupportedMediaType: task.KindUsage,
	http.StatusRequestTimeout: task.KindTimeout, http.StatusServiceUnavailable: task.KindUnavailable,
}

func failure(status int, message, hint string) *Failure {
	code, known := codes[status]
	if !known {
		code = task.KindInternal
	}
	f := &Failure{Message: message, Status: status, Timestamp: *text.Stamp(time.Now().UnixMilli()), Code: string(code)}
	if hint != "" {
		f.Hint = &hint
	}
	return f
}

// failureOf is an error of Control as REST answers it.
func failureOf(err error) *Failure {
	var own *Failure
	if errors.As(err, &own) {
		return own
	}
	kind := task.KindOf(err)
	f := failure(control.ErrorKindOf(kind).HTTP, err.Error(), "")
	f.Code = string(kind)
	var known *task.Error
	if errors.As(err, &known) && known.Hint != "" {
		f.Hint = &known.Hint
	}
	return f
}

// newFailure is what the framework calls for what it refuses itself: its 422 of a
// value that does not fit is 400 here.
func newFailure(status int, message string, details ...error) huma.StatusError {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	for _, detail := range details {
		if detail == nil {
			continue
		}
		message += "; " + detail.Error()
	}
	return failure(status, message, "")
}

func quoted(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
