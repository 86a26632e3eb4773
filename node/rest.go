package node

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/access"
	"github.com/adauldev/octaskly/node/api"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// secretName is the file in the cluster's directory that holds what signs tokens,
// where no secret was given.
const secretName = "api.secret"

// rest is REST while this node dispatches.
type rest struct {
	signer   *access.Signer
	listener net.Listener // nil where it is not served: tokens can be made all the same
}

// openREST makes ready what REST needs. An address that was asked for and cannot be
// listened on is an error; the usual one may be taken by another node.
func (n *Node) openREST(cluster string) (*rest, error) {
	if !n.opt.REST || n.cfg.API == "off" {
		return nil, nil
	}
	secret, err := n.tokenSecret()
	if err != nil {
		return nil, err
	}
	r := &rest{}
	if r.signer, err = access.NewSigner(secret, cluster, n.id.ID()); err != nil {
		return nil, err
	}
	r.listener, err = new(net.ListenConfig).Listen(context.Background(), "tcp", n.cfg.APIAddress())
	switch {
	case err == nil:
		return r, nil
	case n.cfg.API == config.Default().API: // nobody asked for just this one
		n.log.Info("REST is not served; --api gives it another address", "error", err)
		return r, nil
	}
	return nil, task.Errorf(task.KindConflict, "listen for REST on %s: %w", n.cfg.API, err).
		WithHint("give another address with --api, or --api off")
}

// tokenSecret is what signs tokens: what was given, or what was made here once.
func (n *Node) tokenSecret() (string, error) {
	switch {
	case n.cfg.Secret != "":
		return n.cfg.Secret, nil
	case n.cfg.SecretFile != "":
		raw, err := os.ReadFile(n.cfg.SecretFile)
		if err != nil {
			return "", task.Errorf(task.KindUsage, "read the secret that signs tokens: %w", err)
		}
		return strings.TrimSpace(string(raw)), nil
	}
	dir, err := trust.OpenDir(n.opt.Paths.Cluster)
	if err != nil {
		return "", err
	}
	return dir.Secret(secretName)
}

// serveREST serves until ctx ends.
func (n *Node) serveREST(ctx context.Context, r *rest) {
	if r.listener == nil {
		return
	}
	address := r.listener.Addr().String()
	served := api.New(api.Options{
		Control: func(who task.Principal) control.Control { return control.Client{By: n.callerFor(who)} },
		Signer:  r.signer, Open: !n.cfg.RequireAuth, Address: address, Version: n.opt.Version, Logger: n.log,
	})
	n.log.Info("REST at http://"+address, "token", map[bool]string{true: "octaskly token create --role client", false: "not asked for"}[n.cfg.RequireAuth])
	if err := served.Run(ctx, r.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		n.log.Error("REST ended", "error", err)
	}
}

func (c leaderControl) CreateToken(_ context.Context, r control.TokenRequest) (control.Token, error) {
	rest := c.leading.rest
	if rest == nil {
		return control.Token{}, task.Errorf(task.KindConflict, "this dispatcher serves no REST, so a token would open nothing").
			WithHint("start it without --api off")
	}
	token, claims, err := rest.signer.Issue(access.TokenRequest{Name: r.Name, Role: r.Role, TTL: r.TTL}, rand.Text(), time.Now())
	if err != nil {
		return control.Token{}, err
	}
	c.node.log.Info("audit: token created", "name", claims.Name, "role", string(claims.Role), "id", claims.ID, "expires", claims.Expires, "by", string(c.who))
	return control.Token{Token: token, ID: claims.ID, Name: claims.Name, Role: claims.Role, Expires: claims.Expires.UnixMilli()}, nil
}
