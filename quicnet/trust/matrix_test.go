package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

var now = time.Now().Truncate(time.Second)

// forged is a certificate as an attacker, or an accident, might make it: the
// right one with changes.
type forged struct {
	signer *CA
	by     *x509.Certificate // issuer in the certificate; nil is signer's root
	byKey  crypto.Signer
	key    crypto.Signer
	tmpl   x509.Certificate
	chain  [][]byte // after the leaf
}

func forge(t testing.TB, ca *CA, change func(*forged)) tls.Certificate {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	uris, err := leafURIs(ca.id, id.ID(), []task.Role{task.RoleWorker})
	if err != nil {
		t.Fatal(err)
	}
	f := &forged{signer: ca, key: id.key, tmpl: x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: string(id.ID())},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(LeafLife), BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, URIs: uris,
	}}
	if change != nil {
		change(f)
	}
	if f.by == nil {
		f.by, f.byKey = f.signer.root, f.signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, &f.tmpl, f.by, f.key.Public(), f.byKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: append([][]byte{der}, f.chain...), PrivateKey: f.key}
}

// issuer is an intermediate authority under ca.
func issuer(t testing.TB, ca *CA, until time.Time) (*x509.Certificate, ed25519.PrivateKey) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(6), Subject: pkix.Name{CommonName: "issuer"}, NotBefore: now.Add(-2 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.root, pub, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func newCA(t testing.TB) *CA {
	t.Helper()
	ca, err := NewCA(now)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func member(t testing.TB, ca *CA, at time.Time, roles ...task.Role) *Membership {
	t.Helper()
	id, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ca.Enrol(id, roles, at)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// shake does a handshake and returns what the judging side says of the other.
func shake(t testing.TB, server, client *tls.Config) (cs tls.ConnectionState, sErr, cErr error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // a net.Pipe has no buffer: two alerts at once would stick
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	b, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	s, c := tls.Server(a, server), tls.Client(b, client)
	got := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err != nil {
			a.Close()
		}
		got <- err
	}()
	cErr = c.Handshake()
	if cErr != nil {
		b.Close()
	}
	sErr = <-got
	return c.ConnectionState(), sErr, cErr
}

// cells is the certificate matrix: what is presented, and a word of the refusal;
// empty means that it is accepted.
func cells(t *testing.T, ca *CA) []struct {
	name   string
	cert   tls.Certificate
	refuse string
} {
	other := newCA(t)
	iss, issKey := issuer(t, ca, now.Add(time.Hour*24*90))
	old, oldKey := issuer(t, ca, now.Add(-time.Minute))
	foreign, foreignKey := issuer(t, other, now.Add(time.Hour))
	leafCert := forge(t, ca, nil)
	leaf, _ := x509.ParseCertificate(leafCert.Certificate[0])
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	self, _ := throwaway()
	under := func(c *x509.Certificate, k crypto.Signer, extra ...[]byte) func(*forged) {
		return func(f *forged) { f.by, f.byKey, f.chain = c, k, append([][]byte{c.Raw}, extra...) }
	}
	san := func(names ...string) func(*forged) {
		return func(f *forged) {
			id, _ := NodeIDOf(f.key.Public().(ed25519.PublicKey))
			f.tmpl.URIs = nil
			for _, n := range names {
				n = strings.NewReplacer("CLUSTER", ca.id, "OTHER", other.id, "NODE", string(id)).Replace(n)
				f.tmpl.URIs = append(f.tmpl.URIs, mustURL(n))
			}
		}
	}
	span := func(from, to time.Duration) func(*forged) {
		return func(f *forged) { f.tmpl.NotBefore, f.tmpl.NotAfter = now.Add(from), now.Add(to) }
	}
	list := []struct {
		name   string
		change func(*forged)
		refuse string
	}{
		{"as it should be", nil, ""},
		{"no role", san("octaskly://CLUSTER/node/NODE"), ""},
		{"all roles", san("octaskly://CLUSTER/node/NODE", "octaskly://CLUSTER/role/worker", "octaskly://CLUSTER/role/dispatcher", "octaskly://CLUSTER/role/client", "octaskly://CLUSTER/role/admin"), ""},
		{"a role of later", san("octaskly://CLUSTER/node/NODE", "octaskly://CLUSTER/role/auditor"), ""},
		{"from an issuer of ours", under(iss, issKey), ""},
		{"ends in a second", span(-time.Hour, 2*time.Second), ""},
		{"other authority", func(f *forged) { f.signer = other }, "unknown authority"},
		{"other authority, its names", func(f *forged) { f.signer = other; san("octaskly://OTHER/node/NODE")(f) }, "cluster"},
		{"issuer of another authority", under(foreign, foreignKey), "unknown authority"},
		{"issuer missing in the chain", func(f *forged) { f.by, f.byKey = iss, issKey }, "unknown authority"},
		{"issuer expired", under(old, oldKey), "expired"},
		{"leaf that signs", under(leaf, leafCert.PrivateKey.(ed25519.PrivateKey)), "unknown authority"},
		{"chain too long", under(iss, issKey, ca.root.Raw), "chain of 3"},
		{"expired", span(-time.Hour*24*31, -time.Second), "expired"},
		{"not yet valid", span(time.Minute, time.Hour), "not valid before"},
		{"says that it is an authority", func(f *forged) { f.tmpl.IsCA, f.tmpl.KeyUsage = true, x509.KeyUsageCertSign }, "not a node's"},
		{"may sign certificates", func(f *forged) { f.tmpl.KeyUsage |= x509.KeyUsageCertSign }, "not a node's"},
		{"without basic constraints", func(f *forged) { f.tmpl.BasicConstraintsValid = false }, "not a node's"},
		{"no names", san(), "names no node"},
		{"no node name", san("octaskly://CLUSTER/role/worker"), "names no node"},
		{"other node's name", san("octaskly://CLUSTER/node/" + other.id), "another node"},
		{"two nodes", san("octaskly://CLUSTER/node/NODE", "octaskly://CLUSTER/node/NODE"), "another node"},
		{"other cluster's name", san("octaskly://OTHER/node/NODE"), "belongs to cluster"},
		{"two clusters", san("octaskly://CLUSTER/node/NODE", "octaskly://OTHER/role/admin"), "two clusters"},
		{"other scheme", san("https://CLUSTER/node/NODE"), "not one of ours"},
		{"query", san("octaskly://CLUSTER/node/NODE", "octaskly://CLUSTER/role/admin?x"), "not one of ours"},
		{"path too long", san("octaskly://CLUSTER/node/NODE", "octaskly://CLUSTER/role/admin/x"), "not one of ours"},
		{"host name", func(f *forged) { f.tmpl.DNSNames = []string{"mill-01"} }, "not ours"},
		{"address", func(f *forged) { f.tmpl.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} }, "not ours"},
		{"for code signing", func(f *forged) { f.tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, "not meant"},
		{"for no use", func(f *forged) { f.tmpl.ExtKeyUsage = nil }, "not meant"},
		{"other kind of key", func(f *forged) { f.key = ec }, "not an Ed25519 key"},
	}
	var all []struct {
		name   string
		cert   tls.Certificate
		refuse string
	}
	for _, c := range list {
		all = append(all, struct {
			name   string
			cert   tls.Certificate
			refuse string
		}{c.name, forge(t, ca, c.change), c.refuse})
	}
	return append(all, []struct {
		name   string
		cert   tls.Certificate
		refuse string
	}{
		{"the root itself", tls.Certificate{Certificate: [][]byte{ca.root.Raw}, PrivateKey: ca.key}, "not meant"},
		{"an issuer itself", tls.Certificate{Certificate: [][]byte{iss.Raw}, PrivateKey: issKey}, "not meant"},
		{"self-signed", self, "not meant"},
	}...)
}

// TestCertificateMatrix presents every kind of certificate to both sides.
func TestCertificateMatrix(t *testing.T) {
	ca := newCA(t)
	m := member(t, ca, now, task.RoleDispatcher)
	v := &Verifier{Membership: func() *Membership { return m }, Now: func() time.Time { return now }}
	n := 0
	for _, c := range cells(t, ca) {
		present := base()
		present.Certificates = []tls.Certificate{c.cert}
		present.NextProtos = []string{ALPNMember}
		present.VerifyConnection = nil
		for _, server := range []bool{true, false} {
			var err error
			if server {
				_, err, _ = shake(t, v.Listen(nil), present)
			} else {
				_, _, err = shake(t, present, v.Dial(m, "", ALPNMember))
			}
			n++
			name := fmt.Sprintf("%s, judged by the %s", c.name, map[bool]string{true: "listener", false: "dialler"}[server])
			if c.refuse == "" && err != nil {
				t.Errorf("%s: refused: %v", name, err)
			}
			if c.refuse != "" && (err == nil || !strings.Contains(err.Error(), c.refuse)) {
				t.Errorf("%s: want a refusal with %q, got %v", name, c.refuse, err)
			}
		}
	}
	if n < 70 {
		t.Errorf("only %d cells", n)
	}
}

func TestUsageIsForOneSide(t *testing.T) {
	ca := newCA(t)
	m := member(t, ca, now)
	v := &Verifier{Membership: func() *Membership { return m }}
	for _, c := range []struct {
		usage          x509.ExtKeyUsage
		listen, dialOK bool
	}{{x509.ExtKeyUsageClientAuth, true, false}, {x509.ExtKeyUsageServerAuth, false, true}} {
		present := base()
		present.Certificates = []tls.Certificate{forge(t, ca, func(f *forged) { f.tmpl.ExtKeyUsage = []x509.ExtKeyUsage{c.usage} })}
		present.NextProtos, present.VerifyConnection = []string{ALPNMember}, nil
		if _, err, _ := shake(t, v.Listen(nil), present); (err == nil) != c.listen {
			t.Errorf("usage %v at the listener: %v", c.usage, err)
		}
		if _, _, err := shake(t, present, v.Dial(m, "", ALPNMember)); (err == nil) != c.dialOK {
			t.Errorf("usage %v at the dialler: %v", c.usage, err)
		}
	}
}

// The clock: what this node's own clock says, what it knows to be past, and the
// span of the peer's certificate, in days from now.
func TestCertificatesAndClocks(t *testing.T) {
	ca, err := NewCA(now.AddDate(0, 0, -40))
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	y1970 := time.Unix(1000, 0)
	for _, c := range []struct {
		name        string
		clock       time.Time
		floor       time.Time
		from, until int
		ok          bool
	}{
		{"right clock, good certificate", day(0), day(-1), -3, 3, true},
		{"right clock, expired", day(0), day(-9), -9, -1, false},
		{"right clock, not yet valid", day(0), day(-9), 1, 9, false},
		{"1970, good at the floor", y1970, day(0), -3, 3, true},
		{"1970, made after the floor", y1970, day(-20), -3, 3, true},
		{"1970, expired at the floor", y1970, day(0), -9, -1, false},
		{"clock a year ahead", day(365), day(0), -3, 27, false},
		{"clock behind the floor by an hour", day(0).Add(-time.Hour), day(0), -9, 0, true},
		{"the floor is from a clock 100 days ahead", day(0), day(100), -3, 3, true},
		{"the floor is from a clock ahead, expired", day(0), day(100), -9, -1, false},
		{"a year after the root's end", day(11 * 365), day(0), 11*365 - 3, 11*365 + 3, true},
	} {
		m := member(t, ca, day(-10)).WithFloor(c.floor)
		v := &Verifier{Membership: func() *Membership { return m }, Now: func() time.Time { return c.clock }}
		present := base()
		present.Certificates = []tls.Certificate{forge(t, ca, func(f *forged) { f.tmpl.NotBefore, f.tmpl.NotAfter = day(c.from), day(c.until) })}
		present.NextProtos, present.VerifyConnection = []string{ALPNMember}, nil
		if _, err, _ := shake(t, v.Listen(nil), present); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestRenewableMembers: who is out of its time is let in where it dials the node
// that knows it, as long as that one says, and nowhere else.
func TestRenewableMembers(t *testing.T) {
	ca := newCA(t)
	home, away := member(t, ca, now), member(t, ca, now.AddDate(0, 0, -40))
	ahead := member(t, ca, now.AddDate(0, 0, 16))
	listed := map[task.NodeID]bool{away.ID(): true, ahead.ID(): true, home.ID(): true}
	clock := func() time.Time { return now }
	server := &Verifier{Membership: func() *Membership { return home }, Now: clock}
	for _, m := range []*Membership{away, ahead} {
		client := &Verifier{Membership: func() *Membership { return m }, Now: clock}
		server.Renewable = nil
		if _, err, _ := shake(t, server.Listen(nil), client.Dial(m, "", ALPNMember)); err == nil {
			t.Error("out of its time, and nobody said that it may renew")
		}
		server.Renewable = func(id task.NodeID, ended time.Time) bool {
			return listed[id] && now.Sub(ended) < RenewGrace
		}
		if _, err, dialled := shake(t, server.Listen(nil), client.Dial(m, "", ALPNMember)); err != nil || dialled != nil {
			t.Errorf("may renew, but is refused: %v, %v", err, dialled)
		}
		if !m.RenewalDue(now) || home.RenewalDue(now) {
			t.Error("who should renew does not know it, or who should not does")
		}
		server.Revoked = func(id task.NodeID) bool { return id == m.ID() }
		if _, err, _ := shake(t, server.Listen(nil), client.Dial(m, "", ALPNMember)); err == nil {
			t.Error("removed, but may renew")
		}
		server.Revoked = nil
		// The one who is dialled gets no grace: nobody renews through it.
		client.Renewable, server.Renewable = server.Renewable, nil
		if _, _, err := shake(t, client.Listen(nil), server.Dial(home, "", ALPNMember)); err == nil {
			t.Error("out of its time, dialled, and believed")
		}
	}
	old := member(t, ca, now.AddDate(0, 0, -91))
	client := &Verifier{Membership: func() *Membership { return old }, Now: clock}
	server.Renewable = func(id task.NodeID, ended time.Time) bool { return now.Sub(ended) < RenewGrace }
	if _, err, _ := shake(t, server.Listen(nil), client.Dial(old, "", ALPNMember)); err == nil {
		t.Error("expired for 61 days, but may renew")
	}
}

func TestRevokedAndUnexpectedPeers(t *testing.T) {
	ca := newCA(t)
	a, b, c := member(t, ca, now), member(t, ca, now), member(t, ca, now)
	gone := map[task.NodeID]bool{}
	va := &Verifier{Membership: func() *Membership { return a }, Revoked: func(id task.NodeID) bool { return gone[id] }}
	vb := &Verifier{Membership: func() *Membership { return b }}
	if _, s, cl := shake(t, va.Listen(nil), vb.Dial(b, a.ID(), ALPNMember)); s != nil || cl != nil {
		t.Fatal(s, cl)
	}
	if _, _, err := shake(t, va.Listen(nil), vb.Dial(b, c.ID(), ALPNMember)); err == nil || !strings.Contains(err.Error(), "answered where node") {
		t.Error("another node than the wanted one:", err)
	}
	gone[b.ID()] = true
	if _, err, _ := shake(t, va.Listen(nil), vb.Dial(b, a.ID(), ALPNMember)); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Error("revoked:", err)
	}
	if _, _, err := shake(t, vb.Listen(nil), va.Dial(a, b.ID(), ALPNMember)); err == nil || !strings.Contains(err.Error(), "removed") {
		t.Error("revoked and dialled:", err)
	}
}

// What is negotiated, and that anything else is refused: the suite, the version,
// the protocol, tickets.
func TestNegotiatedSuite(t *testing.T) {
	ca := newCA(t)
	a, b := member(t, ca, now), member(t, ca, now)
	va := &Verifier{Membership: func() *Membership { return a }}
	vb := &Verifier{Membership: func() *Membership { return b }}
	cs, sErr, cErr := shake(t, va.Listen(nil), vb.Dial(b, "", ALPNMember))
	if sErr != nil || cErr != nil {
		t.Fatal(sErr, cErr)
	}
	if cs.CipherSuite != tls.TLS_AES_256_GCM_SHA384 || cs.Version != tls.VersionTLS13 || cs.DidResume || cs.NegotiatedProtocol != ALPNMember {
		t.Errorf("%s, %s, resumed %v, %q", tls.CipherSuiteName(cs.CipherSuite), tls.VersionName(cs.Version), cs.DidResume, cs.NegotiatedProtocol)
	}
	for _, bad := range []func(*tls.ConnectionState){
		func(s *tls.ConnectionState) { s.CipherSuite = tls.TLS_AES_128_GCM_SHA256 },
		func(s *tls.ConnectionState) { s.CipherSuite = tls.TLS_CHACHA20_POLY1305_SHA256 },
		func(s *tls.ConnectionState) { s.Version = tls.VersionTLS12 },
		func(s *tls.ConnectionState) { s.DidResume = true },
		func(s *tls.ConnectionState) { s.PeerCertificates = nil },
	} {
		state := cs
		bad(&state)
		if _, err := vb.Verify(b, state, false); task.KindOf(err) != task.KindNotAllowed {
			t.Error(err)
		}
	}
	if _, err := vb.Verify(b, cs, false); err != nil {
		t.Error(err)
	}
}

func TestProtocols(t *testing.T) {
	ca := newCA(t)
	m := member(t, ca, now)
	v := &Verifier{Membership: func() *Membership { return m }}
	none := &Verifier{Membership: func() *Membership { return nil }}
	join := base()
	cert, _ := throwaway()
	join.Certificates, join.NextProtos, join.VerifyConnection = []tls.Certificate{cert}, []string{ALPNJoin}, nil
	stranger := base()
	own, _ := throwaway()
	stranger.Certificates, stranger.VerifyConnection = []tls.Certificate{own}, nil
	ask := func(alpn ...string) *tls.Config { c := stranger.Clone(); c.NextProtos = alpn; return c }
	for name, c := range map[string]struct {
		server *tls.Config
		client *tls.Config
		got    string // empty: refused
	}{
		"a stranger asks to join":                  {v.Listen(join), ask(ALPNJoin), ALPNJoin},
		"a stranger asks to join a node apart":     {none.Listen(join), ask(ALPNJoin), ALPNJoin},
		"joining is off":                           {v.Listen(nil), ask(ALPNJoin), ""},
		"a stranger as member":                     {v.Listen(join), ask(ALPNMember), ""},
		"a member at a node apart":                 {none.Listen(join), v.Dial(m, "", ALPNMember), ""},
		"a protocol of another program":            {v.Listen(join), ask("h3"), ""},
		"no protocol at all":                       {v.Listen(join), ask(), ""},
		"raft where there is none":                 {v.Listen(join), v.Dial(m, "", ALPNRaft), ""},
		"a member at itself":                       {v.Listen(join), v.Dial(m, "", ALPNMember), ALPNMember},
		"TLS 1.2":                                  {v.Listen(join), old12(ask(ALPNMember)), ""},
		"a stranger without certificate":           {v.Listen(join), bare(ask(ALPNMember)), ""},
		"a stranger that joins without a key":      {v.Listen(join), bare(ask(ALPNJoin)), ""},
		"a stranger that offers both, most of all": {v.Listen(join), ask(ALPNMember, ALPNJoin), ALPNJoin},
	} {
		cs, sErr, _ := shake(t, c.server, c.client)
		if (sErr == nil) != (c.got != "") || sErr == nil && cs.NegotiatedProtocol != c.got {
			t.Errorf("%s: %v, %q", name, sErr, cs.NegotiatedProtocol)
		}
	}
}

func old12(c *tls.Config) *tls.Config {
	c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	return c
}
func bare(c *tls.Config) *tls.Config { c.Certificates = nil; return c }

func TestMembershipsThatDoNotHold(t *testing.T) {
	ca, other := newCA(t), newCA(t)
	m := member(t, ca, now, task.RoleWorker)
	id, _ := NewIdentity()
	for name, f := range map[string]func() (*Membership, error){
		"other key":       func() (*Membership, error) { return NewMembership(id, m.Root(), m.Chain()...) },
		"other root":      func() (*Membership, error) { return NewMembership(m.Identity(), other.Root(), m.Chain()...) },
		"leaf as root":    func() (*Membership, error) { return NewMembership(m.Identity(), m.Chain()[0], m.Chain()...) },
		"no certificate":  func() (*Membership, error) { return NewMembership(m.Identity(), m.Root()) },
		"rubbish":         func() (*Membership, error) { return NewMembership(m.Identity(), m.Root(), []byte("x")) },
		"rubbish as root": func() (*Membership, error) { return NewMembership(m.Identity(), nil, m.Chain()...) },
	} {
		if got, err := f(); err == nil {
			t.Errorf("%s: %v", name, got.ID())
		}
	}
	if !slices.Equal(m.Roles(), []task.Role{task.RoleWorker}) || m.ClusterID() != ca.ClusterID() {
		t.Error(m.Roles(), m.ClusterID())
	}
	if _, err := ca.Issue(id.Public(), []task.Role{"emperor"}, now); task.KindOf(err) != task.KindUsage {
		t.Error(err)
	}
}
