package discover

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Rung is one way of finding nodes.
type Rung string

// The rungs.
const (
	ByAddress Rung = "address" // given by hand or remembered
	ByMDNS    Rung = "mdns"
	ByProbe   Rung = "probe"
	ByPeers   Rung = "peers" // told by a peer
)

// Self is what a node tells the network about itself. None of it is secret.
type Self struct {
	Node       task.NodeID
	Cluster    string // id of its cluster; empty while it is no member
	Name       string
	Port       uint16 // UDP port it listens on
	Version    uint16 // highest protocol version it speaks
	Asks       bool   // it shows a join code
	Dispatches bool
	Looks      bool // it only looks around: it answers nobody and is no node to be seen
}

// Sighting is a hint where a node may be reached.
type Sighting struct {
	Self
	// Addrs are where to dial, best first; at most 8.
	Addrs []netip.AddrPort
	// Given is the address as it was given by hand, "host:port"; Node is empty
	// then.
	Given string
	Via   Rung
	At    time.Time
}

// Fact is how a rung fares on an interface, for people.
type Fact struct {
	Rung      Rung
	Interface string // empty: not about one interface
	OK        bool
	Words     string // what was tried and what came of it
	Hint      string // what to do, if it failed
	At        time.Time

	about string // tells facts of one rung and interface apart
}

func (x Fact) key() string { return string(x.Rung) + "\x00" + x.Interface + "\x00" + x.about }

// Socket is the node's own UDP socket. Probes leave from it, so that their source
// is where the node can be dialled, and answers come back to it.
type Socket interface {
	WriteTo(ctx context.Context, b []byte, addr net.Addr) error
	ReadNonQUIC(ctx context.Context, b []byte) (int, net.Addr, error)
}

// Config is what a Finder needs. Zero fields take their defaults.
type Config struct {
	Self   func() Self
	Socket Socket
	// Seeds are addresses to try: "host" or "host:port".
	Seeds func() []string
	// Connected is how many peers this node is connected to. With three or more
	// the search becomes rare.
	Connected func() int
	// ProbePort is where probes go and are heard; default 5555.
	ProbePort uint16
	// DialPort is the port of a seed without one; default 7878.
	DialPort uint16
	// Off are rungs that are not to be used.
	Off []Rung
	// Interfaces lists the network interfaces; default is the system's.
	Interfaces func() ([]Interface, error)
	// Listen opens the socket on which probes are heard; default is a UDP socket
	// that programs of one machine share.
	Listen func(port uint16) (net.PacketConn, error)
	// Resolve turns a name into addresses; default is the system's resolver. Its
	// error is shown to people.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Logger  *slog.Logger
}

// Defaults and bounds.
const (
	DefaultProbePort = 5555
	DefaultDialPort  = 7878
	maxAddrs         = 8
	maxKnown         = 256 // sightings remembered, to leave out repeats
	repeatAfter      = 2 * time.Second
	watchEvery       = 5 * time.Second // for changes of interfaces and of Self
	queueLen         = 256
)

// Finder runs the rungs. Its methods may be called from any goroutine.
type Finder struct {
	cfg  Config
	log  *slog.Logger
	out  chan Sighting
	wake chan struct{}
	self chan struct{} // Self may have changed
	ask  chan struct{} // to seedLoop

	flooded chan struct{} // from the library's read loop: more answers than there can be nodes

	mu    sync.Mutex
	facts map[string]Fact
	known map[string]time.Time
	given map[string]*seed // by the address as it was given
}

// New makes a Finder. It starts nothing; Run does.
func New(cfg Config) *Finder {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Seeds == nil {
		cfg.Seeds = func() []string { return nil }
	}
	if cfg.Connected == nil {
		cfg.Connected = func() int { return 0 }
	}
	if cfg.ProbePort == 0 {
		cfg.ProbePort = DefaultProbePort
	}
	if cfg.DialPort == 0 {
		cfg.DialPort = DefaultDialPort
	}
	if cfg.Interfaces == nil {
		cfg.Interfaces = systemInterfaces
	}
	if cfg.Listen == nil {
		cfg.Listen = listenShared
	}
	if cfg.Resolve == nil {
		cfg.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return &Finder{
		cfg: cfg, log: cfg.Logger, out: make(chan Sighting, queueLen), wake: make(chan struct{}, 1), self: make(chan struct{}, 1), ask: make(chan struct{}, 1), flooded: make(chan struct{}, 1),
		facts: make(map[string]Fact), known: make(map[string]time.Time), given: make(map[string]*seed),
	}
}

// Sightings is the stream of hints. What nobody takes is dropped; it comes again
// with the next search.
func (f *Finder) Sightings() <-chan Sighting { return f.out }

// Search starts the search anew, at its quick pace: after all peers were lost,
// or because a person asked.
func (f *Finder) Search() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Changed says that Self may have changed, so that the network hears of it at
// once. Without it that takes some seconds.
func (f *Finder) Changed() {
	select {
	case f.self <- struct{}{}:
	default:
	}
}

// Observe enters what a peer told about others, if it can be true.
func (f *Finder) Observe(s Sighting) {
	s.Name = cutName(s.Name)
	if f.on(ByPeers) && s.valid() {
		s.Via = ByPeers
		f.see(s)
	}
}

// Facts lists how every rung fares, in a fixed order.
func (f *Finder) Facts() []Fact {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]Fact, 0, len(f.facts))
	for _, x := range f.facts {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b Fact) int {
		return strings.Compare(a.key(), b.key())
	})
	return all
}

