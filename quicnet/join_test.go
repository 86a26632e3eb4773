package quicnet_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	quic "github.com/quic-go/quic-go"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/quictest"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// registrar is a cluster's side of joining, in memory.
type registrar struct {
	ca   *trust.CA
	says string // what it claims to be, when it lies

	mu      sync.Mutex
	invites []*invite
}

type invite struct {
	code    trust.Code
	uses    int
	expires time.Time
	users   map[task.NodeID]bool
}

func (r *registrar) add(code trust.Code, uses int, ttl time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.invites = append(r.invites, &invite{code, uses, time.Now().Add(ttl), map[task.NodeID]bool{}})
}

func (r *registrar) Cluster() string {
	if r.says != "" {
		return r.says
	}
	return r.ca.ClusterID()
}

func (r *registrar) Codes() (codes []trust.Code) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.invites {
		if !i.code.Long() && time.Now().Before(i.expires) {
			codes = append(codes, i.code)
		}
	}
	return codes
}

func (r *registrar) Invite(id string) (trust.Code, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.invites {
		if i.code.ID() == id && time.Now().Before(i.expires) {
			return i.code, true
		}
	}
	return trust.Code{}, false
}

func (r *registrar) Redeem(_ context.Context, code trust.Code, who quicnet.Candidate) (wire.JoinGrant, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.invites {
		if !i.code.Equal(code) {
			continue
		}
		if !i.users[who.ID] {
			if i.uses == 0 {
				return wire.JoinGrant{}, task.Errorf(task.KindNotAllowed, "the code was used")
			}
			i.uses--
			i.users[who.ID] = true
		}
		leaf, err := r.ca.Issue(who.Key, []task.Role{task.RoleWorker, task.RoleClient}, time.Now())
		return wire.JoinGrant{Root: r.ca.Root(), Chain: [][]byte{leaf}, Name: who.Name, Dispatcher: "d"}, err
	}
	return wire.JoinGrant{}, task.Errorf(task.KindNotAllowed, "no such code")
}

// applicant is a node that shows a code.
type applicant struct {
	code    trust.Code
	confirm error
	ask     func(context.Context) error // instead of confirm

	mu sync.Mutex
	m  *trust.Membership
}

func (a *applicant) Code() (trust.Code, bool) { return a.code, !a.code.Zero() }
func (a *applicant) Confirm(ctx context.Context, _ quicnet.Offer) error {
	if a.ask != nil {
		return a.ask(ctx)
	}
	return a.confirm
}

func (a *applicant) Joined(m *trust.Membership, _ wire.JoinGrant) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.m = m
	return nil
}

func (a *applicant) member() *trust.Membership {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.m
}

// joinWorld is a dispatcher that lets others in, on a LAN.
type joinWorld struct {
	lan *quictest.LAN
	reg *registrar
	d   *quictest.Node
	log *bytes.Buffer
}

func newJoinWorld(t *testing.T) *joinWorld {
	t.Helper()
	c := quictest.NewCluster(t)
	w := &joinWorld{lan: quictest.NewLAN(1), reg: &registrar{ca: c.CA}, log: &bytes.Buffer{}}
	m := c.Member(t, task.RoleDispatcher)
	w.d = quictest.Start(t, sock(t, w.lan, "10.0.0.1:7878"), m, func(cfg *quicnet.Config) {
		hold(cfg)
		cfg.Logger = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg.Join = &quicnet.JoinConfig{Identity: m.Identity(), Admitter: func() quicnet.Admitter { return w.reg }}
	})
	return w
}

// node is one that is no member yet.
func (w *joinWorld) node(t *testing.T, addr string, a *applicant) (*quictest.Node, *trust.Identity) {
	t.Helper()
	id, err := trust.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return quictest.Start(t, sock(t, w.lan, addr), nil, func(cfg *quicnet.Config) {
		hold(cfg)
		cfg.Membership = a.member
		cfg.Join = &quicnet.JoinConfig{Identity: id, Applicant: func() quicnet.Applicant { return a }}
	}), id
}

