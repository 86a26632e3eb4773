// Package tuning is the one owner of what is set for the whole process: how many
// goroutines run at once, when garbage is collected, what memory is given back,
// how late the runtime's monitor may be. GOMAXPROCS and GOGC in the environment
// stand.
package tuning

import (
	"os"
	"runtime"
	"slices"
	"sync"
)

// usable is what this process may use of the machine, read before anything here
// changes what the runtime answers.
var usable = runtime.GOMAXPROCS(0)

// UsableCPUs is how many CPUs this process may use.
func UsableCPUs() int { return usable }

// wanted are the numbers that AtLeast was asked for and that still hold.
var (
	wantedMu sync.Mutex
	wanted   []int
)

// AtLeast lets so many goroutines run at once, and never fewer than there are
// CPUs, until release is called. Of several wishes the largest holds. release may
// be called more than once.
func AtLeast(procs int) (release func()) {
	if os.Getenv("GOMAXPROCS") != "" {
		return func() {}
	}
	wantedMu.Lock()
	defer wantedMu.Unlock()
	wanted = append(wanted, procs)
	setProcsLocked()
	return sync.OnceFunc(func() {
		wantedMu.Lock()
		defer wantedMu.Unlock()
		at := slices.Index(wanted, procs)
		wanted = slices.Delete(wanted, at, at+1)
		setProcsLocked()
	})
}

// setProcsLocked sets the number when it is another one: setting it stops the
// world. The lock is held.
func setProcsLocked() {
	want := usable
	for _, n := range wanted {
		want = max(want, n)
	}
	if want != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(want)
	}
}

// ForSlots lets more goroutines run at once than there are CPUs, by as many as
// the slots, up to twice the CPUs. Each slot sits in the kernel waiting for its
// command; without room beside them the runtime keeps taking their places away
// and giving them back, which cost a tenth of the speed of short commands.
func ForSlots(slots int) (release func()) { return AtLeast(usable + min(slots, usable)) }
