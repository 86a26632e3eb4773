package discover

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// resolveTime bounds how long one name may take.
const resolveTime = 3 * time.Second

// ParseSeed splits an address as it is given by hand: a name or an IP address,
// with or without a port. Port is 0 when there was none.
func ParseSeed(text string) (host string, port uint16, err error) {
	bad := func(why string) (string, uint16, error) {
		return "", 0, task.Errorf(task.KindUsage, "%q is not an address: %s", text, why).
			WithHint("write a name or an IP address, with or without a port: 192.168.1.20 or mill-01:7878")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) || text == "" || len(text) > 300 {
		return bad("it is empty, too long or has blanks in it")
	}
	bare := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		bare = text[1 : len(text)-1]
	}
	if ip, perr := netip.ParseAddr(bare); perr == nil {
		return ip.String(), 0, nil
	}
	if !strings.Contains(text, ":") {
		return text, 0, nil
	}
	h, p, serr := net.SplitHostPort(text)
	if serr != nil || h == "" {
		return bad("an IPv6 address with a port is written [ADDRESS]:PORT")
	}
	n, perr := strconv.ParseUint(p, 10, 16)
	if perr != nil || n == 0 {
		return bad(fmt.Sprintf("%q is not a port", p))
	}
	return h, uint16(n), nil
}

// seedPatience is how long a given address has for its answer.
const seedPatience = 2 * time.Second

// seed is what is known of one given address.
type seed struct {
	nonce uint64    // in every probe that goes there, and in the answers
	since time.Time // of the first probe without an answer; zero: there is none
	where string    // it, and the addresses that its name has
}

// seedLoop looks given addresses up apart from the other rungs, for a name server
// may take its time, and judges those that do not answer.
func (f *Finder) seedLoop(ctx context.Context) {
	judge := time.NewTimer(0)
	judge.Stop()
	defer judge.Stop()
	waiting := false
	for {
		select {
		case <-f.ask:
			if f.seeds(ctx) && !waiting {
				judge.Reset(seedPatience)
				waiting = true
			}
		case <-judge.C:
			waiting = false
			f.judgeSeeds(time.Now())
		case <-ctx.Done():
			return
		}
	}
}

// seeds turns the given addresses into sightings and probes them. It reports
// whether there were any.
func (f *Finder) seeds(ctx context.Context) bool {
	given := f.cfg.Seeds()
	f.forgetSeeds(given)
	for _, seed := range given {
		host, port, err := ParseSeed(seed)
		if err != nil {
			f.fact(Fact{Rung: ByAddress, about: seed, Words: err.Error(), Hint: task.HintOf(err)})
			continue
		}
		ips, err := f.lookup(ctx, host)
		if err != nil || len(ips) == 0 {
			if ctx.Err() == nil {
				f.fact(nameFact(seed, host, err))
			}
			continue
		}
		var at []netip.AddrPort
		for _, ip := range ips {
			at = append(at, netip.AddrPortFrom(ip.Unmap(), cmp.Or(port, f.cfg.DialPort)))
		}
		f.probeSeed(ctx, seed, at, port == 0)
		f.see(Sighting{Addrs: at, Given: net.JoinHostPort(host, strconv.Itoa(int(at[0].Port()))), Via: ByAddress})
	}
	return len(given) > 0
}

// nameFact says that a name has no address.
func nameFact(s, host string, err error) Fact {
	x := Fact{Rung: ByAddress, about: s, Words: "no machine is known as " + host, Hint: "check the name, or give an IP address"}
	if err != nil {
		x.Words, x.Hint = err.Error(), cmp.Or(task.HintOf(err), x.Hint)
	}
	return x
}

func (f *Finder) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	return f.cfg.Resolve(ctx, host)
}

// probeSeed asks who is at a given address, and with all also which other ports
// that machine's nodes have.
func (f *Finder) probeSeed(ctx context.Context, s string, at []netip.AddrPort, all bool) {
	b := packet{Self: f.cfg.Self(), kind: kindProbe, nonce: f.seedNonce(s, at)}.encode()
	send := func(to netip.AddrPort) {
		if err := f.cfg.Socket.WriteTo(ctx, b, net.UDPAddrFromAddrPort(to)); err != nil && ctx.Err() == nil {
			f.log.Debug("probe of a given address", "to", to.String(), "error", err)
		}
	}
	for _, to := range at {
		send(to)
		if all {
			send(netip.AddrPortFrom(to.Addr(), f.cfg.ProbePort))
		}
	}
}

// seedNonce notes that an answer is due from a given address.
func (f *Finder) seedNonce(s string, at []netip.AddrPort) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.given[s]
	if known == nil {
		known = &seed{nonce: rand.Uint64()}
		f.given[s] = known
	}
	if known.since.IsZero() {
		known.since = time.Now()
	}
	known.where = at[0].String()
	if host, _, _ := ParseSeed(s); host != at[0].Addr().String() {
		known.where = fmt.Sprintf("%s (%s)", s, known.where)
	}
	return known.nonce
}

// answered notes the answer of a given address. It may come from another address
// of the same machine.
func (f *Finder) answered(answer packet) {
	f.mu.Lock()
	var about, where string
	for s, k := range f.given {
		if k.nonce == answer.nonce {
			about, where, k.since = s, k.where, time.Time{}
		}
	}
	f.mu.Unlock()
	if about != "" {
		f.fact(Fact{Rung: ByAddress, about: about, OK: true, Words: fmt.Sprintf("%s answered from %s", answer.Name, where)})
	}
}

// judgeSeeds records which of the given addresses are silent. While this node is
// connected to somebody, that is nobody's concern.
func (f *Finder) judgeSeeds(now time.Time) {
	if f.cfg.Connected() > 0 {
		return
	}
	f.mu.Lock()
	var silent []Fact
	for s, k := range f.given {
		if !k.since.IsZero() && now.Sub(k.since) >= seedPatience {
			silent = append(silent, Fact{
				Rung: ByAddress, about: s, Words: fmt.Sprintf("%s did not answer within %s", k.where, seedPatience),
				Hint: "see that a node runs there and listens on that port, and let UDP through the firewalls of both machines",
			})
		}
	}
	f.mu.Unlock()
	for _, x := range silent {
		f.fact(x)
	}
}

// forgetSeeds drops what is known of addresses that are no longer given.
func (f *Finder) forgetSeeds(given []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.given, func(s string, _ *seed) bool { return !slices.Contains(given, s) })
	maps.DeleteFunc(f.facts, func(_ string, x Fact) bool { return x.Rung == ByAddress && !slices.Contains(given, x.about) })
}
