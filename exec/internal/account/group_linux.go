package account

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Limits are what a control group can keep; 0 is no limit.
type Limits struct {
	MemoryBytes int64
	Processes   int           // and threads
	CPUTime     time.Duration // only counted: a group ends nothing that uses more
}

// Groups is where control groups for commands can be made, if anywhere: below the
// group this process is in, by version 2 of control groups, else version 1.
// Memory, processes and processor time are each there or not. The zero value has none.
type Groups struct {
	version int
	memory  string // folder for groups that limit memory, or ""
	pids    string // folder for groups that limit processes, or ""
	cpu     string // folder for groups that count processor time, or ""
	next    atomic.Uint64
}

// Memory names what keeps a limit on memory: "cgroup2", "cgroup1", or "" if nothing does.
func (c *Groups) Memory() string { return c.name(c.memory) }

// Processes names what keeps a limit on processes, as Memory does.
func (c *Groups) Processes() string { return c.name(c.pids) }

// CPU names what counts processor time, as Memory does.
func (c *Groups) CPU() string { return c.name(c.cpu) }

func (c *Groups) name(dir string) string {
	if dir == "" {
		return ""
	}
	return "cgroup" + strconv.Itoa(c.version)
}

// Keep reports whether a group would keep one of some limits.
func (c *Groups) Keep(l Limits) bool {
	return l.MemoryBytes > 0 && c.memory != "" || l.Processes > 0 && c.pids != "" || l.CPUTime > 0 && c.cpu != ""
}

// OpenGroups finds out what can be had, by making a group and limiting it. What
// processes that are no more left of theirs is removed.
func OpenGroups() *Groups {
	best := &Groups{}
	for _, open := range []func() *Groups{cgroup2, cgroup1} {
		c := open()
		if c == nil {
			continue
		}
		for _, try := range []struct {
			dir   *string
			limit Limits
		}{
			{&c.memory, Limits{MemoryBytes: 1 << 30}},
			{&c.pids, Limits{Processes: 1000}},
			{&c.cpu, Limits{CPUTime: time.Hour}},
		} {
			if *try.dir != "" && !c.works(try.limit) {
				c.discard(try.dir)
			}
		}
		if c.memory != "" || c.pids != "" {
			best.Close()
			return c
		}
		if c.cpu != "" && best.cpu == "" {
			best = c
		}
	}
	return best
}

// discard removes a folder that is of no use, unless another controller has the same.
func (c *Groups) discard(dir *string) {
	old := *dir
	*dir = ""
	if !slices.Contains([]string{c.memory, c.pids, c.cpu}, old) {
		_ = os.Remove(old)
	}
}

func (c *Groups) works(l Limits) bool {
	g, err := c.Open(l)
	if err != nil {
		return false
	}
	return g.Close() == nil
}

// Close removes the folder of the groups. None may be left in it.
func (c *Groups) Close() {
	for _, dir := range []string{c.memory, c.pids, c.cpu} {
		if dir != "" {
			_ = os.Remove(dir)
		}
	}
}

// The folder of a Runner's groups is named after its process and a number.
const ownPrefix = "octaskly-"

var ownNumber atomic.Uint64

func newOwnName() string { return fmt.Sprintf("%s%d-%d", ownPrefix, os.Getpid(), ownNumber.Add(1)) }

// removeOldGroups removes what processes that are no more left in parent. A
// group in which something lives cannot be removed.
func removeOldGroups(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), ownPrefix)
		pid, _, _ := strings.Cut(name, "-")
		if n, err := strconv.Atoi(pid); !ok || err != nil || n == os.Getpid() || unix.Kill(n, 0) != unix.ESRCH {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		groups, _ := os.ReadDir(dir)
		for _, g := range groups {
			if g.IsDir() {
				_ = os.Remove(filepath.Join(dir, g.Name()))
			}
		}
		_ = os.Remove(dir)
	}
}

// cgroup2 makes a folder in version 2, nil if none is ours to make. Processor time is
// counted there whether or not the controllers are ours to hand on.
func cgroup2() *Groups {
	parent := cgroupPath("cgroup2", "")
	if parent == "" {
		return nil
	}
	removeOldGroups(parent)
	have, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return nil
	}
	c := &Groups{version: 2}
	dir := filepath.Join(parent, newOwnName())
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil
	}
	c.cpu = dir
	for _, name := range []string{"memory", "pids"} {
		if !slices.Contains(strings.Fields(string(have)), name) || writeTo(parent, "cgroup.subtree_control", "+"+name) != nil {
			continue
		}
		if writeTo(dir, "cgroup.subtree_control", "+"+name) != nil {
			continue
		}
		if name == "memory" {
			c.memory = dir
		} else {
			c.pids = dir
		}
	}
	return c
}

