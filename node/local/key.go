package local

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// Key is the secret that the processes of one user share through a file that only
// they can read.
type Key [32]byte

// String does not show the key.
func (Key) String() string { return "local.Key(…)" }

// LoadKey reads the user's key, and makes it first when there is none. Of several
// processes that start at once all get the same one. The folder is made when it
// is missing, for this user only.
func LoadKey(file string) (Key, error) {
	k, err := ReadKey(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Key{}, task.Errorf(task.KindUnavailable, "make the folder for the local key: %w", err)
	}
	// The key is written beside its place and linked into it: nobody ever reads
	// half of it, and the first of several wins.
	tmp, err := os.CreateTemp(dir, ".local.key-*")
	if err != nil {
		return Key{}, task.Errorf(task.KindUnavailable, "make the local key: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, _ = rand.Read(k[:])
	_, err = tmp.WriteString(hex.EncodeToString(k[:]) + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = place(tmp.Name(), file)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, task.Errorf(task.KindUnavailable, "make the local key: %w", err)
	}
	return ReadKey(file)
}

// place gives a file its name unless the name is taken. Where there are no hard
// links it renames: two nodes that start in the same moment may then disagree
// once, and the later one has to be started again.
func place(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// ReadKey reads the user's key. It refuses a file that others could have read or
// written.
func ReadKey(file string) (Key, error) {
	if err := ownFile(file); err != nil {
		return Key{}, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Key{}, task.Errorf(task.KindUnavailable, "read the local key: %w", err)
	}
	k, err := ParseKey(string(b))
	if err != nil {
		return Key{}, task.Errorf(task.KindCorrupt, "the local key in %s is damaged", file).
			WithHint("remove the file and start the nodes of this user again")
	}
	return k, nil
}

// ParseKey reads the text of a key file.
func ParseKey(s string) (Key, error) {
	var k Key
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != len(k) {
		return Key{}, task.Errorf(task.KindUsage, "not a key of %d bytes in hexadecimal", len(k))
	}
	copy(k[:], b)
	return k, nil
}

// The labels keep one side's proof from being used as the other's.
const (
	dialler  = "octaskly local 1 dialler"
	listener = "octaskly local 1 listener"
)

// proof is what one side shows: both challenges and the purpose, under the key.
func (k Key) proof(label string, theirs, ours []byte, purpose string) []byte {
	m := hmac.New(sha256.New, k[:])
	for _, part := range [][]byte{[]byte(label), theirs, ours, []byte(purpose)} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		m.Write(n[:])
		m.Write(part)
	}
	return m.Sum(nil)
}

func newNonce() []byte {
	b := make([]byte, nonceLen)
	_, _ = rand.Read(b)
	return b
}

const nonceLen = 32
