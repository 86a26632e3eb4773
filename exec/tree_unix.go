//go:build unix && !linux

package exec

import (
	"os"
	osexec "os/exec"
	"runtime"
	"syscall"
)

// tree is a command's process group. What leaves the group is not found here.
type tree struct{}

func (tree) prepare(cmd *osexec.Cmd, _ *Spec) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return nil
}

func (tree) started(*os.Process) error { return nil }

func (tree) ask(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGTERM)
	_ = syscall.Kill(-p.Pid, syscall.SIGCONT)
}

func (tree) kill(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func (tree) close() {}

func shellArgv(line string) []string { return []string{"/bin/sh", "-c", line} }

func signalOf(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return int(ws.Signal())
	}
	return 0
}

func maxRSS(s *os.ProcessState) int64 {
	ru, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(ru.Maxrss)
	}
	return int64(ru.Maxrss) * 1024
}

const (
	killBy        = "pgroup"
	noneMechanism = "session,pgroup"
	treeLimits    = "" // nothing limits a whole tree
)
