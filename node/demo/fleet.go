package demo

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

type node struct {
	i        int
	name     string
	id       task.NodeID
	state    control.NodeState
	doing    []string
	cores    int
	memMB    int64
	slots    int32
	os, arch string
	rack     string
	gpus     int32
	addr     string
	rtt      time.Duration
	used     int
	done     uint64
	failed   uint64
	seen     int64
	bad      bool
	version  string
	base     float64 // load without tasks, percent
	code     string
}

// takes reports whether new tasks may go there.
func (n *node) takes() bool { return n.state == control.NodeUp && n.slots > 0 }

func (n *node) member() bool { return n.state != control.NodeAsks && n.state != control.NodeForeign }

var named = []node{
	{cores: 16, memMB: 32 << 10, slots: 8, os: "linux", arch: "amd64", base: 6},
	{name: "mill-02", cores: 16, memMB: 64 << 10, slots: 8, os: "linux", arch: "amd64", rtt: time.Millisecond, base: 9},
	{name: "mill-03", cores: 16, memMB: 64 << 10, slots: 8, os: "linux", arch: "amd64", rtt: time.Millisecond, base: 4},
	{name: "nas", cores: 4, memMB: 16 << 10, slots: 2, os: "linux", arch: "arm64", rtt: 2 * time.Millisecond, base: 3},
	{name: "laptop-ana", cores: 8, memMB: 16 << 10, slots: 4, os: "darwin", arch: "arm64", rtt: 9 * time.Millisecond, base: 5, state: control.NodeDraining},
	{name: "pi-4", cores: 4, memMB: 4 << 10, slots: 2, os: "linux", arch: "arm64", rtt: 4 * time.Millisecond, base: 12},
	{name: "old-box", cores: 2, memMB: 4 << 10, slots: 2, os: "linux", arch: "amd64", rtt: 31 * time.Second, base: 8, state: control.NodeStale, bad: true},
	{name: "tower-7", cores: 16, memMB: 64 << 10, slots: 0, gpus: 1, os: "linux", arch: "amd64", rtt: time.Millisecond, state: control.NodeAsks, code: "K7QM-3XPA"},
}

func (f *Fleet) makeNodes() {
	f.byName = map[string]*node{}
	f.free = make([]uint64, (f.opt.Nodes+63)/64)
	for i := 0; i < f.opt.Nodes; i++ {
		n := &node{}
		if i < len(named) {
			*n = named[i]
		} else {
			f.rackNode(n, i)
		}
		if i == 0 {
			n.name, n.doing = f.opt.Self, []string{"dispatcher", "worker"}
			if f.opt.Fresh {
				n.doing = nil
			}
		}
		f.finishNode(n, i)
		f.use(n, 0)
		f.nodes = append(f.nodes, n)
		f.byName[n.name] = n
	}
}

func (f *Fleet) rackNode(n *node, i int) {
	n.name = fmt.Sprintf("node-%03d", i)
	n.rack = fmt.Sprintf("rack-%02d", (i-8)/42+1)
	n.cores, n.memMB, n.slots = 8, 32<<10, 8
	if i%7 == 0 {
		n.cores, n.memMB = 32, 128<<10
	}
	n.os, n.arch = "linux", "amd64"
	n.rtt = time.Duration(300+f.rng.IntN(1500)) * time.Microsecond
	n.base = 2 + 6*f.rng.Float64()
	switch {
	case i%331 == 100:
		n.state = control.NodeStale
	case (i-8)/42 == 9 && i%4 == 0:
		n.state = control.NodeDraining
	case i%499 == 200:
		n.state = control.NodeLost
	}
}

