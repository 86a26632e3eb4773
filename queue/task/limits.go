package task

import (
	"strconv"
	"time"
)

// Limits bound what a task may use while it runs, beside the memory and disk
// of its Need. Zero is no limit.
type Limits struct {
	CPUTime   time.Duration `msgpack:"c,omitempty"` // processor time, of all its processes together
	OpenFiles int32         `msgpack:"f,omitempty"` // of each single process
	Processes int32         `msgpack:"p,omitempty"` // and threads, at once
	OutputMB  int64         `msgpack:"o,omitempty"` // MiB written to standard output and error; the task ends beyond
}

// The names of the limits, as they follow ReasonLimitPrefix.
const (
	LimitMemory    = "memory"
	LimitCPU       = "cpu"
	LimitDisk      = "disk"
	LimitFiles     = "files"
	LimitProcesses = "processes"
	LimitOutput    = "output"
)

// LimitNames are all limits there are.
var LimitNames = [...]string{LimitMemory, LimitCPU, LimitDisk, LimitFiles, LimitProcesses, LimitOutput}

// Limit is one limit that a task asks for.
type Limit struct {
	Name  string
	Value string // for people, as in "64 MiB"
}

// Limited lists the limits that a task asks for, in the order of LimitNames.
func (n *Need) Limited() []Limit {
	var all []Limit
	for _, name := range LimitNames {
		if v := n.limit(name); v != "" {
			all = append(all, Limit{name, v})
		}
	}
	return all
}

// Unlimited reports whether Limited is empty.
func (n *Need) Unlimited() bool {
	return n.MemoryMB <= 0 && n.DiskMB <= 0 && n.Limits == Limits{}
}

// limit is the value of one limit for people, empty if it is not asked for.
func (n *Need) limit(name string) string {
	switch l := n.Limits; {
	case name == LimitMemory && n.MemoryMB > 0:
		return mebibytes(n.MemoryMB)
	case name == LimitCPU && l.CPUTime > 0:
		return l.CPUTime.String()
	case name == LimitDisk && n.DiskMB > 0:
		return mebibytes(n.DiskMB)
	case name == LimitFiles && l.OpenFiles > 0:
		return strconv.Itoa(int(l.OpenFiles))
	case name == LimitProcesses && l.Processes > 0:
		return strconv.Itoa(int(l.Processes))
	case name == LimitOutput && l.OutputMB > 0:
		return mebibytes(l.OutputMB)
	}
	return ""
}

func mebibytes(n int64) string { return strconv.FormatInt(n, 10) + " MiB" }

// Bounds of limits.
const (
	MaxCPUTime   = 100 * MaxTimeout
	MaxOpenFiles = 1 << 20
	MinOpenFiles = 16 // no shell does its work with fewer
	MaxProcesses = 1 << 22
	MaxOutputMB  = 1 << 20
)

func checkLimits(s *Spec) error {
	n, l := &s.Need, s.Need.Limits
	switch {
	case l.CPUTime < 0 || l.CPUTime > MaxCPUTime:
		return Errorf(KindUsage, "cpu_time_limit %v is not between 0 and %v", l.CPUTime, MaxCPUTime)
	case l.CPUTime > 0 && l.CPUTime < time.Millisecond:
		return Errorf(KindUsage, "cpu_time_limit %v is too short: no program starts in less than a millisecond", l.CPUTime)
	case l.OpenFiles < 0 || l.OpenFiles > MaxOpenFiles:
		return Errorf(KindUsage, "max_open_files %d is not between 0 and %d", l.OpenFiles, MaxOpenFiles)
	case l.OpenFiles > 0 && l.OpenFiles < MinOpenFiles:
		return Errorf(KindUsage, "max_open_files %d is too few: no shell does its work with fewer than %d", l.OpenFiles, MinOpenFiles)
	case l.Processes < 0 || l.Processes > MaxProcesses:
		return Errorf(KindUsage, "max_processes %d is not between 0 and %d", l.Processes, MaxProcesses)
	case l.OutputMB < 0 || l.OutputMB > MaxOutputMB:
		return Errorf(KindUsage, "output_limit_mb %d is not between 0 and %d", l.OutputMB, MaxOutputMB)
	case l.Processes > 0 && int64(l.Processes)*1000 < int64(n.CPUs()):
		return Errorf(KindUsage, "max_processes %d and cpus %s contradict each other: so few processes cannot use so many CPUs", l.Processes, n.CPUs()).
			WithHint("ask for fewer CPUs, or allow more processes")
	}
	return nil
}
