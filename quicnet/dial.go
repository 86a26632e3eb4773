package quicnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// stagger is the head start of each address of a name over the next one.
const stagger = 150 * time.Millisecond

// Dial connects to a member of this node's cluster at addr, "host:port", and
// returns after its WELCOME. A want that is not empty is the only node that is
// accepted. When the other side already has a better session with this node the
// error is ErrDuplicate, and Endpoint.Session finds that one. Other errors are
// task.Errors that name every address that was tried.
func (e *Endpoint) Dial(ctx context.Context, addr string, want task.NodeID) (*Session, error) {
	if err := e.usable(ctx); err != nil {
		return nil, err
	}
	m := e.cfg.Membership()
	if m == nil {
		return nil, task.Errorf(task.KindNotAllowed, "cannot dial %s: this node is no member of a cluster yet", addr)
	}
	targets, err := resolve(ctx, addr, e.Addr())
	if err != nil {
		return nil, err
	}
	return first(ctx, targets, func(ctx context.Context, to *net.UDPAddr) (*Session, error) {
		return e.dialOne(ctx, to, m, want)
	})
}

// dialOne connects to one address. When the other side refuses because it still
// sees a session that is gone here, it is told so once.
func (e *Endpoint) dialOne(ctx context.Context, to *net.UDPAddr, m *trust.Membership, want task.NodeID) (*Session, error) {
	s, peer, err := e.attempt(ctx, to, m, want, false)
	if errors.Is(err, ErrDuplicate) {
		if _, have := e.Session(peer); !have {
			s, _, err = e.attempt(ctx, to, m, want, true)
		}
	}
	switch {
	case err == nil || errors.Is(err, ErrDuplicate):
		return s, err
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return nil, ctx.Err()
	}
	return nil, dialError(err, to.String(), e.cfg.Limits)
}

func (e *Endpoint) attempt(ctx context.Context, to *net.UDPAddr, membership *trust.Membership, want task.NodeID, sole bool) (*Session, task.NodeID, error) {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.Limits.Handshake)
	defer cancel()
	gated, _ := withGate(ctx)
	conn, err := e.tr.Dial(gated, to, e.verifier.Dial(membership, want, trust.ALPNMember), e.qconf)
	if err != nil {
		return nil, "", err
	}
	peer, err := e.verifier.Verify(membership, conn.ConnectionState().TLS, false)
	if err != nil {
		closeConn(conn, CodeRefused, "")
		return nil, "", err
	}
	session, err := e.greet(ctx, conn, membership, sole)
	if err != nil {
		if closedAs(conn, err, CodeDuplicate) { // welcomed and replaced before WELCOME was read
			err = ErrDuplicate
		}
		code := CodeRefused
		if errors.Is(err, ErrDuplicate) {
			code = CodeDuplicate
		}
		closeConn(conn, code, "")
		return nil, peer.ID, err
	}
	return session, peer.ID, nil
}

// resolve turns "host:port" into the addresses that a socket bound to local can
// reach.
func resolve(ctx context.Context, addr string, local net.Addr) ([]*net.UDPAddr, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, task.Errorf(task.KindUsage, "%q is not an address: %w", addr, err).WithHint("write it as HOST:PORT, such as 192.168.1.20:7878")
	}
	portNumber, err := strconv.ParseUint(port, 10, 16)
	if err != nil || portNumber == 0 {
		return nil, task.Errorf(task.KindUsage, "%q is not a port", port).WithHint("ports are numbers from 1 to 65535")
	}
	var ips []netip.Addr
	if ip, perr := netip.ParseAddr(host); perr == nil {
		ips = []netip.Addr{ip}
	} else if ips, err = Lookup(ctx, host); err != nil {
		return nil, err
	}
	var out []*net.UDPAddr
	self := false
	for _, ip := range ips {
		to := netip.AddrPortFrom(ip.Unmap(), uint16(portNumber))
		switch {
		case isOwn(local, to, net.InterfaceAddrs):
			self = true
		case reaches(local, to.Addr()):
			out = append(out, net.UDPAddrFromAddrPort(to))
		}
	}
	switch {
	case len(out) == 0 && self:
		return nil, task.Errorf(task.KindNoDispatcher, "%s is this node itself", addr).WithHint("name another machine's address")
	case len(out) == 0:
		return nil, task.Errorf(task.KindUsage, "%s has no address that %s can reach (%v)", host, local, ips)
	}
	return out, nil
}

