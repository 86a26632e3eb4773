package quicnet

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// errNoMember is why most connections are refused: TLS ended them.
var errNoMember = errors.New("it did not prove that it is a member of the cluster")

// refusals records who was refused, one line a second at most: whoever can send
// packets can cause a refusal.
type refusals struct {
	log *slog.Logger

	mu    sync.Mutex
	last  time.Time
	quiet int // refusals since then that have no line
}

func (r *refusals) note(from net.Addr, why error) {
	r.mu.Lock()
	now := time.Now()
	if !r.last.IsZero() && now.Sub(r.last) < time.Second {
		r.quiet++
		r.mu.Unlock()
		return
	}
	others := r.quiet
	r.last, r.quiet = now, 0
	r.mu.Unlock()
	r.log.Warn("audit: connection refused", "from", from.String(), "because", why, "others before it", others)
}
