package cli

import (
	"errors"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// errorObject is how an error looks with --json.
type errorObject struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    task.Kind `json:"code"`
	Message string    `json:"message"`
	Hint    *string   `json:"hint"`
}

func errorOf(err error) errorBody {
	b := errorBody{Code: kindOf(err), Message: err.Error()}
	if h := task.HintOf(err); h != "" {
		b.Hint = &h
	}
	return b
}

// kindOf is the kind of an error; one that is not ours is "failed".
func kindOf(err error) task.Kind {
	var known *task.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	return "failed"
}

// sayError prints an error and what to do next.
func (env *environment) sayError(err error) {
	var code silent
	if err == nil || errors.As(err, &code) {
		return
	}
	var sig signalled
	if errors.As(err, &sig) {
		return
	}
	if env.out.json {
		_ = writeJSON(env.Stderr, errorObject{errorOf(err)}) // nobody is left to tell
		return
	}
	env.out.warn("error: %s", cleanLines(err.Error()))
	if h := task.HintOf(err); h != "" {
		for l := range strings.SplitSeq(strings.TrimRight(h, "\n"), "\n") {
			env.out.warn("  %s", text.CleanLine(l))
		}
	}
}
