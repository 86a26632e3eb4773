package cli

import (
	"context"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// maxEnvFile is the most that is read of a file of variables; they have less room
// than that in a task.
const maxEnvFile = 4 * task.MaxEnvBytes

// readEnvFile adds the variables in a file, one K=V a line, to variables. Empty
// lines and those that begin with # say nothing.
func readEnvFile(ctx context.Context, path string, variables map[string]string) error {
	data, err := readInputFile(ctx, path, maxEnvFile)
	if err != nil {
		return inputFault("--env-file", err)
	}
	if len(data) > maxEnvFile {
		return task.Errorf(task.KindTooLarge, "--env-file %s: it has more than %d KiB, more than the variables of a task can have", path, maxEnvFile>>10)
	}
	if err := text.ReadAssignments(data, variables); err != nil {
		return task.Errorf(task.KindUsage, "--env-file %s: %w", path, err).WithHint("%s", task.HintOf(err))
	}
	return nil
}
