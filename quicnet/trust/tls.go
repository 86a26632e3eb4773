package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// The protocols of one UDP port. ALPNMember is for members only, ALPNJoin for
// the exchange by which one becomes a member, ALPNRaft for the replicas of the
// queue among dispatchers.
const (
	ALPNMember = "octaskly/1"
	ALPNJoin   = "octaskly-join/1"
	ALPNRaft   = "octaskly-raft/1"
)

// maxChain is how many certificates a peer may present: a leaf and an issuer.
const maxChain = 2

// Verifier makes TLS settings that accept members of one cluster and nobody
// else. All fields but Membership may be nil. It is safe for use by many
// goroutines as far as its functions are.
type Verifier struct {
	// Membership is this node's own, or nil while it has none.
	Membership func() *Membership
	// Revoked reports nodes that are no longer welcome.
	Revoked func(task.NodeID) bool
	// Renewable reports members that may renew a certificate that is out of its
	// time; they are let in on the accepting side, so that they can. Only the one
	// who has the list of members can say so; nil is nobody. ended is when the
	// certificate expired.
	Renewable func(id task.NodeID, ended time.Time) bool
	// Now is the system clock.
	Now func() time.Time
	// Protocols are the ALPN names offered to members; default ALPNMember.
	Protocols []string
}

func (v *Verifier) protocols() []string {
	if len(v.Protocols) == 0 {
		return []string{ALPNMember}
	}
	return v.Protocols
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}

// Listen is for the accepting side. Members are answered with the membership of
// the moment. Who asks for ALPNJoin is answered with join, if that is not nil.
// Everybody else gets "no application protocol" and not a byte more.
func (v *Verifier) Listen(join *tls.Config) *tls.Config {
	c := base()
	c.NextProtos = v.protocols()
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if join != nil && slices.Contains(hello.SupportedProtos, ALPNJoin) {
			return join, nil
		}
		m := v.Membership()
		if m == nil {
			return nobody()
		}
		return v.member(m, "", true), nil
	}
	return c
}

// Dial is for the dialling side. A want that is not empty is the only node that
// is accepted.
func (v *Verifier) Dial(m *Membership, want task.NodeID, alpn string) *tls.Config {
	c := v.member(m, want, false)
	c.NextProtos = []string{alpn}
	return c
}

func (v *Verifier) member(m *Membership, want task.NodeID, server bool) *tls.Config {
	c := base()
	c.NextProtos = v.protocols()
	c.Certificates = []tls.Certificate{m.certificate()}
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := v.Verify(m, cs, server)
		if err == nil && want != "" {
			err = v.wanted(cs, want)
		}
		return err
	}
	return c
}

func (v *Verifier) wanted(cs tls.ConnectionState, want task.NodeID) error {
	p, err := peerOf(cs.PeerCertificates[0])
	if err == nil && p.ID != want {
		err = task.Errorf(task.KindNotAllowed, "node %s answered where node %s was expected", p.ID.Short(), want.Short())
	}
	return err
}

// Verify judges a finished handshake as the member m. server says that this side
// accepted the connection. It is all there is: crypto/tls checks nothing itself
// in these settings.
func (v *Verifier) Verify(m *Membership, cs tls.ConnectionState, server bool) (Peer, error) {
	p, err := v.judge(m, cs, server)
	if err != nil {
		return Peer{}, &task.Error{Kind: task.KindNotAllowed, Message: "refused the other side's certificate", Cause: err}
	}
	return p, nil
}