// cgroup1 makes a folder for each controller in version 1.
func cgroup1() *Groups {
	c := &Groups{version: 1}
	name := newOwnName()
	for controller, dir := range map[string]*string{"memory": &c.memory, "pids": &c.pids, "cpuacct": &c.cpu} {
		parent := cgroupPath("cgroup", controller)
		if parent == "" {
			continue
		}
		removeOldGroups(parent)
		own := filepath.Join(parent, name)
		if err := os.Mkdir(own, 0o755); err == nil || os.IsExist(err) {
			*dir = own
		}
	}
	return c
}

// Group holds one command and all it starts.
type Group struct {
	version           int
	memory, pids, cpu string // "" when not limited or counted here
}

// Open makes a group that keeps those of some limits that groups can keep here.
func (c *Groups) Open(l Limits) (*Group, error) {
	g := &Group{version: c.version}
	name := strconv.FormatUint(c.next.Add(1), 10)
	if l.MemoryBytes > 0 && c.memory != "" {
		g.memory = filepath.Join(c.memory, name)
	}
	if l.Processes > 0 && c.pids != "" {
		g.pids = filepath.Join(c.pids, name)
	}
	if l.CPUTime > 0 && c.cpu != "" {
		g.cpu = filepath.Join(c.cpu, name)
	}
	for _, dir := range g.dirs() {
		if err := os.Mkdir(dir, 0o755); err != nil {
			_ = g.Close()
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
	if err := g.limit(l); err != nil {
		_ = g.Close()
		return nil, fmt.Errorf("limit a control group: %w", err)
	}
	return g, nil
}

// dirs are the folders of the group, each once.
func (g *Group) dirs() []string {
	var all []string
	for _, d := range []string{g.memory, g.pids, g.cpu} {
		if d != "" && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

func (g *Group) limit(l Limits) error {
	if g.pids != "" {
		if err := writeTo(g.pids, "pids.max", strconv.Itoa(l.Processes)); err != nil {
			return err
		}
	}
	if g.memory == "" {
		return nil
	}
	n := strconv.FormatInt(l.MemoryBytes, 10)
	if g.version == 2 {
		// Not every kernel counts swap, or can kill a group as one.
		_ = writeTo(g.memory, "memory.swap.max", "0")
		_ = writeTo(g.memory, "memory.oom.group", "1")
		return writeTo(g.memory, "memory.max", n)
	}
	if err := writeTo(g.memory, "memory.limit_in_bytes", n); err != nil {
		return err
	}
	_ = writeTo(g.memory, "memory.memsw.limit_in_bytes", n)
	return nil
}

// Add puts a process, and what it will start, into the group.
func (g *Group) Add(pid int) error {
	for _, dir := range g.dirs() {
		if err := writeTo(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("put the command into its control group: %w", err)
		}
	}
	return nil
}

// Peak is the most memory the group ever had, in bytes; 0 if that is not counted.
func (g *Group) Peak() int64 {
	for _, name := range []string{"memory.peak", "memory.max_usage_in_bytes"} {
		if b, err := os.ReadFile(filepath.Join(g.memory, name)); g.memory != "" && err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			return n
		}
	}
	return 0
}

// CPUTime is how much processor time the group ever had, also of processes that
// nobody waited for; 0 if that is not counted.
func (g *Group) CPUTime() time.Duration {
	if g.cpu == "" {
		return 0
	}
	if g.version == 2 {
		return time.Duration(countIn(g.cpu, "cpu.stat", "usage_usec")) * time.Microsecond
	}
	b, err := os.ReadFile(filepath.Join(g.cpu, "cpuacct.usage"))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return time.Duration(n)
}

// A Limit is one that a group keeps.
type Limit int

// The limits a group can say were hit.
const (
	NoLimit Limit = iota
	MemoryLimit
	ProcessLimit
)

// Keeps reports whether the group keeps a limit.
func (g *Group) Keeps(l Limit) bool {
	return l == MemoryLimit && g.memory != "" || l == ProcessLimit && g.pids != ""
}

// Hit says which limit of the group was hit, if any.
func (g *Group) Hit() Limit {
	switch {
	case g.memory != "" && (countIn(g.memory, "memory.events", "oom_kill") > 0 || countIn(g.memory, "memory.oom_control", "oom_kill") > 0):
		return MemoryLimit
	case g.pids != "" && countIn(g.pids, "pids.events", "max") > 0:
		return ProcessLimit
	}
	return NoLimit
}

// Close removes the group when nothing of it lives.
func (g *Group) Close() (err error) {
	for _, dir := range g.dirs() {
		for range 20 {
			if err = os.Remove(dir); err == nil || os.IsNotExist(err) {
				err = nil
				break
			}
			time.Sleep(time.Millisecond) // the kernel is still taking it apart
		}
	}
	return err
}

// countIn reads a named number of a file of lines.
func countIn(dir, file, name string) int64 {
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n
		}
	}
	return 0
}

func writeTo(dir, file, value string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(value), 0)
}
