package cli

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// maxAnswer is more than anybody says to a question, in bytes.
const maxAnswer = 4096

// confirm asks a question whose safe answer is no.
func (env *environment) confirm(question string) (bool, error) {
	if env.flags.yes {
		return true, nil
	}
	if env.flags.noInput || !env.Asks {
		return false, task.Errorf(task.KindUsage, "%s nobody can be asked here", question).WithHint("to answer yes beforehand:  --yes")
	}
	fmt.Fprintf(env.Stderr, "%s [y/N] ", question)
	line, err := readInputLine(env.ctx, env.Stdin, maxAnswer)
	if err != nil {
		return false, inputFault("read the answer", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	env.out.warn("nothing was done")
	return false, silent(exitFailed)
}
