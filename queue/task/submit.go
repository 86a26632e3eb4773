package task

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// NewTask is a task as somebody asks for it. One with an idempotency key that
// the same principal used before is not stored again; the number of the first is
// returned.
type NewTask struct {
	Spec Spec   `msgpack:"s"`
	Key  string `msgpack:"k,omitempty"` // at most MaxKeyBytes; empty is none
}

// Check says what is wrong with a task that is about to be stored, or nil: with
// what it asks for, or with its key.
func (t *NewTask) Check() error {
	if err := t.Spec.Check(); err != nil {
		return err
	}
	if err := t.CheckSize(); err != nil {
		return err
	}
	return CheckKey(t.Key)
}

// MaxTaskBytes is the largest Size of a task: what one command of the queue and
// one frame of the wire can carry.
const MaxTaskBytes = 620 << 10

// CheckSize refuses a task that is larger than MaxTaskBytes. What keeps the
// other limits is not, unless its command has very many arguments.
func (t *NewTask) CheckSize() error {
	if n := t.Size(); n > MaxTaskBytes {
		return Errorf(KindTooLarge, "the task has about %s, at most %s can be submitted", FormatBytes(n), FormatBytes(MaxTaskBytes)).
			WithHint("put large input into a file for --stdin-file, and long commands into a script")
	}
	return nil
}

// Size is Spec.Size with the key.
func (t *NewTask) Size() int { return 16 + t.Spec.Size() + sizeOfText(t.Key) }

// Submitted is what became of one task of a submit.
type Submitted struct {
	ID        ID     `msgpack:"i"`
	Duplicate bool   `msgpack:"d,omitempty"` // ID was given to an earlier submit with this key
	Kind      Kind   `msgpack:"k,omitempty"` // set when refused; ID is 0 then
	Message   string `msgpack:"m,omitempty"`
	Hint      string `msgpack:"h,omitempty"`
}

// AutoKey begins an idempotency key that a program made for itself. Such a key
// guards one submit against being repeated and is no part of what people see.
const AutoKey = "auto-"

// NewKey makes an idempotency key of 80 random bits that begins with AutoKey.
func NewKey() string {
	var b [10]byte
	_, _ = rand.Read(b[:])
	return AutoKey + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
