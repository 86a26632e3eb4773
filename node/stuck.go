package node

import (
	"runtime"
	"strings"

	"github.com/adauldev/octaskly/node/dispatch"
)

// ExitStuck is what the process ends with when its dispatcher hangs: EX_TEMPFAIL
// of sysexits.h, for a supervisor that starts it again.
const ExitStuck = 75

// Bounds on what a dump of the goroutines puts into the log.
const (
	dumpBytes      = 4 << 20 // of all stacks together
	dumpGoroutines = 400
)

// stuck writes every goroutine into the log and ends the process: a dispatcher
// that hangs answers nobody, and whoever starts it again finds every task that
// was accepted. It takes no lock of the node.
func (n *Node) stuck() {
	n.log.Error("the dispatcher hangs; this process ends so that it can be started again", "after", dispatch.StuckAfter, "exit", ExitStuck)
	for _, stack := range goroutines() {
		n.log.Error("goroutine", "stack", stack)
	}
	n.opt.Exit(ExitStuck)
}

// goroutines is the stack of every goroutine, within bounds.
func goroutines() []string {
	buf := make([]byte, dumpBytes)
	buf = buf[:runtime.Stack(buf, true)]
	all := strings.Split(string(buf), "\n\n")
	return all[:min(len(all), dumpGoroutines)]
}