func (v *Verifier) judge(m *Membership, cs tls.ConnectionState, server bool) (Peer, error) {
	switch {
	case cs.Version != tls.VersionTLS13:
		return Peer{}, fmt.Errorf("%s instead of TLS 1.3", tls.VersionName(cs.Version))
	case cs.DidResume:
		return Peer{}, errors.New("a resumed session")
	case cs.CipherSuite != Suite:
		return Peer{}, fmt.Errorf("cipher %s instead of %s", tls.CipherSuiteName(cs.CipherSuite), tls.CipherSuiteName(Suite))
	case len(cs.PeerCertificates) == 0:
		return Peer{}, errors.New("it presented none")
	case len(cs.PeerCertificates) > maxChain:
		return Peer{}, fmt.Errorf("it presented a chain of %d", len(cs.PeerCertificates))
	}
	leaf := cs.PeerCertificates[0]
	usage := x509.ExtKeyUsageServerAuth
	if server {
		usage = x509.ExtKeyUsageClientAuth
	}
	if !slices.Contains(leaf.ExtKeyUsage, usage) {
		return Peer{}, errors.New("it is not meant for this use")
	}
	at := certTime(v.now(), m.Floor(), m.root.NotBefore, leaf.NotBefore, leaf.NotAfter)
	p, err := verifyChain(m.root, m.cluster, cs.PeerCertificates, at)
	if server && errors.As(err, new(outOfTimeError)) && v.renewable(p) {
		p, err = verifyChain(m.root, m.cluster, cs.PeerCertificates, leaf.NotBefore)
	}
	if err != nil {
		return Peer{}, err
	}
	if v.Revoked != nil && v.Revoked(p.ID) {
		return Peer{}, fmt.Errorf("node %s was removed from the cluster", p.ID.Short())
	}
	return p, nil
}

func (v *Verifier) renewable(p Peer) bool {
	return v.Renewable != nil && v.Renewable(p.ID, p.NotAfter)
}

// outOfTimeError says that a certificate is not good yet, or no longer.
type outOfTimeError string

func (e outOfTimeError) Error() string { return string(e) }

// verifyChain checks that certs[0] is a leaf that the cluster's root, directly or
// through the issuers after it, gave to the node that its names say, and that it
// is good at the moment at. The root's own dates are not looked at: it is known by
// its key, and the clock by which it was made may have been wrong. With
// outOfTimeError the Peer says whose certificate it would be; nothing else is checked.
func verifyChain(root *x509.Certificate, cluster string, certs []*x509.Certificate, at time.Time) (Peer, error) {
	leaf := certs[0]
	if leaf.IsCA || !leaf.BasicConstraintsValid || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		return Peer{}, errors.New("it is not a node's certificate")
	}
	p, err := peerOf(leaf)
	if err != nil {
		return Peer{}, err
	}
	if p.Cluster != cluster {
		return Peer{}, fmt.Errorf("it belongs to cluster %s, this is cluster %s", task.NodeID(p.Cluster).Short(), task.NodeID(cluster).Short())
	}
	if at.Before(leaf.NotBefore) {
		return p, outOfTimeError("it is not valid before " + leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	if at.After(leaf.NotAfter) {
		return p, outOfTimeError("it expired at " + leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	opts := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	opts.Roots.AddCert(undated(root))
	for _, c := range certs[1:] {
		opts.Intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(opts); err != nil {
		return Peer{}, err
	}
	return p, nil
}

// undated is a root that is good at any time.
func undated(root *x509.Certificate) *x509.Certificate {
	c := *root
	c.NotBefore, c.NotAfter = time.Time{}, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	return &c
}

// base is what all our settings share.
func base() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		MaxVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // VerifyConnection does it: there are no host names here
		VerifyConnection:       func(tls.ConnectionState) error { return errors.New("trust: settings without a verifier") },
	}
}

// nobody answers a stranger while this node is no member: its only protocol is
// one that a stranger does not offer.
func nobody() (*tls.Config, error) {
	cert, err := throwaway()
	if err != nil {
		return nil, err
	}
	c := base()
	c.NextProtos = []string{ALPNJoin}
	c.Certificates = []tls.Certificate{cert}
	return c, nil
}

// throwaway is a self-signed certificate for a new key, which proves nothing.
func throwaway() (tls.Certificate, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	return selfSigned(pub, key)
}

// selfSigned is a certificate that says nothing but the key. Its dates are
// fixed: nobody checks them, and they must not tell what the clock says.
func selfSigned(pub ed25519.PublicKey, key ed25519.PrivateKey) (tls.Certificate, error) {
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, pub, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
