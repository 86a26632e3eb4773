package trust

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// crockford is base32 without letters that look like digits or like each other.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Lengths in characters of five bits each.
const (
	shortLen    = 8  // 40 bits
	inviteIDLen = 8  // public part of a long code
	secretLen   = 26 // 130 bits
	longMark    = "OCT1"
)

// Code is a secret by which a computer becomes a member. A short one, such as
// K7QM-3XPA, is made to be read and typed: it is good for one use and some
// minutes. A long one is for scripts: it has a public part that names it and 130
// secret bits. Its methods for printing and logging do not show the secret;
// Text does.
type Code struct {
	id     string // public part of a long code
	secret string // in crockford's characters
}

// NewCode makes a short code.
func NewCode() (Code, error) {
	s, err := randomChars(shortLen)
	return Code{secret: s}, err
}

// NewInvite makes a long code.
func NewInvite() (Code, error) {
	id, err := randomChars(inviteIDLen)
	if err != nil {
		return Code{}, err
	}
	secret, err := randomChars(secretLen)
	return Code{id: id, secret: secret}, err
}

func randomChars(n int) (string, error) {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	for i := range b {
		b[i] = crockford[b[i]&31]
	}
	return string(b), nil
}

// Long reports whether the code is a long one.
func (c Code) Long() bool { return c.id != "" }

// ID is the public part of a long code, which names it in lists; a short code
// has none.
func (c Code) ID() string { return c.id }

// Zero reports whether there is no code.
func (c Code) Zero() bool { return c.secret == "" }

// Equal reports whether both are the same code.
func (c Code) Equal(d Code) bool { return c == d }

// Text is the code as people and scripts pass it on.
func (c Code) Text() string {
	switch {
	case c.Zero():
		return ""
	case c.Long():
		return longMark + "-" + c.id + "-" + c.secret
	}
	return c.secret[:4] + "-" + c.secret[4:]
}

// String hides the secret.
func (c Code) String() string {
	if c.Long() {
		return "invite " + c.id
	}
	return "a join code"
}

// LogValue hides the secret from logs.
func (c Code) LogValue() slog.Value { return slog.StringValue(c.String()) }

// GoString hides the secret from %#v.
func (c Code) GoString() string { return "trust.Code(" + c.String() + ")" }

// ParseCode reads a code as people type it: in either case, with spaces or dashes
// anywhere or nowhere, O for 0 and I or L for 1.
func ParseCode(s string) (Code, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		case r > 'Z' || !strings.ContainsRune(crockford, r):
			return Code{}, badCode("%q is never in one", r)
		}
		b.WriteRune(r)
	}
	t := b.String()
	mark := strings.NewReplacer("O", "0").Replace(longMark) // as it looks after the loop
	switch {
	case len(t) == shortLen:
		return Code{secret: t}, nil
	case len(t) == len(mark)+inviteIDLen+secretLen && strings.HasPrefix(t, mark):
		t = t[len(mark):]
		return Code{id: t[:inviteIDLen], secret: t[inviteIDLen:]}, nil
	case strings.HasPrefix(t, mark) || len(t) > 2*shortLen:
		return Code{}, badCode("a long one has %d letters and digits, this has %d", len(mark)+inviteIDLen+secretLen, len(t))
	}
	return Code{}, badCode("it has %d letters and digits, this has %d", shortLen, len(t))
}

// badCode never repeats what was typed: it may be nearly right.
func badCode(format string, a ...any) error {
	return task.Errorf(task.KindUsage, "that is not a join code: %s", fmt.Sprintf(format, a...)).
		WithHint("a join code looks like K7QM-3XPA; a long one begins with %s-", longMark)
}
