package home

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/local"
)

// NoteSocket writes down where the node of a directory listens. The folder for
// sockets can differ between a login and a service of the same user; the node's
// directory does not.
func NoteSocket(dir, address string) error {
	if err := os.WriteFile(filepath.Join(dir, socketFile), []byte(address+"\n"), 0o600); err != nil {
		return fmt.Errorf("write down the local socket's place: %w", err)
	}
	return nil
}

// NotedSocket is the socket of the node that has this directory, or empty.
func NotedSocket(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, socketFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Sockets lists where nodes of this user may listen, those with a queue first.
func Sockets(p config.Paths) []local.Address {
	found := local.Find(p.Runtime, p.Nodes)
	for _, place := range Places(p.Nodes) {
		a := local.Address{N: place.Number, Path: NotedSocket(place.Dir)}
		if a.Path != "" && !slices.Contains(found, a) {
			found = append(found, a)
		}
	}
	rank := func(a local.Address) int {
		if HoldsQueue(filepath.Join(p.Nodes, strconv.Itoa(a.N))) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b local.Address) int { return rank(a) - rank(b) })
	return found
}

// keyFile is the user's key for local sockets.
func keyFile(p config.Paths) string { return filepath.Join(p.State, "local.key") }

// LoadKey reads the user's key for local sockets, and makes it when there is none.
func LoadKey(p config.Paths) (local.Key, error) { return local.LoadKey(keyFile(p)) }

// ReadKey reads the user's key for local sockets.
func ReadKey(p config.Paths) (local.Key, error) { return local.ReadKey(keyFile(p)) }
