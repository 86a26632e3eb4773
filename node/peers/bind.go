package peers

import (
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// Bind opens the node's UDP socket. A port that nobody asked for and that is
// taken is replaced by a free one.
func Bind(c *config.Config, asked bool) (net.PacketConn, error) {
	host := ""
	if len(c.Bind) > 1 {
		return nil, task.Errorf(task.KindUsage, "a node listens on one address: --bind was given %d times", len(c.Bind)).
			WithHint("leave --bind away to listen on all addresses, or run a node for each")
	}
	if len(c.Bind) > 0 {
		var err error
		if host, err = bindAddr(c.Bind[0]); err != nil {
			return nil, err
		}
	}
	conn, err := Listen(host, c.Port)
	if err == nil {
		return conn, nil
	}
	if asked {
		return nil, portError(c, host, c.Port, err)
	}
	if conn, err = Listen(host, 0); err != nil {
		return nil, portError(c, host, 0, err)
	}
	return conn, nil
}

// ErrTaken says that another program has the port.
var ErrTaken = errors.New("taken by another program")

// portError says why a port cannot be had.
func portError(c *config.Config, host string, port int, err error) error {
	var sys *os.SyscallError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return task.Errorf(task.KindUsage, "UDP port %d is %w", port, ErrTaken).
			WithHint("choose another with --port, or leave --port away to use any that is free")
	case errors.Is(err, syscall.EADDRNOTAVAIL) && len(c.Bind) > 0:
		return task.Errorf(task.KindUsage, "--bind %s: %s is not an address of this machine", c.Bind[0], host).
			WithHint("list the interfaces with: octaskly doctor")
	case errors.As(err, &sys):
		err = sys.Err
	}
	return task.Errorf(task.KindUnavailable, "listen on UDP port %d: %w", port, err).
		WithHint("ports below 1024 are for root on most systems: choose another with --port, and check --bind")
}

// Listen opens a UDP socket at a host, or at all addresses of this machine, which may
// have only one kind of them.
func Listen(host string, port int) (net.PacketConn, error) {
	a, err := net.ResolveUDPAddr("udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", a)
	if err != nil || host != "" || !isIPv4(conn.LocalAddr()) || hasIPv4() {
		return conn, err
	}
	_ = conn.Close()
	return net.ListenUDP("udp6", a)
}

func isIPv4(a net.Addr) bool {
	u, ok := a.(*net.UDPAddr)
	return ok && u.IP.To4() != nil
}

// hasIPv4 reports whether this machine has any IPv4 address, the loopback's
// included. Without one Go takes a socket for all addresses to be for IPv4
// alone, with which an IPv6-only machine hears nobody.
func hasIPv4() bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(addrs, isIPv4Net)
}

func isIPv4Net(a net.Addr) bool {
	n, ok := a.(*net.IPNet)
	return ok && n.IP.To4() != nil
}

// bindAddr turns --bind, an address or an interface's name, into an address.
func bindAddr(s string) (string, error) {
	if net.ParseIP(s) != nil {
		return s, nil
	}
	ifc, err := net.InterfaceByName(s)
	if err != nil {
		return "", task.Errorf(task.KindUsage, "--bind %s is neither an address nor a network interface of this machine", s).
			WithHint("list the interfaces with: octaskly doctor")
	}
	addrs, err := ifc.Addrs()
	if err != nil || len(addrs) == 0 {
		return "", task.Errorf(task.KindUsage, "--bind %s: the interface has no address", s)
	}
	if at := slices.IndexFunc(addrs, isIPv4Net); at >= 0 {
		return addrs[at].(*net.IPNet).IP.String(), nil
	}
	return addrs[0].(*net.IPNet).IP.String(), nil
}