func newCode(t *testing.T, long bool) trust.Code {
	t.Helper()
	mk := trust.NewCode
	if long {
		mk = trust.NewInvite
	}
	c, err := mk()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A code made by the cluster, short or long, lets a node in, which is a full
// member at once.
func TestJoinWithACodeOfTheCluster(t *testing.T) {
	for _, long := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			w := newJoinWorld(t)
			code := newCode(t, long)
			w.reg.add(code, 1, 10*time.Minute)
			a := &applicant{}
			n, id := w.node(t, "10.0.0.2:7878", a)
			m, g, err := n.Join(t.Context(), w.d.Addr, code, a.Joined)
			if err != nil {
				t.Fatal(err)
			}
			if m.ID() != id.ID() || m.ClusterID() != w.reg.Cluster() || g.Dispatcher != "d" || !m.May(task.RoleWorker) || m.May(task.RoleAdmin) {
				t.Errorf("%+v", g)
			}
			s, err := n.Dial(t.Context(), w.d.Addr, w.d.Membership.ID())
			if err != nil {
				t.Fatal(err)
			}
			s.Close(quicnet.CodeLeaving, "")

			// The same node may ask again, another one may not.
			if _, _, err := n.Join(t.Context(), w.d.Addr, code, nil); err != nil {
				t.Error("the same key again:", err)
			}
			time.Sleep(2 * time.Second)
			other, _ := w.node(t, "10.0.0.3:7878", &applicant{})
			if _, _, err := other.Join(t.Context(), w.d.Addr, code, nil); task.KindOf(err) != task.KindNotAllowed || !strings.Contains(err.Error(), "was used") {
				t.Error("another key with a used code:", err)
			}
			w.d.Stop()
			for _, part := range strings.Split(code.Text(), "-") {
				if part != code.ID() && strings.Contains(w.log.String(), part) {
					t.Errorf("the code is in the log: %s", w.log)
				}
			}
		})
	}
}

// A code that the joining node shows lets it in, once somebody types it at the
// cluster.
func TestJoinWithACodeOfTheNode(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		a := &applicant{code: newCode(t, false)}
		n, id := w.node(t, "10.0.0.2:7878", a)
		w.reg.add(a.code, 1, time.Hour) // redeeming is the node's business
		typed, err := trust.ParseCode(strings.ToLower(strings.ReplaceAll(a.code.Text(), "-", " ")))
		if err != nil {
			t.Fatal(err)
		}
		who, err := w.d.Admit(t.Context(), n.Addr, typed, w.reg)
		if err != nil {
			t.Fatal(err)
		}
		if who.ID != id.ID() || who.Name != n.Addr || a.member() == nil {
			t.Errorf("%+v", who)
		}
		if _, err := w.d.Dial(t.Context(), n.Addr, id.ID()); err != nil {
			t.Error(err)
		}
	})
}

func TestJoinsThatFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		good := newCode(t, false)
		w.reg.add(good, 1, 10*time.Minute)
		old := newCode(t, false)
		w.reg.add(old, 1, -time.Second)
		show := &applicant{code: newCode(t, false)}
		n, id := w.node(t, "10.0.0.2:7878", show)
		unwilling, _ := w.node(t, "10.0.0.3:7878", &applicant{code: show.code, confirm: task.Errorf(task.KindNotAllowed, "the person here said no")})
		silent, _ := w.node(t, "10.0.0.4:7878", &applicant{})
		plain := quictest.Start(t, sock(t, w.lan, "10.0.0.5:7878"), quictest.NewCluster(t).Member(t), hold)
		w.reg.add(show.code, 9, time.Hour)
		join := func(to *quictest.Node, c trust.Code) func() error {
			return func() error { _, _, err := n.Join(t.Context(), to.Addr, c, show.Joined); return err }
		}
		admit := func(to *quictest.Node, c trust.Code) func() error {
			return func() error { _, err := w.d.Admit(t.Context(), to.Addr, c, w.reg); return err }
		}
		stranger := newCode(t, true)
		for name, c := range map[string]struct {
			do    func() error
			wrong bool
			say   string
		}{
			"wrong code":                       {join(w.d, newCode(t, false)), true, ""},
			"expired code":                     {join(w.d, old), true, ""},
			"unknown long code":                {join(w.d, stranger), true, ""},
			"wrong code typed at the cluster":  {admit(n, newCode(t, false)), true, ""},
			"no code there":                    {admit(silent, good), true, ""},
			"nobody agrees":                    {admit(unwilling, show.code), false, "said no"},
			"to one that cannot let in":        {join(silent, good), false, "cannot let others"},
			"admitting one that does not want": {func() error { _, err := n.Admit(t.Context(), w.d.Addr, good, w.reg); return err }, false, "does not ask"},
			"joining is off there":             {join(plain, good), false, "another protocol"},
			"itself":                           {join(n, good), false, "itself"},
		} {
			err := c.do()
			if err == nil || errors.Is(err, quicnet.ErrWrongCode) != c.wrong || !strings.Contains(err.Error(), c.say) || task.KindOf(err) == task.KindInternal {
				t.Errorf("%s: %v (%s)", name, err, task.KindOf(err))
			}
		}
		if show.member() != nil {
			t.Error("somebody became a member")
		}
		if _, err := n.Dial(t.Context(), w.d.Addr, ""); err == nil {
			t.Error("a session without membership")
		}
		_ = id
	})
}

// A stranger who tries codes all the time neither gets in nor keeps the right
// person out.
func TestGuessingNeitherOpensNorBlocks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		code := newCode(t, false)
		w.reg.add(code, 1, 10*time.Minute)
		stop, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		tries := 0
		for i := range 2 {
			g, _ := w.node(t, fmt.Sprintf("10.0.6.%d:7878", 6+i), &applicant{})
			wg.Go(func() {
				for stop.Err() == nil {
					_, _, err := g.Join(stop, w.d.Addr, newCode(t, false), nil)
					if err == nil {
						t.Error("a guess was right")
					}
					if errors.Is(err, quicnet.ErrWrongCode) && i == 0 {
						tries++
					}
				}
			})
		}
		time.Sleep(5 * time.Second)
		begin := time.Now()
		n, _ := w.node(t, "10.0.0.2:7878", &applicant{})
		if _, _, err := n.Join(t.Context(), w.d.Addr, code, nil); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d > 15*time.Second {
			t.Errorf("the right person waited for %s", d)
		}
		time.Sleep(5 * time.Second)
		cancel()
		wg.Wait()
		if tries == 0 || tries > 12 {
			t.Errorf("%d guesses were looked at in 10 s", tries)
		}
	})
}

// A man in the middle, who ends TLS on both sides and passes every byte on,
// cannot make the proofs fit.
func TestJoinThroughAManInTheMiddle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		code := newCode(t, false)
		w.reg.add(code, 1, 10*time.Minute)
		mallory, _ := trust.NewIdentity()
		conf, err := trust.JoinTLS(mallory)
		if err != nil {
			t.Fatal(err)
		}
		front := &quic.Transport{Conn: sock(t, w.lan, "10.0.0.66:7878")}
		back := &quic.Transport{Conn: sock(t, w.lan, "10.0.0.66:9999")}
		defer front.Close()
		defer back.Close()
		ln, err := front.Listen(conf, &quic.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		var wg sync.WaitGroup
		wg.Go(func() { relay(t, ln, back, conf, w.d.Addr) })
		n, _ := w.node(t, "10.0.0.2:7878", &applicant{})
		if _, _, err := n.Join(t.Context(), "10.0.0.66:7878", code, nil); !errors.Is(err, quicnet.ErrWrongCode) {
			t.Error(err)
		}
		wg.Wait()
		time.Sleep(2 * time.Second)
		if _, _, err := n.Join(t.Context(), w.d.Addr, code, nil); err != nil { // nothing was burnt
			t.Error(err)
		}
	})
}

