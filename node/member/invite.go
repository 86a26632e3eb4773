package member

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
	"github.com/adauldev/octaskly/quicnet/discover"
	"github.com/adauldev/octaskly/quicnet/trust"
	"github.com/adauldev/octaskly/quicnet/wire"
)

// Bounds on invites.
const (
	ShortLife = 10 * time.Minute    // of a code for typing
	longLife  = 30 * 24 * time.Hour // at most
	maxUses   = 1000
)

// defaultRoles are what a node may do that joins with a code.
var defaultRoles = []task.Role{task.RoleWorker, task.RoleClient}

// codes are the short codes that this dispatcher has made. They live in memory
// only: the queue knows that an invite exists and who used it, not its code.
type codes struct {
	mu   sync.Mutex
	live map[string]shortCode // by invite
}

type shortCode struct {
	code trust.Code
	ends time.Time
}

func (c *codes) add(invite string, code trust.Code, ends time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		c.live = make(map[string]shortCode)
	}
	c.live[invite] = shortCode{code, ends}
}

func (c *codes) list(now time.Time) []trust.Code {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []trust.Code
	for id, s := range c.live {
		if now.After(s.ends) {
			delete(c.live, id)
			continue
		}
		all = append(all, s.code)
	}
	return all
}

func (c *codes) find(code trust.Code) (invite string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, s := range c.live {
		if s.code.Equal(code) {
			return id, true
		}
	}
	return "", false
}

// Invite gives a short code for typing where one use within ten minutes suffices,
// for anything more a long one.
func (a *Authority) Invite(ctx context.Context, r control.InviteRequest, by task.Principal) (control.Invite, error) {
	if r.Uses == 0 {
		r.Uses = 1
	}
	if r.TTL == 0 {
		r.TTL = ShortLife
	}
	switch {
	case r.Uses < 0 || r.Uses > maxUses:
		return control.Invite{}, task.Errorf(task.KindUsage, "an invite for %d uses cannot be made; at most %d are possible", r.Uses, maxUses)
	case r.TTL < 0 || r.TTL > longLife:
		return control.Invite{}, task.Errorf(task.KindUsage, "an invite cannot be good for %s; at most %s is possible", r.TTL, longLife)
	}
	roles, err := invitedRoles(r.Role)
	if err != nil {
		return control.Invite{}, err
	}
	return a.makeInvite(ctx, r, roles, by)
}

// invitedRoles is what a node may do that joins by an invite for a role. An admin
// is a worker and a client too; no role means the default.
func invitedRoles(r task.Role) ([]task.Role, error) {
	switch r {
	case "":
		return defaultRoles, nil
	case task.RoleWorker, task.RoleClient:
		return []task.Role{r}, nil
	case task.RoleAdmin:
		return append([]task.Role{task.RoleAdmin}, defaultRoles...), nil
	}
	return nil, task.Errorf(task.KindUsage, "nobody can be invited as %s; the roles are worker, client and admin", r)
}

func (a *Authority) makeInvite(ctx context.Context, r control.InviteRequest, roles []task.Role, by task.Principal) (control.Invite, error) {
	long := r.Uses > 1 || r.TTL > ShortLife
	newCode := trust.NewCode
	if long {
		newCode = trust.NewInvite
	}
	code, err := newCode()
	if err != nil {
		return control.Invite{}, err
	}
	ends := time.Now().Add(r.TTL)
	i := queue.Invite{ID: code.ID(), Roles: roles, Uses: r.Uses, Expires: ends.UnixMilli(), By: string(by)}
	if long {
		i.Proof = []byte(code.Text())
	} else {
		id, err := trust.NewInvite() // a name that tells nothing about the code
		if err != nil {
			return control.Invite{}, err
		}
		i.ID = id.ID()
	}
	if _, err := a.opt.Queue.PutInvite(i).Wait(ctx); err != nil {
		return control.Invite{}, err
	}
	if !long {
		a.codes.add(i.ID, code, ends)
	}
	a.opt.Logger.Info("audit: invite", "invite", i.ID, "roles", roles, "uses", r.Uses, "for", r.TTL, "by", string(by))
	return control.Invite{Code: code.Text(), Long: long, Roles: roles, Uses: r.Uses, Expires: ends.UnixMilli()}, nil
}

// Admitter is the cluster's side of joining by an invite.
func (a *Authority) Admitter() quicnet.Admitter { return admitter{Authority: a} }

type admitter struct {
	*Authority
	shown *shownCode // set while a person admits the node that shows a code
}

// shownCode is a code that a joining node shows and a person typed here.
type shownCode struct {
	code trust.Code
	name string // the person's, or empty
	by   task.Principal
}

var _ quicnet.Admitter = admitter{}

func (a admitter) Cluster() string { return a.ClusterID() }

func (a admitter) Codes() []trust.Code { return a.codes.list(time.Now()) }

