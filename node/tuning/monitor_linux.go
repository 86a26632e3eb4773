package tuning

import (
	"os"
	"slices"
	"strconv"
)

// monitorSlack is how late, in nanoseconds, the runtime's monitor thread may be.
// While anything runs it looks after 20 µs again and again, and takes a processor
// from whoever uses it, commands among them, each time. It hands on what waits
// behind a goroutine that is in a long call; 1 ms is soon enough for that.
const monitorSlack = "1000000"

// CalmMonitor lets the monitor thread sleep a little longer. The kernel allows it
// to root only; for others everything goes on as it was.
func CalmMonitor() {
	tids, err := threads()
	if err != nil || len(tids) < 2 {
		return
	}
	// The monitor is the first thread that the runtime starts.
	_ = os.WriteFile("/proc/"+strconv.Itoa(tids[1])+"/timerslack_ns", []byte(monitorSlack), 0)
}

// threads are this process's, the oldest first. Ids rise until they begin again.
func threads() ([]int, error) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	var tids []int
	for _, e := range entries {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	const ids = 1 << 22 // the most that Linux has
	pid := os.Getpid()
	slices.SortFunc(tids, func(a, b int) int { return (a-pid+ids)%ids - (b-pid+ids)%ids })
	return tids, nil
}
