package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/peers"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// examinePort looks whether a node could listen, or does.
func examinePort(cfg *config.Config, running []string) Finding {
	c := *cfg
	conn, err := peers.Bind(&c, true)
	at, taken := fmt.Sprintf("UDP port %d", cfg.Port), errors.Is(err, peers.ErrTaken)
	switch {
	case err == nil:
		_ = conn.Close()
		return Finding{"port", OK, at + " is free for a node", ""}
	case taken && len(running) > 0:
		return Finding{"port", OK, at + " is used, and " + strings.Join(running, ", ") + " runs here", ""}
	case taken:
		return Finding{"port", Warning, at + " is used by another program", "a node takes another one that is free; name one with --port"}
	}
	return findingOf("port", err)
}

// Sizes of socket buffers in bytes: what fast transfers want, and what they
// suffer below.
const (
	bufferWanted = 7 << 20
	bufferPoor   = 2 << 20
)

// bufferCures raises the limits, where it is known how.
var bufferCures = map[string]string{
	"linux":   "sysctl -w net.core.rmem_max=7500000 net.core.wmem_max=7500000",
	"freebsd": "sysctl kern.ipc.maxsockbuf=9000000",
	"darwin":  "sysctl -w kern.ipc.maxsockbuf=8441037",
}

func examineBuffers() Finding {
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return Finding{"buffers", Broken, "open a UDP socket: " + err.Error(), "this system must allow UDP"}
	}
	defer conn.Close()
	_ = conn.SetReadBuffer(bufferWanted) // what came of it is read back
	_ = conn.SetWriteBuffer(bufferWanted)
	in, out, ok := bufferSizes(conn)
	return judgeBuffers(in, out, ok)
}

func judgeBuffers(in, out int, known bool) Finding {
	f := Finding{Area: "buffers", Level: OK, Text: fmt.Sprintf("UDP sockets get %.1f MiB to read and %.1f MiB to write", float64(in)/(1<<20), float64(out)/(1<<20))}
	switch {
	case !known:
		f.Level, f.Text = Info, "the buffers of UDP sockets cannot be seen on this system"
	case min(in, out) < bufferPoor:
		f.Level, f.Cure = Warning, "packets get lost under load: raise the system's limit on socket buffers"
		if cure := bufferCures[runtime.GOOS]; cure != "" {
			f.Cure = "packets get lost under load; as root: " + cure
		}
	}
	return f
}

// lookTime is how long the doctor listens to the network: a node is seen within
// two seconds.
const lookTime = 2200 * time.Millisecond

// lookSocket is a plain UDP socket from which the doctor probes.
type lookSocket struct{ net.PacketConn }

var _ discover.Socket = lookSocket{}

func (s lookSocket) WriteTo(_ context.Context, b []byte, a net.Addr) error {
	_, err := s.PacketConn.WriteTo(b, a)
	return err
}

func (s lookSocket) ReadNonQUIC(ctx context.Context, b []byte) (int, net.Addr, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	return s.ReadFrom(b)
}

// examineDiscovery tries every rung for a moment and says on which interface it
// did what, and who answered.
func examineDiscovery(ctx context.Context, cfg *config.Config) []Finding {
	conn, err := peers.Listen("", 0)
	if err != nil {
		return []Finding{{"discovery", Broken, "open a UDP socket: " + err.Error(), "this system must allow UDP"}}
	}
	defer conn.Close()
	id, err := trust.NewIdentity()
	if err != nil {
		return []Finding{findingOf("discovery", err)}
	}
	self := discover.Self{Node: id.ID(), Name: "doctor", Port: uint16(conn.LocalAddr().(*net.UDPAddr).Port), Version: wire.MaxVersion, Looks: true}
	f := discover.New(discover.Config{
		Self: func() discover.Self { return self }, Socket: lookSocket{conn}, ProbePort: uint16(cfg.DiscoveryPort),
		DialPort: uint16(cfg.DispatcherPort), Resolve: quicnet.Lookup,
		Seeds: func() []string {
			if cfg.Dispatcher == "" {
				return nil
			}
			return []string{cfg.Dispatcher}
		},
	})
	return lookAround(ctx, f, cfg.Dispatcher != "")
}

// addressTime is how long the doctor waits for what came of a given address: the
// name's look-up, and then the answer.
const addressTime = 6 * time.Second

// lookAround listens for lookTime, and with given until the given address was
// judged.
func lookAround(ctx context.Context, f *discover.Finder, given bool) []Finding {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { _ = f.Run(ctx) })
	seen := map[task.NodeID]*heard{}
	begin, step := time.Now(), time.NewTicker(lookTime/20)
	defer step.Stop()
	for {
		select {
		case s := <-f.Sightings():
			hear(seen, s)
			continue
		case <-step.C:
		case <-ctx.Done():
		}
		judged := !given || slices.ContainsFunc(f.Facts(), func(x discover.Fact) bool { return x.Rung == discover.ByAddress })
		if past := time.Since(begin); ctx.Err() != nil || past >= addressTime || past >= lookTime && judged {
			break
		}
	}
	var all []Finding
	for _, x := range f.Facts() {
		all = append(all, findingOfFact(x))
	}
	local, _ := net.InterfaceAddrs() // hidden on some systems
	return append(all, judgePeers(seen, local)...)
}

