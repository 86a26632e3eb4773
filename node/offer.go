package node

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/worker"
	"github.com/adauldev/octaskly/queue/task"
)

// floorOf is the weakest sandbox level for tasks on this node.
func floorOf(c *config.Config) (exec.Level, error) {
	level, err := exec.ParseLevel(c.SandboxLevel)
	if err != nil {
		return level, task.Errorf(task.KindUsage, "--sandbox-level: %w", err)
	}
	return level, nil
}

// levelsFrom are the levels that a node with this floor has to offer.
func levelsFrom(floor exec.Level) (all []exec.Level) {
	for l := floor; l.Valid(); l++ {
		all = append(all, l)
	}
	return all
}

// standing is what decides whether a node may offer its floor.
type standing struct {
	floor   exec.Level
	caps    exec.Capabilities
	root    bool // it runs as root
	allowed bool // and tasks may, its owner says
	idle    bool // it takes no tasks
	only    bool // to run tasks is all that it is for
	user    string
}

// judge says what a person should know about the floor, or why the node does not
// start. A level is never weakened: what cannot be contained is not run.
func (s standing) judge() (warnings []string, err error) {
	none := s.floor == exec.None
	switch {
	case s.idle:
		return nil, nil
	case none && s.root && !s.allowed:
		return nil, task.Errorf(task.KindUsage, "level none as root: every task could do whatever root can").
			WithHint("start it as an ordinary user, or without --sandbox-level none;\nif that is what you want: --allow-root-tasks, or OCTASKLY_ALLOW_ROOT_TASKS=1")
	case none && s.root:
		return []string{"tasks run as root at sandbox level none: they can do whatever root can"}, nil
	case none:
		return []string{"tasks run at sandbox level none: they can do whatever this user can"}, nil
	case !s.caps.Offers(s.floor) && (s.only || s.floor > exec.Basic):
		return nil, task.Errorf(task.KindUnavailable, "this machine cannot run tasks at sandbox level %s: %s", s.floor, s.caps.Levels[s.floor].Reason).
			WithHint("--sandbox-level none runs them uncontained, if you trust everybody who may submit")
	case !s.caps.Offers(s.floor):
		return []string{fmt.Sprintf("this node takes no tasks: sandbox level %s cannot be had here (%s); --sandbox-level none runs them uncontained",
			s.floor, s.caps.Levels[s.floor].Reason)}, nil
	case s.root:
		return []string{fmt.Sprintf("started as root: tasks run as %s, without privileges (--task-user)", s.user)}, nil
	}
	return nil, nil
}

// offer is what the configuration says about this worker.
func (n *Node) offer(work string, floor exec.Level) (worker.Offer, []string, error) {
	c := n.cfg
	o := worker.Offer{
		CPU: task.Milli(c.CPUCores * 1000), MemoryMB: c.Memory, GPUs: int32(c.GPUs), Slots: int32(c.MaxJobs),
		Labels: c.Labels, Default: floor, WorkDir: work,
	}
	if c.GPU && c.GPUs == 0 {
		o.GPUs = int32(max(1, countGPUs()))
	}
	s := standing{
		floor: floor, caps: n.runner.Capabilities(), root: os.Geteuid() == 0 && n.opt.Runner == nil, allowed: c.AllowRootTasks,
		idle: c.MaxJobs == 0, only: n.opt.Role == task.RoleWorker || n.opt.Private, user: c.TaskUser,
	}
	if s.user == "" {
		s.user = "nobody"
	}
	warnings, err := s.judge()
	return o, warnings, err
}

// countGPUs counts the GPUs that this machine's kernel shows.
func countGPUs() int {
	devs, _ := filepath.Glob("/dev/nvidia[0-9]*")
	if len(devs) == 0 {
		devs, _ = filepath.Glob("/dev/dri/renderD*")
	}
	return len(devs)
}
