package cli

import (
	"bytes"
	"context"
	"strings"

	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue/task"
)

// submission is a task and the secrets that go with it, which are sealed on
// their way.
type submission struct {
	task.NewTask
	Secrets map[string][]byte // in clear
}

// readSecrets reads the files of NAME=@FILE. The line break at the end of a file
// is no part of the secret.
func readSecrets(ctx context.Context, given []string, env map[string]string) (map[string][]byte, error) {
	if len(given) == 0 {
		return nil, nil //nolint:nilnil // no secrets are no secrets
	}
	all := make(map[string][]byte, len(given))
	for _, g := range given {
		name, file, ok := strings.Cut(g, "=")
		path, isFile := strings.CutPrefix(file, "@")
		switch _, inEnv := env[name]; {
		case !ok || name == "" || path == "" && isFile:
			return nil, task.Errorf(task.KindUsage, "--secret-env takes NAME=@FILE")
		case !isFile:
			return nil, task.Errorf(task.KindUsage, "--secret-env %s: a secret does not stand on the command line, where others see it", name).
				WithHint("put it in a file:  --secret-env %s=@FILE", name)
		case inEnv || all[name] != nil:
			return nil, task.Errorf(task.KindUsage, "--secret-env: the variable %s is given twice", name)
		}
		value, err := readSecret(ctx, path)
		if err != nil {
			return nil, inputFault("--secret-env "+name, err)
		}
		all[name] = value
	}
	return all, nil
}

func readSecret(ctx context.Context, path string) ([]byte, error) {
	v, err := readInputFile(ctx, path, task.MaxSecretBytes+2)
	if err != nil {
		return nil, err
	}
	v = bytes.TrimSuffix(bytes.TrimSuffix(v, []byte("\n")), []byte("\r"))
	switch {
	case len(v) > task.MaxSecretBytes:
		return nil, task.Errorf(task.KindTooLarge, "%s has more than %d KiB, the most a secret can have", path, task.MaxSecretBytes>>10)
	case bytes.IndexByte(v, 0) >= 0:
		return nil, task.Errorf(task.KindUsage, "%s holds a NUL byte, which no variable can", path)
	case len(v) == 0:
		return nil, task.Errorf(task.KindUsage, "%s is empty", path)
	}
	return v, nil
}

// sealSecrets closes the secrets of a task for the dispatcher.
func (c *connection) sealSecrets(ctx context.Context, sub *submission) error {
	if len(sub.Secrets) == 0 {
		return nil
	}
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if len(s.Seal) == 0 {
		return task.Errorf(task.KindUnavailable, "the dispatcher takes no secrets")
	}
	sub.Spec.Secrets = make(map[string][]byte, len(sub.Secrets))
	for name, v := range sub.Secrets {
		if sub.Spec.Secrets[name], err = seal.Seal(s.Seal, seal.ForSubmit(&sub.Spec, name), v); err != nil {
			return task.Errorf(task.KindInternal, "seal the secret %s: %w", name, err)
		}
	}
	return sub.Spec.Check()
}
