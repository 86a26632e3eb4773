package quicnet

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// errNoMember is why most connections are refused: TLS ended them.
var errNoMember = errors.New("it did not prove that it is a member of the cluster")

// Bounds on what the log says of refusals: whoever can send packets can cause
// one, and a node that was removed may try for months.
const (
	refusalEvery  = time.Second      // between any two lines
	refusalRepeat = 10 * time.Minute // between two lines about one address
	maxRefused    = 1024             // addresses that are remembered
)

// refusals records who was refused: the first time at once, then with a count.
type refusals struct {
	log *slog.Logger

	mu      sync.Mutex
	last    time.Time
	quiet   int // refusals of new addresses since then that have no line
	sources map[netip.Addr]*refused
}

// refused is one address that was refused.
type refused struct {
	logged time.Time
	times  int // since then
}

func (r *refusals) note(from net.Addr, why error) {
	if times, others, due := r.count(sourceOf(from), time.Now()); due {
		r.log.Warn("audit: connection refused", "from", from.String(), "because", why, "times", times, "others before it", others)
	}
}

// count enters one refusal. It reports whether there is to be a line, for how many
// refusals of this address it stands, and how many refusals of others have none.
func (r *refusals) count(from netip.Addr, now time.Time) (times, others int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.sources[from]
	if known != nil && now.Sub(known.logged) < refusalRepeat {
		known.times++
		return 0, 0, false
	}
	if !r.last.IsZero() && now.Sub(r.last) < refusalEvery {
		r.quiet++
		return 0, 0, false
	}
	times = 1
	if known != nil {
		times += known.times
	}
	if r.sources == nil || len(r.sources) >= maxRefused {
		r.sources = make(map[netip.Addr]*refused)
	}
	r.sources[from] = &refused{logged: now}
	others, r.quiet, r.last = r.quiet, 0, now
	return times, others, true
}