func (f *Fleet) finishNode(n *node, i int) {
	n.i = i
	if n.state == "" {
		n.state = control.NodeUp
	}
	if n.doing == nil && n.member() && !f.opt.Fresh {
		n.doing = []string{"worker"}
	}
	if n.rack == "" {
		n.rack = "office"
	}
	n.addr = fmt.Sprintf("192.168.%d.%d:7878", 1+i/200, 10+i%200)
	n.version = "1.0.0"
	if n.name == "old-box" {
		n.version = "0.9.4"
	}
	n.seen = f.born
	switch n.state {
	case control.NodeStale:
		n.seen -= 31_000
	case control.NodeLost:
		n.seen -= 600_000
	}
	h := fnv.New128a()
	fmt.Fprint(h, f.opt.Seed, n.name)
	sum := h.Sum(nil)
	id := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(append(sum, sum...))
	n.id = task.NodeID(strings.ToLower(id + "a"))
}

// noise is a repeatable number from -1 to 1.
func noise(a, b int64) float64 {
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:8], uint64(a)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(buf[8:], uint64(b))
	h := fnv.New64a()
	h.Write(buf[:])
	x := h.Sum64()
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	return float64(x>>11)/float64(1<<52) - 1
}

// smooth is noise that moves slowly: a new value every period, in between a line.
func smooth(a, ms, period int64) float64 {
	k, x := ms/period, float64(ms%period)/float64(period)
	return noise(a, k)*(1-x) + noise(a, k+1)*x
}

func (f *Fleet) load(n *node) task.Load {
	if n.state == control.NodeLost || n.state == control.NodeAsks || n.state == control.NodeStale {
		return task.Load{MemTotalMB: n.memMB}
	}
	t := f.at / 2000 * 2000
	busy := 0.0
	if n.slots > 0 {
		busy = float64(n.used) / float64(n.slots)
	}
	depth := 70 + 25*noise(int64(n.i), 77)
	cpu := n.base + busy*depth + 9*smooth(int64(n.i), t, 14_000)*(0.3+busy)
	mem := 28 + 14*noise(int64(n.i), 5) + busy*38 + 2*smooth(int64(n.i)+5000, t, 60_000)
	return task.Load{
		CPUPercent: float32(math.Min(100, math.Max(0.5, cpu))),
		Load1:      float32(cpu / 100 * float64(n.cores)),
		MemUsedMB:  int64(mem / 100 * float64(n.memMB)),
		MemTotalMB: n.memMB,
		DiskFreeMB: 180 << 10,
		Running:    int32(n.used),
	}
}

func (f *Fleet) view(n *node) control.Node {
	v := control.Node{
		ID: n.id, Name: n.name, State: n.state, Doing: n.doing, Self: n.i == 0, Version: n.version, Addr: n.addr,
		Roles: []task.Role{task.RoleWorker, task.RoleClient},
		Capacity: task.Capacity{
			CPU: task.Milli(n.cores * 1000), MemoryMB: n.memMB, DiskMB: 180 << 10, GPUs: n.gpus, Slots: n.slots,
			Labels:    map[string]string{"os": n.os, "arch": n.arch, "host": n.name, "rack": n.rack},
			Sandboxes: []string{"basic", "strict"}, Default: "basic",
		},
		Load: f.load(n), RTT: n.rtt, Seen: n.seen, Done: n.done, Failed: n.failed,
		Used: control.Used{CPU: task.Milli(n.used * 1000), Tasks: int32(n.used)},
	}
	if n.state == control.NodeUp || n.state == control.NodeDraining || n.state == control.NodeDrained || n.state == control.NodeAsks {
		v.Seen = f.at - f.at%1000
	}
	if n.bad && n.state == control.NodeStale {
		age := (f.at - f.born) / 1000
		v.LostAt = f.born + 1000*((age+119-lostAtSec)/120*120+lostAtSec)
	}
	if n.i == 0 {
		v.Roles = append(v.Roles, task.RoleAdmin, task.RoleDispatcher)
	}
	if !n.member() {
		v.Roles = nil
	}
	if n.name == "old-box" {
		v.Warnings = []string{"runs octaskly 0.9.4, the dispatcher 1.0.0"}
		v.Skew = -3200 * time.Millisecond
	}
	return v
}
