package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// How long certificates are good for.
const (
	RootLife = 10 * 365 * 24 * time.Hour
	LeafLife = 30 * 24 * time.Hour
	// backdate makes a new certificate good on a node whose clock is a little
	// behind the issuer's.
	backdate = time.Hour
)

// CA is a cluster's certificate authority: the root certificate with its key. It
// exists on the node that created the cluster.
type CA struct {
	root *x509.Certificate
	key  ed25519.PrivateKey
	id   string
}

// NewCA makes a new cluster. Its id is the hash of a key that nobody else has.
func NewCA(now time.Time) (*CA, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a cluster key: %w", err)
	}
	id, err := keyHash(pub)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{id}, CommonName: "octaskly cluster"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(RootLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLen:            1, // root → issuer → leaf
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, key)
	if err != nil {
		return nil, fmt.Errorf("make a cluster certificate: %w", err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make a cluster certificate: %w", err)
	}
	return &CA{root: root, key: key, id: id}, nil
}

// ClusterID is the hash of the root key, in the form of a node id.
func (ca *CA) ClusterID() string { return ca.id }

// Root is the root certificate, DER encoded.
func (ca *CA) Root() []byte { return slices.Clone(ca.root.Raw) }

// Issue makes a certificate for the node that holds the key for pub, DER
// encoded, good from an hour before now for LeafLife.
func (ca *CA) Issue(pub ed25519.PublicKey, roles []task.Role, now time.Time) ([]byte, error) {
	node, err := NodeIDOf(pub)
	if err != nil {
		return nil, err
	}
	uris, err := leafURIs(ca.id, node, roles)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{ca.id}, CommonName: string(node)},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(LeafLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		URIs:                  uris,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.root, pub, ca.key)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate for node %s: %w", node.Short(), err)
	}
	return der, nil
}

// Enrol issues a certificate for a key that is here and returns the membership,
// as the creator of a cluster needs it for itself.
func (ca *CA) Enrol(id *Identity, roles []task.Role, now time.Time) (*Membership, error) {
	leaf, err := ca.Issue(id.Public(), roles, now)
	if err != nil {
		return nil, err
	}
	return NewMembership(id, ca.Root(), leaf)
}

func leafURIs(cluster string, node task.NodeID, roles []task.Role) ([]*url.URL, error) {
	uris := []*url.URL{sanURI(cluster, "node", string(node))}
	for _, r := range roles {
		if !knownRole(r) {
			return nil, task.Errorf(task.KindUsage, "%q is not a role; the roles are worker, dispatcher, client, admin", r)
		}
		uris = append(uris, sanURI(cluster, "role", string(r)))
	}
	return uris, nil
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}
