package text

import (
	"testing"

	"github.com/adauldev/octaskly/queue/task"
)

func TestExit(t *testing.T) {
	for want, exit := range map[string]task.Exit{
		"exit 3":                          {Code: 3, Reason: task.ReasonExit},
		"signal 9":                        {Code: 137, Signal: 9, Reason: task.ReasonSignal},
		"exit 137 (limit:memory): 64 MiB": {Code: 137, Reason: task.ReasonLimitPrefix + "memory", Message: "64 MiB"},
		"host3 was silent":                {Reason: task.ReasonNodeLost, Message: "host3 was silent"},
		"declined":                        {Reason: task.ReasonDeclined},
	} {
		if got := Exit(&exit); got != want {
			t.Errorf("%+v is %q, want %q", exit, got, want)
		}
	}
}

// A lost attempt has no exit code in JSON; it was 0.
func TestLostAttemptHasNoExitCode(t *testing.T) {
	lost := task.Task{State: task.Lost, Attempts: []task.Attempt{{
		Started: 5, Ended: 9, Exit: task.Exit{Reason: task.ReasonNodeLost},
		Output: task.Output{Inline: []byte("out"), Bytes: 3, Truncated: true, CutBy: "it went with w1"},
	}}}
	document := DocumentOf(&lost, nil, true)
	if document.Exit.Code != nil || document.Attempts[0].Exit.Code != nil || document.Started == nil || document.Output.CutBy == nil {
		t.Errorf("as JSON: %+v, attempt %+v", document, document.Attempts[0])
	}
}
