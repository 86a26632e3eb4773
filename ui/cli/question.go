package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// confirm asks a question whose safe answer is no.
func (env *environment) confirm(question string) (bool, error) {
	if env.flags.yes {
		return true, nil
	}
	if env.flags.noInput || !env.Asks {
		return false, task.Errorf(task.KindUsage, "%s nobody can be asked here", question).WithHint("to answer yes beforehand:  --yes")
	}
	fmt.Fprintf(env.Stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(env.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	env.out.warn("nothing was done")
	return false, silent(exitFailed)
}
