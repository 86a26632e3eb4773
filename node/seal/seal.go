// Package seal closes a task's secrets so that only one holder of a key can
// read them: first the dispatcher, which keeps them closed in its queue, and then
// the one worker that was leased the task. It is HPKE (RFC 9180) with X25519,
// HKDF-SHA256 and AES-256-GCM, from the standard library.
package seal

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/adauldev/octaskly/queue/task"
)

// Key opens what was sealed for its public half.
type Key struct{ private hpke.PrivateKey }

// Use says what a secret is sealed for; it opens for nothing else.
type Use []byte

// ForSubmit is a variable of this name for a task with this command, on its way
// to the dispatcher. Sealed for one command, it cannot be had with another.
func ForSubmit(s *task.Spec, name string) Use {
	return use("submit", append([]string{name, s.Shell}, s.Argv...)...)
}

// ForLease is the same variable on its way to the worker of one attempt.
func ForLease(id task.ID, f task.Fence, name string) Use {
	return use("lease", name, id.String(), f.String())
}

// use joins words so that no two lists of them look alike.
func use(what string, words ...string) Use {
	h := sha256.New()
	for _, w := range words {
		_ = binary.Write(h, binary.BigEndian, uint64(len(w)))
		h.Write([]byte(w))
	}
	return h.Sum([]byte("octaskly secret 1 " + what + " "))
}

func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.AES256GCM()
}

// New makes a key that lives as long as this value.
func New() (*Key, error) {
	kem, _, _ := suite()
	k, err := kem.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make a key for secrets: %w", err)
	}
	return &Key{k}, nil
}

// fileName is where Load keeps a key.
const fileName = "secrets.key"

// Load reads the key in a directory, which only its owner may read. It is made
// if there is none.
func Load(dir string) (*Key, error) {
	path := filepath.Join(dir, fileName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key for secrets: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("read the key for secrets: %w", err)
	}
	if runtime.GOOS != "windows" && (!info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0) {
		return nil, task.Errorf(task.KindUsage, "%s is open to other users (mode %04o)", path, info.Mode().Perm()).
			WithHint("chmod 600 %s, and make the secrets that were sealed with it anew", path)
	}
	kem, _, _ := suite()
	k, err := kem.NewPrivateKey(raw)
	if err != nil {
		return nil, task.Errorf(task.KindCorrupt, "%s holds no key: %w", path, err).
			WithHint("move it away: tasks that wait with secrets will fail and have to be submitted anew")
	}
	return &Key{k}, nil
}

func create(path string) (*Key, error) {
	k, err := New()
	if err != nil {
		return nil, err
	}
	raw, err := k.private.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make a key for secrets: %w", err)
	}
	// Whole or not at all: it is linked into place after it is on disk.
	f, err := os.CreateTemp(filepath.Dir(path), "."+fileName+"-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("keep the key for secrets: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return nil, fmt.Errorf("keep the key for secrets: %w", err)
	}
	return k, nil
}

// Public is what others seal with.
func (k *Key) Public() []byte { return k.private.PublicKey().Bytes() }

// Open reads a secret that was sealed for this key and this use.
func (k *Key) Open(u Use, sealed []byte) ([]byte, error) {
	_, kdf, aead := suite()
	plain, err := hpke.Open(k.private, kdf, aead, u, sealed)
	if err != nil {
		return nil, errors.New("it was sealed for another key, another command or another task")
	}
	return plain, nil
}

// Seal closes a secret so that only the holder of the key can open it, for one use.
func Seal(public []byte, u Use, plain []byte) ([]byte, error) {
	kem, kdf, aead := suite()
	pk, err := kem.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("it is no key to seal with: %w", err)
	}
	return hpke.Seal(pk, kdf, aead, u, plain)
}

// Again opens a task's secrets and seals them for the worker of one attempt.
// One that cannot be opened becomes empty, which opens nowhere.
func (k *Key) Again(s *task.Spec, id task.ID, f task.Fence, worker []byte) map[string][]byte {
	out := make(map[string][]byte, len(s.Secrets))
	for name, sealed := range s.Secrets {
		out[name] = []byte{}
		plain, err := k.Open(ForSubmit(s, name), sealed)
		if err != nil {
			continue
		}
		if again, err := Seal(worker, ForLease(id, f, name), plain); err == nil {
			out[name] = again
		}
		clear(plain)
	}
	return out
}
