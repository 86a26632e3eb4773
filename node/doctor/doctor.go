// Package doctor looks at a machine for what keeps a node on it from working. It
// changes nothing, and needs no running node.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/home"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// Finding is one thing that was looked at on this machine and what came of it.
type Finding struct {
	Area  string // clock, store, sandbox, port, buffers, discovery, peers or cluster
	Level string // OK, Info, Warning or Broken
	Text  string
	Cure  string // what to do; empty when there is nothing to do
}

// The levels of findings: those of problems, and that all is well.
const (
	OK      = "ok"
	Info    = control.LevelInfo    // worth knowing; nothing to do
	Warning = control.LevelWarning // works, but worse than it could
	Broken  = control.LevelError
)

// Problem is the finding as every face shows problems.
func (f Finding) Problem() control.Problem {
	return control.Problem{ID: f.Area, Level: f.Level, Text: f.Text, Cure: f.Cure}
}

// Examine looks at everything that a node on this machine needs, whether one
// runs or not. It listens to the network for about two seconds, changes nothing
// and is seen by nobody.
func Examine(ctx context.Context, cfg *config.Config, p config.Paths, version string) []Finding {
	var all []Finding
	all = append(all, examineClock(time.Now()))
	all = append(all, examineStore(p)...)
	all = append(all, examineMemberships(p, time.Now())...)
	all = append(all, examineSandbox(exec.Probe(ctx), cfg)...)
	running, err := client.Running(ctx, p)
	if err != nil {
		all = append(all, findingOf("cluster", err))
	}
	all = append(all, examinePort(cfg, running))
	all = append(all, examineBuffers())
	all = append(all, examineLinks()...)
	all = append(all, examineDiscovery(ctx, cfg)...)
	return append(all, examineCluster(ctx, cfg, p, version, running)...)
}

func findingOf(area string, err error) Finding {
	return Finding{Area: area, Level: Broken, Text: err.Error(), Cure: task.HintOf(err)}
}

// oldest is before any release of this program.
var oldest = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func examineClock(now time.Time) Finding {
	f := Finding{Area: "clock", Level: OK, Text: "it is " + now.Format(time.RFC3339)}
	if now.Before(oldest) {
		f.Level, f.Text = Broken, "the clock says "+now.Format(time.RFC3339)+", which is past"
		f.Cure = "set it: certificates are judged by it"
	}
	return f
}

// Free space below which a node gets into trouble, in MiB.
const (
	spaceWarning = 1024
	spaceError   = 128
)

// examineStore looks at the directory that holds this user's nodes, or would.
func examineStore(p config.Paths) []Finding {
	dir := p.Data
	for {
		if fi, err := os.Stat(dir); err == nil && fi.IsDir() {
			break
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return []Finding{{"store", Broken, err.Error(), "make it readable, or name another place with XDG_DATA_HOME"}}
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	all := []Finding{examineSpace(p.Data, (&worker.Meter{Dir: dir}).Load().DiskFreeMB)}
	f, err := os.CreateTemp(dir, ".octaskly-doctor-")
	if err != nil {
		return append(all, Finding{"store", Broken, fmt.Sprintf("%s cannot be written: %v", dir, err), "make it this user's, or name another place with XDG_DATA_HOME"})
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	return all
}

func examineSpace(dir string, freeMB int64) Finding {
	f := Finding{Area: "store", Level: OK, Text: fmt.Sprintf("%s, %.1f GiB free", dir, float64(freeMB)/1024)}
	switch {
	case freeMB == 0:
		f.Level, f.Text = Info, dir+": how much space is free cannot be seen"
	case freeMB < spaceError:
		f.Level, f.Cure = Broken, "make room there: a queue on a full disk takes no tasks"
	case freeMB < spaceWarning:
		f.Level, f.Cure = Warning, "make room there before the queue stops taking tasks"
	}
	return f
}

// examineMemberships looks at the keys and certificates of this user's nodes.
func examineMemberships(p config.Paths, now time.Time) []Finding {
	var all []Finding
	for _, place := range home.Places(p.Nodes) {
		if home.HoldsIdentity(place.Dir) { // else never started
			all = append(all, examineMembership(place.Dir, now))
		}
	}
	return all
}

func examineMembership(path string, now time.Time) Finding {
	d, err := trust.OpenDir(path)
	if err != nil {
		return findingOf("store", err)
	}
	id, err := d.Identity()
	if err != nil {
		return findingOf("store", err)
	}
	m, err := d.LoadMembership(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{"cluster", Info, path + " is a member of no cluster", "let it in where the dispatcher is: octaskly nodes admit CODE\nits code: octaskly identity"}
	case err != nil:
		return findingOf("store", err)
	case now.After(m.NotAfter()):
		return Finding{"cluster", Broken, fmt.Sprintf("the membership in %s has ended on %s", path, m.NotAfter().Format(time.DateOnly)), "check the clock; if it is right, start the node: the dispatcher renews a membership for 60 days after its end, later join again: octaskly join CODE"}
	case now.Before(m.NotBefore()):
		return Finding{"cluster", Broken, fmt.Sprintf("the membership in %s begins on %s, after what the clock says", path, m.NotBefore().Format(time.DateOnly)), "set the clock; if it is right, the clock that gave the membership was ahead, and the dispatcher gives a new one when it is met"}
	}
	return Finding{"cluster", OK, fmt.Sprintf("%s is a member of %s until %s", path, control.ShortCluster(m.ClusterID()), m.NotAfter().Format(time.DateOnly)), ""}
}

// examineSandbox looks at the levels that tasks can be run at here.
func examineSandbox(c exec.Capabilities, cfg *config.Config) []Finding {
	want, err := exec.ParseLevel(cfg.SandboxLevel)
	if err != nil {
		return []Finding{findingOf("sandbox", err)}
	}
	var all []Finding
	for _, l := range c.Levels {
		f := Finding{Area: "sandbox", Level: OK, Text: fmt.Sprintf("%s: %s", l.Level, l.Mechanisms)}
		switch {
		case l.Available && l.Mechanisms == "":
			f.Text = l.Level.String()
		case !l.Available && l.Level == want:
			f.Level, f.Text = Broken, fmt.Sprintf("%s, which is asked for, is not to be had: %s", l.Level, l.Reason)
			f.Cure = "run on a newer kernel, or start the node with --sandbox-level none if you trust everybody who may submit"
		case !l.Available:
			f.Level, f.Text = Info, fmt.Sprintf("%s is not to be had: %s", l.Level, l.Reason)
		}
		all = append(all, f)
	}
	var missing []string
	for _, limit := range []struct{ name, by string }{{"memory", c.Memory}, {"CPU", c.CPU}, {"processes", c.Processes}} {
		if limit.by == "" {
			missing = append(missing, limit.name)
		}
	}
	if len(missing) > 0 {
		all = append(all, Finding{"sandbox", Info, "nothing here limits " + strings.Join(missing, ", "), "tasks that ask for such a limit go to other nodes; with systemd: Delegate=yes for the service"})
	}
	return all
}
