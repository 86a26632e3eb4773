package trust

import (
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Peer is what a certificate says about the node that presented it.
type Peer struct {
	ID       task.NodeID
	Cluster  string
	Roles    []task.Role // what it may do, in the order of the certificate
	NotAfter time.Time
}

// May reports whether the certificate names the role.
func (p Peer) May(r task.Role) bool { return slices.Contains(p.Roles, r) }

const sanScheme = "octaskly"

func knownRole(r task.Role) bool {
	switch r {
	case task.RoleWorker, task.RoleDispatcher, task.RoleClient, task.RoleAdmin:
		return true
	}
	return false
}

// Roles lists every role there is.
func Roles() []task.Role {
	return []task.Role{task.RoleWorker, task.RoleDispatcher, task.RoleClient, task.RoleAdmin}
}

func sanURI(cluster, what, value string) *url.URL {
	return &url.URL{Scheme: sanScheme, Host: cluster, Path: "/" + what + "/" + value}
}

// san is one subject alternative name of ours:
// octaskly://CLUSTER/node/NODE or octaskly://CLUSTER/role/ROLE.
type san struct{ cluster, what, value string }

// parseSAN reads a name in exactly the form that we write; everything else,
// escapes, queries and ports included, is refused.
func parseSAN(u *url.URL) (san, error) {
	rest, ok := strings.CutPrefix(u.String(), sanScheme+"://")
	if !ok {
		return san{}, fmt.Errorf("the name %q is not one of ours", u)
	}
	part := strings.Split(rest, "/")
	if len(part) != 3 || !validID(part[0]) || (part[1] != "node" && part[1] != "role") || !plainWord(part[2]) {
		return san{}, fmt.Errorf("the name %q is not one of ours", u)
	}
	return san{part[0], part[1], part[2]}, nil
}

func plainWord(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// peerOf reads the names in a leaf and compares them with its key. It says
// nothing about who signed it.
func peerOf(leaf *x509.Certificate) (Peer, error) {
	pub, ok := leaf.PublicKey.(ed25519.PublicKey)
	if !ok {
		return Peer{}, errors.New("its key is not an Ed25519 key")
	}
	id, err := NodeIDOf(pub)
	if err != nil {
		return Peer{}, err
	}
	p := Peer{ID: id, NotAfter: leaf.NotAfter}
	if len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) > 0 {
		return Peer{}, errors.New("it carries names that are not ours")
	}
	named := false
	for _, u := range leaf.URIs {
		n, err := parseSAN(u)
		if err != nil {
			return Peer{}, err
		}
		if p.Cluster == "" {
			p.Cluster = n.cluster
		}
		switch {
		case n.cluster != p.Cluster:
			return Peer{}, errors.New("it names two clusters")
		case n.what == "node" && (named || n.value != string(id)):
			return Peer{}, errors.New("it names another node than the one that holds its key")
		case n.what == "node":
			named = true
		case knownRole(task.Role(n.value)) && !p.May(task.Role(n.value)):
			p.Roles = append(p.Roles, task.Role(n.value)) // a role of a later version grants nothing here
		}
	}
	if !named {
		return Peer{}, errors.New("it names no node")
	}
	return p, nil
}
