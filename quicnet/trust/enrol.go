package trust

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Cost of one guess at a short code. It is salted by the connection, so nothing
// can be computed before it and nothing is of use after it.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
)

// exporterLabel names the secret of a TLS connection that proofs are bound to: a
// man in the middle has two connections and so two different ones.
const exporterLabel = "EXPORTER-octaskly-join"

// JoinSide is one of the two sides of a join.
type JoinSide string

// The sides: who wants in, and who lets in.
const (
	Joiner   JoinSide = "joiner"
	Admitter JoinSide = "admitter"
)

// Other is the opposite side, empty for what is no side.
func (s JoinSide) Other() JoinSide {
	switch s {
	case Joiner:
		return Admitter
	case Admitter:
		return Joiner
	}
	return ""
}

// JoinBinding is everything that both sides must see alike for their proofs to
// fit.
type JoinBinding struct {
	Exporter   []byte // from ExportJoin
	Cluster    string // the admitter's
	Joiner     ed25519.PublicKey
	Admitter   ed25519.PublicKey
	Transcript []byte // the messages so far, as they were sent
}

// JoinProofs are the two values that show knowledge of a code.
type JoinProofs struct{ joiner, admitter [32]byte }

// ProveJoin computes the proofs. For a short code it takes some tens of
// milliseconds and 19 MiB, on purpose.
func ProveJoin(c Code, b JoinBinding) (JoinProofs, error) {
	if c.Zero() || len(b.Exporter) < 32 {
		return JoinProofs{}, errors.New("trust: a proof without a code or a connection")
	}
	secret := []byte(c.secret)
	if !c.Long() {
		secret = argon2.IDKey(secret, b.Exporter, argonTime, argonMemory, 1, 32)
	}
	prk, err := hkdf.Extract(sha256.New, secret, b.Exporter)
	if err != nil {
		return JoinProofs{}, fmt.Errorf("prove a join code: %w", err)
	}
	var p JoinProofs
	for side, out := range map[JoinSide]*[32]byte{Joiner: &p.joiner, Admitter: &p.admitter} {
		k, err := hkdf.Expand(sha256.New, prk, string(b.info(side, c.id)), 32)
		if err != nil {
			return JoinProofs{}, fmt.Errorf("prove a join code: %w", err)
		}
		*out = [32]byte(k)
	}
	return p, nil
}

// info is the binding as one unambiguous string: every part with its length.
func (b JoinBinding) info(side JoinSide, invite string) []byte {
	out := []byte("octaskly join 1")
	for _, part := range [][]byte{[]byte(side), []byte(invite), []byte(b.Cluster), b.Joiner, b.Admitter, b.Transcript} {
		out = append(out, byte(len(part)>>24), byte(len(part)>>16), byte(len(part)>>8), byte(len(part)))
		out = append(out, part...)
	}
	sum := sha256.Sum256(out)
	return append([]byte("octaskly join 1 "+side+" "), sum[:]...)
}

// Of is what this side sends.
func (p JoinProofs) Of(side JoinSide) []byte {
	if side == Joiner {
		return p.joiner[:]
	}
	return p.admitter[:]
}

// Check reports, in constant time, whether got is what that side would send.
func (p JoinProofs) Check(side JoinSide, got []byte) bool {
	return side.Other() != "" && hmac.Equal(p.Of(side), got)
}

// JoinTLS is the settings for both sides of a join connection: each shows its
// node key, in a certificate that says nothing else, and nothing is believed.
func JoinTLS(id *Identity) (*tls.Config, error) {
	cert, err := selfSigned(id.Public(), id.key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for joining: %w", err)
	}
	c := base()
	c.NextProtos = []string{ALPNJoin}
	c.Certificates = []tls.Certificate{cert}
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := JoinPeer(cs)
		return err
	}
	return c, nil
}

// JoinPeer is the other side's key. Who it is, only the proofs tell.
func JoinPeer(cs tls.ConnectionState) (ed25519.PublicKey, error) {
	switch {
	case cs.Version != tls.VersionTLS13 || cs.DidResume || cs.CipherSuite != Suite:
		return nil, errors.New("trust: not the connection that was asked for")
	case cs.NegotiatedProtocol != ALPNJoin:
		return nil, fmt.Errorf("trust: protocol %q instead of %s", cs.NegotiatedProtocol, ALPNJoin)
	case len(cs.PeerCertificates) != 1:
		return nil, fmt.Errorf("trust: %d certificates instead of one", len(cs.PeerCertificates))
	}
	pub, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("trust: the other side's key is not an Ed25519 key")
	}
	return pub, nil
}

// ExportJoin is the connection's secret for JoinBinding.
func ExportJoin(cs tls.ConnectionState) ([]byte, error) {
	b, err := cs.ExportKeyingMaterial(exporterLabel, nil, 32)
	if err != nil {
		return nil, fmt.Errorf("bind a join to its connection: %w", err)
	}
	return b, nil
}