func relay(t *testing.T, ln *quic.Listener, back *quic.Transport, conf *tls.Config, to string) {
	in, err := ln.Accept(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	defer in.CloseWithError(0, "")
	out, err := back.Dial(t.Context(), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)), conf, &quic.Config{})
	if err != nil {
		t.Error(err)
		return
	}
	defer out.CloseWithError(0, "")
	a, err := in.AcceptStream(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	b, err := out.OpenStreamSync(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	done := make(chan struct{}, 2)
	pass := func(to, from *quic.Stream) { _, _ = io.Copy(to, from); _ = to.Close(); done <- struct{}{} }
	go pass(a, b)
	go pass(b, a)
	<-done
	<-in.Context().Done()
	out.CloseWithError(0, "")
	<-done
}

// Messages of a join in any order but the right one lead nowhere.
func TestJoinMessagesOutOfOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		w.reg.add(newCode(t, false), 1, 10*time.Minute)
		id, _ := trust.NewIdentity()
		conf, err := trust.JoinTLS(id)
		if err != nil {
			t.Fatal(err)
		}
		conn := sock(t, w.lan, "10.0.0.66:1")
		tr := &quic.Transport{Conn: conn}
		defer tr.Close()
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(w.d.Addr))
		open := func(side string) []byte {
			b, _ := wire.Append(nil, wire.JoinOpen{Min: 1, Max: 1, Side: side, Name: "x"})
			return b
		}
		var firsts [][]byte
		for kind := range 256 {
			firsts = append(firsts, frame(wire.Kind(kind), 0x80))
		}
		firsts = append(firsts, open("both"), open(""), open("admitter"), append(open("joiner"), frame(wire.KindJoinRequest, 0x80)...),
			append(open("joiner"), frame(wire.KindJoinProof, 0x80)...), append(open("joiner"), open("joiner")...))
		for _, b := range bombs() {
			firsts = append(firsts, frame(wire.KindJoinOpen, b...))
		}
		for i, b := range firsts {
			c, err := tr.Dial(t.Context(), to, conf, &quic.Config{})
			if err != nil {
				t.Fatal(err)
			}
			st, err := c.OpenStreamSync(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = st.Write(append([]byte{byte(wire.StreamJoin)}, b...))
			_ = st.Close()
			got, _ := io.ReadAll(st)
			if bytes.Contains(got, w.reg.ca.Root()) {
				t.Errorf("case %d gave a membership", i)
			}
			c.CloseWithError(0, "")
			time.Sleep(1100 * time.Millisecond)
		}
		synctest.Wait()
		code := newCode(t, true)
		w.reg.add(code, 1, time.Minute)
		n, _ := w.node(t, "10.0.0.2:7878", &applicant{})
		if _, _, err := n.Join(t.Context(), w.d.Addr, code, nil); err != nil {
			t.Error("afterwards nobody gets in:", err)
		}
	})
}

// The answer is lost after the code was spent: the same key gets it again.
func TestJoinAgainAfterALostAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		code := newCode(t, true)
		w.reg.add(code, 1, 10*time.Minute)
		a := &applicant{}
		n, _ := w.node(t, "10.0.0.2:7878", a)
		_, _, err := n.Join(t.Context(), w.d.Addr, code, func(*trust.Membership, wire.JoinGrant) error {
			return task.Errorf(task.KindDisk, "no space to store it")
		})
		if task.KindOf(err) != task.KindDisk {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if _, _, err := n.Join(t.Context(), w.d.Addr, code, a.Joined); err != nil || a.member() == nil {
			t.Error(err)
		}
	})
}

// A grant for another cluster than the one that was offered is refused.
func TestJoinGrantMustFitTheOffer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		code := newCode(t, true)
		w.reg.add(code, 5, 10*time.Minute)
		n, id := w.node(t, "10.0.0.2:7878", &applicant{})
		w.reg.says = string(id.ID())
		_, _, err := n.Join(t.Context(), w.d.Addr, code, nil)
		if task.KindOf(err) != task.KindNotAllowed || !strings.Contains(err.Error(), "another cluster") {
			t.Error(err)
		}
	})
}