// heard is a node that the doctor heard of, and how.
type heard struct {
	discover.Sighting
	ways []string
}

func hear(seen map[task.NodeID]*heard, s discover.Sighting) {
	if s.Node == "" {
		return
	}
	h := seen[s.Node]
	switch {
	case h == nil:
		h = &heard{Sighting: s}
		seen[s.Node] = h
	case h.Asks && !s.Asks: // a record may be older than its membership
		h.Sighting = s
	}
	if way := string(s.Via); !slices.Contains(h.ways, way) {
		h.ways = append(h.ways, way)
	}
}

// judgePeers says which nodes were heard, and whether any of them is on another
// machine than the one with the local addresses.
func judgePeers(seen map[task.NodeID]*heard, local []net.Addr) []Finding {
	here := func(h *heard) bool {
		return len(h.Addrs) > 0 && slices.ContainsFunc(local, func(a net.Addr) bool {
			n, ok := a.(*net.IPNet)
			return ok && n.IP.Equal(h.Addrs[0].Addr().AsSlice())
		})
	}
	var all []Finding
	elsewhere := false
	for _, h := range seen {
		slices.Sort(h.ways)
		elsewhere = elsewhere || !here(h)
		all = append(all, Finding{"peers", OK, describeSeen(h.Sighting, h.ways), ""})
	}
	slices.SortFunc(all, func(a, b Finding) int { return strings.Compare(a.Text, b.Text) })
	if elsewhere {
		return all
	}
	who := "no node answered"
	if len(seen) > 0 {
		who = "no node on another machine answered"
	}
	return append(all, Finding{
		"peers", Info, fmt.Sprintf("%s within %s", who, lookTime),
		"if there are some, let UDP 7878 and the discovery port through the firewalls of all machines, or name an address: --dispatcher HOST",
	})
}

// findingOfFact is how a rung fares. One that fails is no more than a warning:
// any other suffices.
func findingOfFact(x discover.Fact) Finding {
	f := Finding{Area: "discovery", Level: OK, Text: string(x.Rung)}
	if x.Interface != "" {
		f.Text += " on " + x.Interface
	}
	f.Text += ": " + x.Words
	switch {
	case !x.OK && x.Rung == discover.ByAddress: // somebody asked for it
		f.Level, f.Cure = Broken, x.Hint
	case !x.OK:
		f.Level, f.Cure = Warning, x.Hint
	}
	return f
}

func describeSeen(s discover.Sighting, ways []string) string {
	text := s.Name
	if len(s.Addrs) > 0 {
		text += " at " + s.Addrs[0].String()
	}
	switch {
	case s.Asks:
		text += " asks to be let in"
	case s.Dispatches:
		text += " dispatches in the cluster " + control.ShortCluster(s.Cluster)
	case s.Cluster != "":
		text += " is a member of the cluster " + control.ShortCluster(s.Cluster)
	}
	return text + ", heard by " + strings.Join(ways, " and ")
}

// examineCluster looks whether the dispatcher can be reached, the way that
// commands reach it.
func examineCluster(ctx context.Context, cfg *config.Config, p config.Paths, version string, running []string) []Finding {
	if len(running) == 0 && !isMember(p) {
		return []Finding{{"cluster", Info, "this user has no node yet", "begin a cluster: octaskly dispatcher\njoin one: octaskly worker, or octaskly join CODE"}}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*client.AnswerTime)
	defer cancel()
	c, closer, err := client.Dial(ctx, cfg, p, version)
	if err != nil {
		return []Finding{findingOf("cluster", err)}
	}
	defer closer.Close()
	s, err := c.Status(ctx)
	if err != nil {
		return []Finding{findingOf("cluster", err)}
	}
	var all []Finding
	if s.Dispatcher != "" {
		all = append(all, Finding{"cluster", OK, fmt.Sprintf("%s dispatches in the cluster %s", s.Dispatcher, control.ShortCluster(s.Cluster)), ""})
	}
	for _, f := range s.Problems {
		if f.Level != Info { // what is only of note was looked at here
			all = append(all, Finding{"cluster", f.Level, f.Text, f.Cure})
		}
	}
	return all
}

// isMember reports whether a node of this user is a member of a cluster.
func isMember(p config.Paths) bool {
	return slices.ContainsFunc(home.Places(p.Nodes), func(place home.Place) bool { return home.HoldsMembership(place.Dir) })
}
