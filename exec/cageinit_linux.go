package exec

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

// cageName, as the name it was called by, makes this program the first process
// of a cage.
const cageName = "octaskly-cage"

// cageSocket is the file over which it hears from the worker.
const cageSocket = 3

// init turns a process that was started as a cage into one, before anything
// else of the program runs. It is here and not in main, so that no program
// that can make cages, such as a test, starts its own work instead.
func init() {
	if len(os.Args) == 1 && os.Args[0] == cageName {
		os.Exit(runCage(cageSocket)) //nolint:forbidigo // this process is the cage: main never runs
	}
}

// runCage builds the cage, starts one command in it and reports its end. It is
// process 1 of its namespace: when it ends, the kernel ends all others in it.
// It ends when the worker does, since that closes the socket.
func runCage(sock int) int {
	unix.CloseOnExec(sock)
	var plan cagePlan
	if _, err := receiveMessage(sock, &plan); err != nil {
		return 125
	}
	// As process 1 it gets only the signals it asks for.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	if err := enterCage(plan); err != nil {
		_ = sendMessage(sock, cageReply{Error: err.Error()})
		return 125
	}
	if sendMessage(sock, cageReply{}) != nil {
		return 125
	}
	for {
		var order cageOrder
		files, err := receiveMessage(sock, &order)
		if err != nil {
			return 125
		}
		pid, reply := carryOut(plan, order, files)
		closeAll(files, -1)
		counters := -1
		if pid > 0 {
			counters = account.OpenCounters(pid)
		}
		if sendMessage(sock, reply) != nil {
			return 125
		}
		if pid > 0 {
			go passOn(signals, pid)
			go endWith(sock)
			return sendEnd(sock, pid, counters, plan, order)
		}
	}
}

// enterCage makes the surroundings that the namespaces left as they were.
func enterCage(plan cagePlan) error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if plan.Level == VeryStrict {
		if err := unix.Sethostname([]byte("octaskly")); err != nil {
			return fmt.Errorf("name the machine: %w", err)
		}
	}
	if plan.Level == Basic {
		return enterWholeView(plan)
	}
	if err := raiseLoopback(); err != nil {
		return err
	}
	return enterView(plan)
}

// carryOut starts the command of an order, or runs the self-test.
func carryOut(plan cagePlan, order cageOrder, files []int) (pid int, reply cageReply) {
	if order.Tmpfs > 0 {
		if err := homeInMemory(plan.Home, order.Tmpfs); err != nil {
			return 0, cageReply{Error: err.Error()}
		}
	}
	_, _ = unix.Setsid() // fails when asked for the second time
	onOwnThread(func() {
		if err := confineCage(plan); err != nil {
			reply.Error = err.Error()
			return
		}
		if order.Test {
			if err := tryCage(plan); err != nil {
				reply.Error = err.Error()
			}
			return
		}
		attr := &syscall.ProcAttr{Dir: order.Dir, Env: order.Env, Sys: &syscall.SysProcAttr{Setsid: true}}
		for _, fd := range files {
			attr.Files = append(attr.Files, uintptr(fd))
		}
		var err error
		if pid, err = syscall.ForkExec(order.File, order.Argv, attr); err != nil {
			reply.Error = err.Error()
			var errno syscall.Errno
			if errors.As(err, &errno) {
				reply.Errno = int(errno)
			}
		}
	})
	return pid, reply
}

// sealedABI is for filters: in a cage nothing that Landlock learned later is
// missing, since what is not to be written is read-only.
const sealedABI = 3

// containedRules are those of a filter in a cage: there the tree is read-only, and no
// process to be seen but the command's own.
func containedRules(l Level) filterRules {
	rules := filterRules{level: l, abi: sealedABI}
	if l == Strict {
		rules.turns = turnsOwn
	}
	return rules
}

// confineCage takes from the calling thread, and from what it starts, all that
// building the cage needed.
func confineCage(plan cagePlan) error {
	filter, err := filterFor(containedRules(plan.Level))
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up gaining privileges: %w", err)
	}
	if plan.Skip != stepCapabilities {
		if err := dropCapabilities(); err != nil {
			return err
		}
	}
	dirs := []string{plan.Home}
	if plan.Dir != "" {
		dirs = append(dirs, plan.Dir)
	}
	if plan.Skip != stepLandlock && plan.ABI > 0 {
		fence := cageFence(plan)
		defer fence.close()
		if _, err := fence.restrict(dirs...); err != nil {
			return err
		}
	}
	if plan.Skip == stepFilter {
		return nil
	}
	_, err = loadFilter(filter, false)
	return err
}

// dropCapabilities empties every set of the calling thread.
func dropCapabilities() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && err != unix.EINVAL {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&hdr, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}

// passOn hands polite signals to the command.
func passOn(signals <-chan os.Signal, pid int) {
	for s := range signals {
		if sig, ok := s.(syscall.Signal); ok {
			_ = unix.Kill(-pid, sig)
			_ = unix.Kill(-pid, unix.SIGCONT)
		}
	}
}

// endWith ends the cage when the worker has gone.
func endWith(sock int) {
	var one [1]byte
	for {
		n, err := unix.Read(sock, one[:])
		if err != unix.EINTR && n <= 0 {
			os.Exit(125) //nolint:forbidigo // ends process 1, and so all in the cage
		}
	}
}

// sendEnd collects every process that ends until the main one has, and reports.
func sendEnd(sock, pid, counters int, plan cagePlan, order cageOrder) int {
	var status unix.WaitStatus
	var usage unix.Rusage
	var written int64
	for {
		var info unix.Siginfo
		if err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOWAIT, nil); err == unix.EINTR {
			continue
		} else if err == unix.ECHILD {
			status = 125 << 8 // nobody can tell how it ended
			break
		}
		// The main process is collected only when its counters were read.
		ended := mainEnded(pid)
		if ended {
			written = account.ReadWritten(counters)
			_, _ = unix.Wait4(pid, &status, 0, &usage)
			break
		}
		_, _ = unix.Wait4(-1, nil, unix.WNOHANG, nil)
	}
	report := cageReport{
		Status: uint32(status), Written: written, Swept: othersHere(),
		CPU:  usage.Utime.Nano() + usage.Stime.Nano(),
		Full: order.Tmpfs > 0 && isFull(plan.Home),
	}
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) == nil && usage.Maxrss > own.Maxrss {
		report.MaxRSS = int64(usage.Maxrss) * 1024 //nolint:unconvert // narrower on 32-bit processors
	}
	_ = sendMessage(sock, report)
	return 0
}

// mainEnded reports whether a child has ended, without collecting it.
func mainEnded(pid int) bool {
	s, ok := readStat(pid)
	return !ok || s.dead()
}

// othersHere counts what lives beside the calling process in its namespace.
func othersHere() (n int) {
	table := &procTable{}
	_ = table.all(func(pid int) bool {
		if s, ok := readStat(pid); ok && pid != 1 && !s.dead() {
			n++
		}
		return true
	})
	return n
}

// cageWait is how long building a cage may take.
const cageWait = 10 * time.Second
