package trust

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// secretBytes is the length of a secret that is made here.
const secretBytes = 32

// Secret is the secret with this name, which is made when it is asked for the
// first time and kept in a file of the same name that nobody else may read. It is
// 64 hexadecimal digits.
func (d *Dir) Secret(name string) (string, error) {
	raw, err := d.read(name)
	if err == nil {
		secret := strings.TrimSpace(string(raw))
		if len(secret) < secretBytes {
			return "", task.Errorf(task.KindCorrupt, "%s holds no secret: it is too short", name).
				WithHint("move it away; a new one is made, and what was signed with the old one counts no more")
		}
		return secret, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	made := make([]byte, secretBytes)
	_, _ = rand.Read(made) // never fails
	secret := hex.EncodeToString(made)
	return secret, d.write(name, []byte(secret+"\n"))
}
