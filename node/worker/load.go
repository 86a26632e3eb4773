package worker

import (
	"sync"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/adauldev/octaskly/queue/task"
)

// Meter measures this machine. The first CPU percentage is 0: it is taken
// between two calls.
type Meter struct {
	Dir string // whose free space is told

	mu sync.Mutex
}

// Load measures now. What cannot be measured stays 0.
func (m *Meter) Load() task.Load {
	m.mu.Lock()
	defer m.mu.Unlock()
	var l task.Load
	if p, err := cpu.Percent(0, false); err == nil && len(p) == 1 {
		l.CPUPercent = float32(p[0])
	}
	if a, err := load.Avg(); err == nil {
		l.Load1 = float32(a.Load1)
	}
	if v, err := mem.VirtualMemory(); err == nil {
		l.MemTotalMB = int64(v.Total >> 20)
		l.MemUsedMB = int64((v.Total - v.Available) >> 20)
	}
	l.DiskFreeMB = freeMB(m.Dir)
	return l
}

func freeMB(dir string) int64 {
	u, err := disk.Usage(dir)
	if err != nil {
		return 0
	}
	return int64(u.Free >> 20)
}
