package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Files in a Dir.
const (
	identityFile   = "identity"
	membershipFile = "membership"
	caFile         = "authority"
	resetFile      = "reset.key"
	clockFile      = "clock"
)

// maxFile is far more than any of these files needs.
const maxFile = 256 << 10

// Dir is a directory that only its owner can read, holding keys and
// certificates. Every file is written whole or not at all, and is on the disk
// when a method returns. Two processes must not write to one Dir at the same
// time.
type Dir struct{ path string }

// OpenDir creates the directory if need be and refuses one that belongs to
// somebody else or that others may enter, and so do all methods for files.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, task.Errorf(task.KindUsage, "make the directory %s: %w", path, err)
	}
	if err := private(path, true); err != nil {
		return nil, err
	}
	return &Dir{path: path}, nil
}

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

// Identity is the node's key, made at the first call.
func (d *Dir) Identity() (*Identity, error) {
	b, err := d.read(identityFile)
	if errors.Is(err, fs.ErrNotExist) {
		return d.newIdentity()
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, d.damaged(identityFile, errors.New("no key in it"))
	}
	key, err := decodeKey(block)
	if err != nil {
		return nil, d.damaged(identityFile, err)
	}
	return identityOf(key)
}

func (d *Dir) newIdentity() (*Identity, error) {
	id, err := NewIdentity()
	if err != nil {
		return nil, err
	}
	b, err := encodeKey(id.key)
	if err != nil {
		return nil, err
	}
	return id, d.write(identityFile, b)
}

const (
	leafBlock = "CERTIFICATE"
	rootBlock = "OCTASKLY ROOT"
)

// SaveMembership keeps what a later LoadMembership gives back. The key is not
// part of it.
func (d *Dir) SaveMembership(m *Membership) error {
	out := pem.EncodeToMemory(&pem.Block{Type: rootBlock, Bytes: m.root.Raw})
	for _, der := range m.chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: leafBlock, Bytes: der})...)
	}
	return d.write(membershipFile, out)
}

// LoadMembership is the membership of id kept here; the error is fs.ErrNotExist
// when there is none.
func (d *Dir) LoadMembership(id *Identity) (*Membership, error) {
	b, err := d.read(membershipFile)
	if err != nil {
		return nil, err
	}
	var root []byte
	var chain [][]byte
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		switch block.Type {
		case rootBlock:
			root = block.Bytes
		case leafBlock:
			chain = append(chain, block.Bytes)
		}
	}
	m, err := NewMembership(id, root, chain...)
	if err != nil {
		return nil, d.damaged(membershipFile, err)
	}
	floor, err := d.Clock()
	if err != nil {
		return nil, err
	}
	return m.WithFloor(floor), nil
}

// DropMembership forgets the membership, if there is one.
func (d *Dir) DropMembership() error {
	err := os.Remove(filepath.Join(d.path, membershipFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(d.path))
}

// SaveCA keeps the cluster's authority with its key.
func (d *Dir) SaveCA(ca *CA) error {
	key, err := encodeKey(ca.key)
	if err != nil {
		return err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: rootBlock, Bytes: ca.root.Raw})
	return d.write(caFile, append(out, key...))
}

// LoadCA is the authority kept here; the error is fs.ErrNotExist when there is
// none.
func (d *Dir) LoadCA() (*CA, error) {
	b, err := d.read(caFile)
	if err != nil {
		return nil, err
	}
	ca, err := decodeCA(b)
	if err != nil {
		return nil, d.damaged(caFile, err)
	}
	return ca, nil
}

func decodeCA(b []byte) (*CA, error) {
	first, rest := pem.Decode(b)
	if first == nil || first.Type != rootBlock {
		return nil, errors.New("no root certificate in it")
	}
	second, _ := pem.Decode(rest)
	if second == nil || second.Type != keyBlock {
		return nil, errors.New("no key in it")
	}
	root, err := x509.ParseCertificate(first.Bytes)
	if err != nil {
		return nil, err
	}
	key, err := decodeKey(second)
	if err != nil {
		return nil, err
	}
	pub := key.Public().(ed25519.PublicKey)
	if !pub.Equal(root.PublicKey) {
		return nil, errors.New("the key is not that of the certificate")
	}
	id, err := keyHash(pub)
	return &CA{root: root, key: key, id: id}, err
}

// ResetKey is the node's key for stateless resets, made at the first call. It
// lets peers notice at once that this node was restarted.
func (d *Dir) ResetKey() (key [32]byte, err error) {
	b, err := d.read(resetFile)
	if err == nil && len(b) == len(key) {
		return [32]byte(b), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := rand.Read(key[:]); err != nil {
		return key, fmt.Errorf("make a reset key: %w", err)
	}
	return key, d.write(resetFile, key[:])
}

// Clock is the latest moment that SaveClock was told is past, or zero.
func (d *Dir) Clock() (time.Time, error) {
	b, err := d.read(clockFile)
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil {
		return time.Time{}, d.damaged(clockFile, err)
	}
	return t, nil
}

// SaveClock remembers that t is past, for a machine that may start with its
// clock in 1970. Call it now and then, not often.
func (d *Dir) SaveClock(t time.Time) error {
	return d.write(clockFile, []byte(t.UTC().Format(time.RFC3339)))
}

func (d *Dir) damaged(file string, err error) error {
	return task.Errorf(task.KindCorrupt, "read %s: %w", filepath.Join(d.path, file), err).
		WithHint("restore it from a copy; or, when there is none, move it away and let this node join again")
}
