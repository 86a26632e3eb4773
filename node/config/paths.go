package config

import (
	"os"
	"path/filepath"

	"github.com/adrg/xdg"
)

// Paths is where things are kept for one user. Nothing is created by asking.
type Paths struct {
	File    string // configuration file
	Data    string // the cluster's membership and the nodes' stores
	Cluster string // Data/cluster
	Nodes   string // Data/nodes; each node has a numbered directory in it
	State   string // logs, crash reports, local.key
	Runtime string // sockets; empty if this system has no such place for us
}

// DefaultPaths finds the places for the user this process runs as, by the
// rules of the system: the XDG variables, or Library and AppData.
func DefaultPaths() Paths {
	xdg.Reload()
	p := Paths{
		File:  filepath.Join(xdg.ConfigHome, "octaskly", "config.toml"),
		Data:  filepath.Join(xdg.DataHome, "octaskly"),
		State: filepath.Join(xdg.StateHome, "octaskly"),
	}
	p.Cluster = filepath.Join(p.Data, "cluster")
	p.Nodes = filepath.Join(p.Data, "nodes")
	if info, err := os.Stat(xdg.RuntimeDir); err == nil && info.IsDir() {
		p.Runtime = filepath.Join(xdg.RuntimeDir, "octaskly")
	}
	return p
}
