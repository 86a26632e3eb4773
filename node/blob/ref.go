// Package blob keeps files by what is in them: a blob is named by the SHA-256 and
// the size of its content, is stored once however often it is put, and is never
// seen half-written, also after a crash.
package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// Ref names content: its hash and how many bytes it has. A Ref is comparable.
type Ref struct {
	Sum  [sha256.Size]byte
	Size int64
}

// String is the form in a task's StdinRef: "sha256-hex:size".
func (r Ref) String() string {
	return hex.EncodeToString(r.Sum[:]) + ":" + strconv.FormatInt(r.Size, 10)
}

// ParseRef reads the one form that String writes.
func ParseRef(s string) (Ref, error) {
	var r Ref
	sum, size, cut := strings.Cut(s, ":")
	b, err := hex.DecodeString(sum)
	n, sizeErr := strconv.ParseInt(size, 10, 64)
	copy(r.Sum[:], b)
	r.Size = n
	if !cut || err != nil || sizeErr != nil || len(b) != len(r.Sum) || n < 0 || r.String() != s {
		if len(s) > 100 {
			s = s[:97] + "..."
		}
		return Ref{}, task.Errorf(task.KindUsage, "%q does not name stored content", s)
	}
	return r, nil
}

// path is where the content is inside the store. It is made of hexadecimal digits
// only.
func (r Ref) path() (dir, file string) {
	s := hex.EncodeToString(r.Sum[:])
	return s[:2], s[:2] + "/" + s
}
