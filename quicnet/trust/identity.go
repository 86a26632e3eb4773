package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// idLen is the length of a node id or cluster id: 32 bytes in base32.
const idLen = 52

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Identity is a node's key pair. Its zero value is not usable.
type Identity struct {
	key ed25519.PrivateKey
	id  task.NodeID
}

// NewIdentity makes a new key. It fails only when the system has no randomness.
func NewIdentity() (*Identity, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a node key: %w", err)
	}
	return identityOf(key)
}

func identityOf(key ed25519.PrivateKey) (*Identity, error) {
	id, err := NodeIDOf(key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &Identity{key: key, id: id}, nil
}

// ID is the node's id: the hash of its public key.
func (i *Identity) ID() task.NodeID { return i.id }

// Public is the public key.
func (i *Identity) Public() ed25519.PublicKey { return i.key.Public().(ed25519.PublicKey) }

// Sign signs message with the node's key. Callers prefix the message with what
// it is for, so that one signature never passes for another.
func (i *Identity) Sign(message []byte) []byte { return ed25519.Sign(i.key, message) }

// NodeIDOf is the id of the node that holds the key for pub.
func NodeIDOf(pub ed25519.PublicKey) (task.NodeID, error) {
	id, err := keyHash(pub)
	return task.NodeID(id), err
}

// keyHash is base32 of SHA-256 of the key in its SubjectPublicKeyInfo form.
func keyHash(pub ed25519.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	sum := sha256.Sum256(spki)
	return idEncoding.EncodeToString(sum[:]), nil
}

// ParseNodeID reads a full node id.
func ParseNodeID(s string) (task.NodeID, error) {
	if !validID(s) {
		return "", task.Errorf(task.KindUsage, "%q is not a node id; a node id is %d letters a–z and digits 2–7", s, idLen)
	}
	return task.NodeID(s), nil
}

func validID(s string) bool {
	return len(s) == idLen && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

const keyBlock = "PRIVATE KEY"

func encodeKey(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}), nil
}

func decodeKey(block *pem.Block) (ed25519.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T, not an Ed25519 key", k)
	}
	return key, nil
}