func (a admitter) Invite(id string) (trust.Code, bool) {
	for _, i := range a.opt.Queue.Invites() {
		if i.ID == id && len(i.Proof) > 0 {
			c, err := trust.ParseCode(string(i.Proof))
			return c, err == nil
		}
	}
	return trust.Code{}, false
}

func (a admitter) Redeem(ctx context.Context, code trust.Code, who quicnet.Candidate) (wire.JoinGrant, error) {
	name, roles := who.Name, defaultRoles
	var by string
	if a.shown != nil {
		by = string(a.shown.by)
		if a.shown.name != "" {
			name = a.shown.name
		}
	} else {
		invite := code.ID()
		if !code.Long() {
			var ok bool
			if invite, ok = a.codes.find(code); !ok {
				return wire.JoinGrant{}, task.Errorf(task.KindNotFound, "this code is not good any more").WithHint("make a new one: octaskly invite")
			}
		}
		used, err := a.opt.Queue.UseInvite(invite, who.ID).Wait(ctx)
		if err != nil {
			a.opt.Logger.Warn("audit: join refused", "id", string(who.ID), "addr", who.Addr, "error", err)
			return wire.JoinGrant{}, err
		}
		roles, by = used.Roles, "invite of "+used.By
	}
	return a.grant(ctx, who, name, roles, by)
}

// grant makes a candidate a member. The member is stored before its certificate
// goes out.
func (a *Authority) grant(ctx context.Context, who quicnet.Candidate, name string, roles []task.Role, by string) (wire.JoinGrant, error) {
	if name == "" {
		name = who.ID.Short()
	}
	m, leaf, err := a.enter(ctx, queue.Member{ID: who.ID, Name: name, Roles: roles, By: by}, who.Key)
	if err != nil {
		return wire.JoinGrant{}, err
	}
	a.opt.Logger.Info("audit: member", "node", m.Name, "id", string(who.ID), "addr", who.Addr, "roles", roles, "by", by)
	return wire.JoinGrant{Root: a.opt.CA.Root(), Chain: [][]byte{leaf}, Name: m.Name, Dispatcher: a.opt.Self, Addrs: a.opt.Reachable()}, nil
}

// Admit tries the code at every applicant, a node that was seen and asks to be let
// in, and makes the one that knows it a member, under a name if one is given.
func (a *Authority) Admit(ctx context.Context, applicants []discover.Sighting, text, name string, by task.Principal) (task.NodeID, error) {
	code, err := trust.ParseCode(text)
	if err != nil {
		return "", err
	}
	if len(applicants) == 0 {
		return "", task.Errorf(task.KindNotFound, "no node asks to be let in").
			WithHint("start one there: octaskly worker\nif it is not seen from here, invite it instead: octaskly invite")
	}
	return admitter{a, &shownCode{code: code, name: name, by: by}}.admitOneOf(ctx, applicants)
}

// admitAtOnce is at how many nodes a code is tried at the same time: anybody on
// the network can make up nodes that ask, and each try is slow on purpose.
const admitAtOnce = 8

// admitOneOf tries the code at every applicant until one knows it.
func (a admitter) admitOneOf(ctx context.Context, applicants []discover.Sighting) (task.NodeID, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		found task.NodeID
		said  error
		tried []string
	)
	room := make(chan struct{}, admitAtOnce)
	for _, s := range applicants {
		room <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-room }()
			who, err := a.admitAt(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found = who.ID
				cancel()
			case refused(err):
				said = task.Errorf(task.KindNotAllowed, "%s knows this code, but does not join: %w", s.Name, err).WithHint("%s", task.HintOf(err))
				cancel()
			case ctx.Err() == nil:
				tried = append(tried, fmt.Sprintf("%s: %v", s.Name, err))
			}
		})
	}
	wg.Wait()
	if found != "" || said != nil {
		return found, said
	}
	slices.Sort(tried)
	if more := len(tried) - admitShown; more > 0 {
		tried = append(tried[:admitShown], fmt.Sprintf("and %d more", more))
	}
	return "", task.Errorf(task.KindNotFound, "no node that asks knows this code").
		WithHint("tried:\n%s\nif the node is not among them, invite it instead: octaskly invite", strings.Join(tried, "\n"))
}

// admitShown is how many nodes are named where none knew a code.
const admitShown = 10

// admitAt tries a code at every address of a node that asks.
func (a admitter) admitAt(ctx context.Context, s discover.Sighting) (quicnet.Candidate, error) {
	last := error(task.Errorf(task.KindNoDispatcher, "no address of it is known"))
	for _, at := range s.Addrs {
		who, err := a.opt.Endpoint.Admit(ctx, at.String(), a.shown.code, a)
		if err == nil || ctx.Err() != nil || errors.Is(err, quicnet.ErrWrongCode) || refused(err) {
			return who, err
		}
		last = err
	}
	return quicnet.Candidate{}, last
}

// refused reports that a node knew the code and does not want to join: then it
// is not asked again.
func refused(err error) bool {
	return task.KindOf(err) == task.KindNotAllowed && !errors.Is(err, quicnet.ErrWrongCode)
}
