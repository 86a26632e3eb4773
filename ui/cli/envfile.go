package cli

import (
	"bufio"
	"bytes"
	"os"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

func readEnvFile(path string, env map[string]string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return task.Errorf(task.KindUsage, "--env-file: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, task.MaxEnvBytes+1)
	for n := 1; lines.Scan(); n++ {
		l := strings.TrimSpace(lines.Text())
		if l == "" || l[0] == '#' {
			continue
		}
		k, v, ok := strings.Cut(l, "=")
		if !ok || k == "" {
			return task.Errorf(task.KindUsage, "%s:%d: %q is not of the form K=V", path, n, l)
		}
		env[strings.TrimSpace(k)] = v
	}
	if err := lines.Err(); err != nil {
		return task.Errorf(task.KindUsage, "--env-file %s: %w", path, err)
	}
	return nil
}