// isOwn reports whether what is sent to an address comes back to the socket
// bound to local. interfaces lists the addresses of this machine.
func isOwn(local net.Addr, to netip.AddrPort, interfaces func() ([]net.Addr, error)) bool {
	u, ok := local.(*net.UDPAddr)
	if !ok || u.Port != int(to.Port()) {
		return false
	}
	if len(u.IP) > 0 && !u.IP.IsUnspecified() {
		return u.IP.Equal(to.Addr().AsSlice())
	}
	if to.Addr().IsLoopback() || to.Addr().IsUnspecified() {
		return true
	}
	all, _ := interfaces() // hidden on some systems: then it finds out when it answers
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(to.Addr().AsSlice())
	})
}

// Lookup asks the system for the addresses of a name. The error says in plain words
// what was wrong, and what to do.
func Lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, nameError(name, err)
	}
	return ips, nil
}

// nameError says why a name has no address.
func nameError(host string, err error) error {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return task.Errorf(task.KindUsage, "find the address of %s: %w", host, err).WithHint("check the name, or give an IP address")
	case dns.IsNotFound:
		return task.Errorf(task.KindUsage, "no machine is known as %s", host).WithHint("check the name, or give an IP address")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return task.Errorf(task.KindUsage, "find the address of %s: no name server answered in time", host).WithHint("give an IP address, or see whether the network is up: octaskly doctor")
	case dns.Server != "":
		return task.Errorf(task.KindUsage, "find the address of %s: the name server %s does not answer", host, dns.Server).WithHint("give an IP address, or see whether the network is up: octaskly doctor")
	}
	return task.Errorf(task.KindUsage, "find the address of %s: %s", host, dns.Err).WithHint("check the name, or give an IP address")
}

// reaches reports whether a socket bound to local has the right family for ip.
func reaches(local net.Addr, ip netip.Addr) bool {
	u, ok := local.(*net.UDPAddr)
	if !ok || len(u.IP) == 0 {
		return true
	}
	at, _ := netip.AddrFromSlice(u.IP)
	switch {
	case at.Is6() && !at.Is4In6() && at.IsUnspecified():
		return true // both families
	case at.Unmap().Is4():
		return ip.Is4()
	}
	return ip.Is6()
}

type outcome struct {
	s   *Session
	err error
}

// first tries all addresses, each a little later than the one before or as soon
// as that one has failed, and returns the first success. The others are closed.
func first(ctx context.Context, targets []*net.UDPAddr, dial func(context.Context, *net.UDPAddr) (*Session, error)) (*Session, error) {
	if len(targets) == 1 {
		return dial(ctx, targets[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan outcome)
	started, pending := 0, 0
	launch := func() {
		to := targets[started]
		started, pending = started+1, pending+1
		go func() { s, err := dial(ctx, to); results <- outcome{s, err} }()
	}
	var won *Session
	var errs []error
	launch()
	for pending > 0 {
		var next <-chan time.Time
		if started < len(targets) && won == nil {
			next = time.After(stagger)
		}
		select {
		case <-next:
			launch()
		case result := <-results:
			pending--
			switch {
			case result.err != nil:
				errs = append(errs, result.err)
				if started < len(targets) && won == nil {
					launch()
				}
			case won == nil:
				won = result.s
				cancel()
			default:
				result.s.Close(CodeDuplicate, "")
			}
		}
	}
	cancel()
	if won != nil {
		return won, nil
	}
	return nil, allFailed(errs)
}

// allFailed is one error that names every attempt; its kind is that of the first.
func allFailed(errs []error) error {
	for _, err := range errs {
		if errors.Is(err, ErrDuplicate) || errors.Is(err, context.Canceled) {
			return err
		}
	}
	words := make([]string, len(errs))
	for i, err := range errs {
		words[i] = err.Error()
	}
	return &task.Error{Kind: task.KindOf(errs[0]), Message: fmt.Sprintf("no address answered: %s", strings.Join(words, "; ")), Hint: task.HintOf(errs[0])}
}
