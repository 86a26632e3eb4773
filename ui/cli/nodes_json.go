package cli

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

type nodeObject struct {
	Schema   string            `json:"schema"`
	Name     string            `json:"name"`
	ID       task.NodeID       `json:"id"`
	Roles    []string          `json:"roles"` // what it does now
	May      []task.Role       `json:"may"`   // what its membership allows
	State    control.NodeState `json:"state"`
	Self     bool              `json:"self"`
	Version  *string           `json:"version"`
	Address  *string           `json:"address"`
	Seen     *string           `json:"seen"`
	RTT      *float64          `json:"rtt_s"`
	Slots    int32             `json:"slots"`
	Used     int32             `json:"slots_used"`
	CPUs     float64           `json:"cpus"`
	CPUUsed  float64           `json:"cpus_used"`
	CPU      float32           `json:"cpu_percent"`
	Load1    float32           `json:"load1"`
	Memory   int64             `json:"memory_mb"`
	MemUsed  int64             `json:"memory_used_mb"`
	DiskFree int64             `json:"disk_free_mb"`
	GPUs     int32             `json:"gpus"`
	Running  int32             `json:"running"`
	Labels   map[string]string `json:"labels"`
	Sandbox  []string          `json:"sandbox_levels"`
	Levels   []guardObject     `json:"levels"` // every level, by what it is kept
	Limits   []guardObject     `json:"limits"` // every limit, by what it is kept
	KillsBy  *string           `json:"kills_by"`
	Done     uint64            `json:"done"`
	Failed   uint64            `json:"failed"`
	Warnings []string          `json:"warnings"`
}

// guardObject is by what a node keeps a level or a limit.
type guardObject struct {
	Name string  `json:"name"`
	By   *string `json:"by"`  // null is not there
	Why  *string `json:"why"` // then
}

func guardsJSON(all []task.Guard) []guardObject {
	out := make([]guardObject, len(all))
	for i, g := range all {
		out[i] = guardObject{g.Name, orNull(g.By), orNull(g.Why)}
	}
	return out
}

func nodeJSON(n *control.Node) nodeObject {
	o := nodeObject{
		Schema: "octaskly.node/1", Name: n.Name, ID: n.ID, Roles: n.Doing, May: n.Roles, State: n.State, Self: n.Self,
		Version: orNull(n.Version), Address: orNull(n.Addr), Seen: stamp(n.Seen), Slots: n.Capacity.Slots, Used: n.Used.Tasks,
		CPUs: float64(n.Capacity.CPU) / 1000, CPUUsed: float64(n.Used.CPU) / 1000, CPU: n.Load.CPUPercent, Load1: n.Load.Load1,
		Memory: n.Capacity.MemoryMB, MemUsed: n.Load.MemUsedMB, DiskFree: n.Load.DiskFreeMB, GPUs: n.Capacity.GPUs,
		Running: n.Load.Running, Labels: n.Capacity.Labels, Sandbox: n.Capacity.Sandboxes, Done: n.Done, Failed: n.Failed, Warnings: n.Warnings,
	}
	o.Levels, o.Limits, o.KillsBy = guardsJSON(n.Capacity.Levels), guardsJSON(n.Capacity.Limits), orNull(n.Capacity.Kill)
	if n.RTT > 0 {
		s := n.RTT.Seconds()
		o.RTT = &s
	}
	o.Roles, o.May, o.Sandbox, o.Warnings = notNil(o.Roles), notNil(o.May), notNil(o.Sandbox), notNil(o.Warnings)
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	return o
}