// Run searches until ctx ends. It returns only when all its goroutines have.
// When interfaces change, the rungs are set up anew. When they or Self change, the
// search starts again at its quick pace.
func (f *Finder) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.on(ByProbe) {
		wg.Go(func() { f.hear(ctx) })
		wg.Go(func() { f.hearAnswers(ctx) })
	}
	wg.Go(func() { f.seedLoop(ctx) })
	for ctx.Err() == nil {
		f.epoch(ctx)
	}
	return nil
}

// epoch searches for as long as interfaces stay the same.
func (f *Finder) epoch(ctx context.Context) {
	ifaces, err := f.cfg.Interfaces()
	if err != nil {
		f.fact(Fact{
			Rung: ByProbe, about: "interfaces", Words: "this system does not show its network interfaces: " + err.Error(),
			Hint: "give the address of a node: --dispatcher HOST",
		})
	}
	self := f.cfg.Self()
	f.forget()
	service := f.openMDNS(self, ifaces)
	defer func() { service.close() }()
	rested := time.NewTimer(mdnsRest)
	rested.Stop()
	defer rested.Stop()
	search := time.NewTimer(0)
	defer search.Stop()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			n = 0
			search.Reset(0)
		case <-search.C:
			f.search(ctx, ifaces, service)
			search.Reset(pause(n, f.cfg.Connected(), rand.Float64()))
			n++
		case <-watch.C:
			if now, err := f.cfg.Interfaces(); err == nil && !sameInterfaces(now, ifaces) {
				return
			}
			f.Changed()
		case <-f.self:
			now := f.cfg.Self()
			if now == self {
				continue
			}
			if now.Port != self.Port || now.Node != self.Node {
				return
			}
			self = now
			service.announce(self, ifaces)
			f.Search()
		case <-f.flooded:
			service.close() // whatever it hears costs it time
			service = nil
			f.fact(Fact{Rung: ByMDNS, about: "flood", Words: fmt.Sprintf("more than %d answers to one question: somebody makes nodes up; not used for %s", browseMost, mdnsRest), Hint: "nodes are still found by the probe and by address"})
			rested.Reset(mdnsRest)
		case <-rested.C:
			service = f.openMDNS(self, ifaces)
			f.fact(Fact{Rung: ByMDNS, about: "flood", OK: true, Words: "used again after a flood"})
			f.Search()
		}
	}
}

// search asks once on every rung.
func (f *Finder) search(ctx context.Context, ifaces []Interface, m *mdnsRung) {
	m.browse(ctx)
	if f.on(ByProbe) {
		f.probe(ctx, ifaces)
	}
	if f.on(ByAddress) {
		select {
		case f.ask <- struct{}{}:
		default: // it is still at it
		}
	}
}

// quick is when a search asks again after it began.
var quick = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// pause is how long to wait after the n-th question of a search (from 0): quick at
// first, then about every 30 s, and every five minutes while three peers or more
// are connected, since they tell of all others. chance is from 0 to 1.
func pause(n, connected int, chance float64) time.Duration {
	if n < len(quick) {
		return quick[n]
	}
	d := 30 * time.Second
	if connected >= 3 {
		d = 5 * time.Minute
	}
	return time.Duration(float64(d) * (0.8 + 0.4*chance))
}

func (f *Finder) on(r Rung) bool { return !slices.Contains(f.cfg.Off, r) }

// see passes a sighting on, unless it is this node, repeats one of the last two
// seconds, or nobody takes it.
func (f *Finder) see(sighting Sighting) {
	if sighting.Node != "" && sighting.Node == f.cfg.Self().Node || len(sighting.Addrs) == 0 {
		return
	}
	sighting.Addrs = sighting.Addrs[:min(len(sighting.Addrs), maxAddrs)]
	sighting.At = time.Now()
	key := sighting.key()
	f.mu.Lock()
	repeated := sighting.At.Sub(f.known[key]) < repeatAfter
	if !repeated {
		if len(f.known) >= maxKnown {
			clear(f.known)
		}
		f.known[key] = sighting.At
	}
	f.mu.Unlock()
	if repeated {
		return
	}
	select {
	case f.out <- sighting:
	default:
		f.log.Debug("a sighting was dropped", "node", sighting.Node.Short(), "via", sighting.Via)
	}
}

func (s Sighting) key() string {
	var b strings.Builder
	b.WriteString(string(s.Via) + "|" + string(s.Node) + "|" + s.Cluster + "|" + s.Name + "|" + s.Given)
	for _, a := range s.Addrs {
		b.WriteString("|" + a.String())
	}
	if s.Asks {
		b.WriteString("|asks")
	}
	return b.String()
}

// fact records how a rung fares.
func (f *Finder) fact(x Fact) {
	x.At = time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	old, had := f.facts[x.key()]
	f.facts[x.key()] = x
	if !x.OK && (!had || old.OK) {
		f.log.Info("discovery", "rung", x.Rung, "interface", x.Interface, "words", x.Words)
	}
}

// forget drops the facts of interfaces, which may be gone.
func (f *Finder) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for k, x := range f.facts {
		if x.Interface != "" {
			delete(f.facts, k)
		}
	}
}
