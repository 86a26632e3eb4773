package cli

import (
	"context"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
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
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			return task.Errorf(task.KindUsage, "%s:%d: %q is not of the form K=V", path, n, shorten(line))
		}
		if err := checkVariable(name); err != nil {
			return task.Errorf(task.KindUsage, "%s:%d: %w", path, n, err)
		}
		variables[name] = value
	}
	return nil
}

// checkVariable refuses a name that a shell would drop silently.
func checkVariable(name string) error {
	for i, r := range name {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', i > 0 && r >= '0' && r <= '9':
		default:
			return task.Errorf(task.KindUsage, "%q is not the name of a variable", shorten(name)).
				WithHint("a name has letters, digits and _, and does not begin with a digit; a shell drops any other")
		}
	}
	return nil
}

// shorten cuts what is said back to its author.
func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
