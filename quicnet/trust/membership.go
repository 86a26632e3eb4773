package trust

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Membership is a node's place in a cluster: its key, the cluster's root, and
// the certificate that the cluster gave it. It is immutable; a renewal or a new
// role is a new Membership.
type Membership struct {
	id      *Identity
	root    *x509.Certificate
	chain   [][]byte // DER, the leaf first, issuers after it
	leaf    *x509.Certificate
	cluster string
	self    Peer
	// floor is a moment that is known to be past, from earlier runs.
	floor time.Time
}

// NewMembership puts a membership together and refuses one that does not hold:
// a certificate for another key, or not signed by the root. Validity in time is
// not looked at, so that an expired membership can be loaded and renewed.
func NewMembership(id *Identity, root []byte, chain ...[]byte) (*Membership, error) {
	r, err := x509.ParseCertificate(root)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's root certificate: %w", err)
	}
	pub, ok := r.PublicKey.(ed25519.PublicKey)
	if !ok || !r.IsCA || r.CheckSignatureFrom(r) != nil {
		return nil, fmt.Errorf("the cluster's root certificate is not one of ours")
	}
	cluster, err := keyHash(pub)
	if err != nil {
		return nil, err
	}
	m := &Membership{id: id, root: r, cluster: cluster}
	if len(chain) == 0 {
		return nil, fmt.Errorf("a membership without a certificate")
	}
	certs := make([]*x509.Certificate, len(chain))
	for i, der := range chain {
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("read the node's certificate: %w", err)
		}
		m.chain = append(m.chain, slices.Clone(der))
	}
	m.leaf = certs[0]
	if m.self, err = verifyChain(r, cluster, certs, m.leaf.NotBefore); err != nil {
		return nil, fmt.Errorf("the node's certificate: %w", err)
	}
	if m.self.ID != id.ID() {
		return nil, fmt.Errorf("the certificate is for node %s, the key here is that of %s", m.self.ID.Short(), id.ID().Short())
	}
	return m, nil
}

// Identity is the key that the membership is for.
func (m *Membership) Identity() *Identity { return m.id }

// ID is the node's id.
func (m *Membership) ID() task.NodeID { return m.id.ID() }

// ClusterID is the id of the cluster.
func (m *Membership) ClusterID() string { return m.cluster }

// Roles is what the certificate lets this node do.
func (m *Membership) Roles() []task.Role { return slices.Clone(m.self.Roles) }

// May reports whether the certificate names the role.
func (m *Membership) May(r task.Role) bool { return m.self.May(r) }

// Root is the cluster's root certificate, DER encoded.
func (m *Membership) Root() []byte { return slices.Clone(m.root.Raw) }

// Chain is the node's certificate and its issuers, DER encoded, the leaf first.
func (m *Membership) Chain() [][]byte {
	c := make([][]byte, len(m.chain))
	for i := range c {
		c[i] = slices.Clone(m.chain[i])
	}
	return c
}

// NotBefore is when the certificate begins.
func (m *Membership) NotBefore() time.Time { return m.leaf.NotBefore }

// NotAfter is when the certificate ends.
func (m *Membership) NotAfter() time.Time { return m.leaf.NotAfter }

// RenewAt is when a new certificate should be asked for: half way.
func (m *Membership) RenewAt() time.Time {
	return m.leaf.NotBefore.Add(m.leaf.NotAfter.Sub(m.leaf.NotBefore) / 2)
}

// Floor is the latest moment that this membership knows to be past.
func (m *Membership) Floor() time.Time {
	if m.floor.After(m.leaf.NotBefore) {
		return m.floor
	}
	return m.leaf.NotBefore
}

// WithFloor is the same membership, knowing that t is past.
func (m *Membership) WithFloor(t time.Time) *Membership {
	c := *m
	if t.After(c.floor) {
		c.floor = t
	}
	return &c
}

// certificate is the membership as crypto/tls wants it.
func (m *Membership) certificate() tls.Certificate {
	return tls.Certificate{Certificate: m.chain, PrivateKey: m.id.key, Leaf: m.leaf}
}
