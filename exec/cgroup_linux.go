package exec

import (
	"bufio"
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

// cgroups is where groups for commands can be made, if anywhere: below the
// group this process is in, by version 2 of control groups, else version 1.
// Memory, processes and processor time are each there or not.
type cgroups struct {
	version int
	memory  string // folder for groups that limit memory, or ""
	pids    string // folder for groups that limit processes, or ""
	cpu     string // folder for groups that count processor time, or ""
	next    atomic.Uint64
}

// name is how a limit that a group keeps is called.
func (c *cgroups) name(dir string) string {
	if dir == "" {
		return ""
	}
	return "cgroup" + strconv.Itoa(c.version)
}

// openCgroups finds out what can be had, by making a group and limiting it.
func openCgroups() *cgroups {
	best := &cgroups{}
	for _, open := range []func() *cgroups{cgroup2, cgroup1} {
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
			best.close()
			return c
		}
		if c.cpu != "" && best.cpu == "" {
			best = c
		}
	}
	return best
}

// discard removes a folder that is of no use, unless another controller has the same.
func (c *cgroups) discard(dir *string) {
	old := *dir
	*dir = ""
	if !slices.Contains([]string{c.memory, c.pids, c.cpu}, old) {
		_ = os.Remove(old)
	}
}

func (c *cgroups) works(l Limits) bool {
	g, err := c.open(l)
	if err != nil {
		return false
	}
	return g.close() == nil
}

func (c *cgroups) close() {
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
func cgroup2() *cgroups {
	parent := cgroupPath("cgroup2", "")
	if parent == "" {
		return nil
	}
	removeOldGroups(parent)
	have, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return nil
	}
	c := &cgroups{version: 2}
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
func cgroup1() *cgroups {
	c := &cgroups{version: 1}
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

// cgroupPath finds the folder of the group this process is in, for a kind of
// file system and, in version 1, a controller.
func cgroupPath(kind, controller string) string {
	mount := cgroupMount(kind, controller)
	if mount == "" {
		return ""
	}
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		part := strings.SplitN(s.Text(), ":", 3)
		if len(part) == 3 && slices.Contains(strings.Split(part[1], ","), controller) && (controller != "" || part[0] == "0") {
			dir := filepath.Join(mount, part[2])
			if _, err := os.Stat(dir); err == nil {
				return dir
			}
			// In a container the group's own folder is the root of the mount.
			return mount
		}
	}
	return ""
}

// cgroupMount finds where such a file system is mounted.
func cgroupMount(kind, controller string) string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		before, after, ok := strings.Cut(s.Text(), " - ")
		fields, fs := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(fs) < 3 || fs[0] != kind {
			continue
		}
		if controller == "" || slices.Contains(strings.Split(fs[2], ","), controller) {
			return fields[4]
		}
	}
	return ""
}

// group holds one command and all it starts.
type group struct {
	version           int
	memory, pids, cpu string // "" when not limited or counted here
}

// open makes a group with the limits that groups can keep.
func (c *cgroups) open(l Limits) (*group, error) {
	g := &group{version: c.version}
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
			_ = g.close()
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
	if err := g.limit(l); err != nil {
		_ = g.close()
		return nil, fmt.Errorf("limit a control group: %w", err)
	}
	return g, nil
}

// dirs are the folders of the group, each once.
func (g *group) dirs() []string {
	var all []string
	for _, d := range []string{g.memory, g.pids, g.cpu} {
		if d != "" && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

func (g *group) limit(l Limits) error {
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

// add puts a process, and what it will start, into the group.
func (g *group) add(pid int) error {
	for _, dir := range g.dirs() {
		if err := writeTo(dir, "cgroup.procs", strconv.Itoa(pid)); err != nil {
			return fmt.Errorf("put the command into its control group: %w", err)
		}
	}
	return nil
}

// peak is the most memory the group ever had, 0 if that is not counted.
func (g *group) peak() int64 {
	for _, name := range []string{"memory.peak", "memory.max_usage_in_bytes"} {
		if b, err := os.ReadFile(filepath.Join(g.memory, name)); g.memory != "" && err == nil {
			n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
			return n
		}
	}
	return 0
}

// cpuTime is how much processor time the group ever had, also of processes that
// nobody waited for; 0 if that is not counted.
func (g *group) cpuTime() time.Duration {
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

// hit says which limit of the group was hit, if any.
func (g *group) hit() Reason {
	switch {
	case g.memory != "" && (countIn(g.memory, "memory.events", "oom_kill") > 0 || countIn(g.memory, "memory.oom_control", "oom_kill") > 0):
		return ReasonLimitMemory
	case g.pids != "" && countIn(g.pids, "pids.events", "max") > 0:
		return ReasonLimitProcesses
	}
	return ""
}

// close removes the group when nothing of it lives.
func (g *group) close() (err error) {
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
