package worker

import (
	"context"
	"os"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"

	"github.com/adauldev/octaskly/exec"
	"github.com/adauldev/octaskly/node/tuning"
	"github.com/adauldev/octaskly/queue/task"
)

// Offer is what an owner says about a worker; zero values are found out.
type Offer struct {
	CPU      task.Milli
	MemoryMB int64
	GPUs     int32
	Slots    int32 // negative: one for each usable CPU
	Labels   map[string]string
	Default  exec.Level // level of tasks that name none, and the floor of all
	WorkDir  string     // whose free space is offered
}

// CapacityOf is what a worker offers: what its owner says, completed by what
// this machine has and this process may use.
func CapacityOf(o Offer, caps exec.Capabilities) task.Capacity {
	c := task.Capacity{CPU: o.CPU, MemoryMB: o.MemoryMB, GPUs: o.GPUs, Slots: o.Slots, Default: o.Default.String()}
	if c.CPU == 0 {
		c.CPU = task.Milli(tuning.UsableCPUs()) * 1000
	}
	if c.Slots < 0 {
		c.Slots = max(1, int32(c.CPU/1000))
	}
	if c.MemoryMB == 0 {
		if v, err := mem.VirtualMemoryWithContext(context.Background()); err == nil {
			c.MemoryMB = int64(v.Total >> 20)
		}
	}
	c.DiskMB = freeMB(o.WorkDir)
	host, _ := os.Hostname()
	c.Labels = map[string]string{"os": runtime.GOOS, "arch": runtime.GOARCH, "host": strings.ToLower(host)}
	for k, v := range o.Labels {
		c.Labels[k] = v
	}
	for _, l := range caps.Levels {
		g := task.Guard{Name: l.Level.String(), Why: l.Reason}
		if l.Level < o.Default {
			g.Why = "this node's floor is " + o.Default.String()
		}
		if l.Available && l.Level >= o.Default {
			g.By, g.Why = l.Mechanisms, ""
			c.Sandboxes = append(c.Sandboxes, g.Name)
		}
		c.Levels = append(c.Levels, g)
	}
	for _, g := range []task.Guard{
		{Name: task.LimitMemory, By: caps.Memory},
		{Name: task.LimitCPU, By: caps.CPU},
		{Name: task.LimitDisk, By: caps.Disk},
		{Name: task.LimitFiles, By: caps.OpenFiles},
		{Name: task.LimitProcesses, By: caps.Processes},
		{Name: task.LimitOutput, By: "worker"},
	} {
		if g.By == "" {
			g.Why = "nothing on this machine enforces it"
		}
		c.Limits = append(c.Limits, g)
	}
	c.Kill = caps.Kill
	return c
}
