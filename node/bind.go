package node

import (
	"errors"
	"net"
	"strconv"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// bind opens the node's UDP socket. A port that nobody asked for and that is
// taken is replaced by a free one.
func bind(c *config.Config, asked bool) (net.PacketConn, error) {
	host := ""
	if len(c.Bind) > 0 {
		var err error
		if host, err = bindAddr(c.Bind[0]); err != nil {
			return nil, err
		}
	}
	conn, err := listenUDP(host, c.Port)
	if err == nil {
		return conn, nil
	}
	if asked {
		return nil, task.Errorf(task.KindConflict, "listen on UDP port %d: %w", c.Port, errors.Unwrap(err)).
			WithHint("another program has the port: choose another with --port, or leave --port away to use any that is free")
	}
	if conn, err = listenUDP(host, 0); err != nil {
		return nil, task.Errorf(task.KindUnavailable, "listen on UDP at %q: %w", host, err).
			WithHint("check --bind")
	}
	return conn, nil
}

func listenUDP(host string, port int) (net.PacketConn, error) {
	a, err := net.ResolveUDPAddr("udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp", a)
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
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.String(), nil
		}
	}
	return addrs[0].(*net.IPNet).IP.String(), nil
}
