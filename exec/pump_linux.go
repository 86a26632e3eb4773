package exec

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pumpSize is how much is read from a pipe at once: all that an ordinary pipe
// holds.
const pumpSize = 64 << 10

// pumpBuffers are taken when a command has something to say and given back at
// its end.
var pumpBuffers = sync.Pool{New: func() any { b := make([]byte, pumpSize); return &b }}

// reapEvery is how often a long command's dead orphans are collected.
const reapEvery = 2 * time.Second

// pidfdPoll is how often a kernel without process handles is asked whether the
// command still runs while something else holds its output open.
const pidfdPoll = 20 * time.Millisecond

// pump carries output until the main process has ended or both streams have.
func (p *process) pump() {
	var buf *[]byte
	defer func() {
		if buf != nil {
			pumpBuffers.Put(buf)
		}
	}()
	for p.fds[Stdout] >= 0 || p.fds[Stderr] >= 0 {
		set := [3]unix.PollFd{
			{Fd: int32(p.fds[Stdout]), Events: unix.POLLIN},
			{Fd: int32(p.fds[Stderr]), Events: unix.POLLIN},
			{Fd: int32(p.pidfd), Events: unix.POLLIN},
		}
		wait := reapEvery
		if p.pidfd < 0 {
			wait = pidfdPoll
		}
		n, err := unix.Poll(set[:], int(wait/time.Millisecond))
		if err != nil && err != unix.EINTR {
			return
		}
		p.r.reapStrays()
		if n <= 0 {
			if p.pidfd < 0 && p.ended() {
				return
			}
			continue
		}
		buf = p.readReady(set[:2], buf)
		if set[2].Revents != 0 {
			return
		}
	}
}

// readReady reads once from every pipe that has something and closes those at
// their end. The buffer is taken when first needed.
func (p *process) readReady(set []unix.PollFd, buf *[]byte) *[]byte {
	for i := range set {
		if set[i].Revents == 0 {
			continue
		}
		s := Stream(i + 1)
		if set[i].Revents&unix.POLLIN == 0 {
			p.closePipe(s)
			continue
		}
		if buf == nil {
			buf = pumpBuffers.Get().(*[]byte)
		}
		n, err := unix.Read(p.fds[s], *buf)
		if n > 0 {
			p.spec.Output(s, (*buf)[:n])
		} else if err != unix.EINTR && err != unix.EAGAIN {
			p.closePipe(s)
		}
	}
	return buf
}

// hold keeps the command's ends of its output pipes open, so that a command
// that ends wakes pump once, by its handle, and not three times: its pipes would
// report their end first, one by one. What it takes over it strikes out in child.
func (p *process) hold(child []int) {
	if p.pidfd < 0 || p.cage != nil {
		return
	}
	for i := Stdout; i <= Stderr; i++ {
		if p.fds[i] >= 0 {
			p.held[i], child[i] = child[i], -1
		}
	}
}

// letGo ends what hold began, so that the pipes report their end.
func (p *process) letGo() {
	closeAll(p.held[:], -1)
	p.held = [3]int{-1, -1, -1}
}

func (p *process) closePipe(s Stream) {
	unix.Close(p.fds[s])
	p.fds[s] = -1
}

// drain reads what is left in the pipes when every process of the command is
// gone, and closes them. It does not wait: nobody is left who could write,
// save one outside the command that was handed the pipe.
func (p *process) drain() {
	defer p.closeFiles()
	if p.fds[Stdout] < 0 && p.fds[Stderr] < 0 {
		return
	}
	for range drainRounds {
		if !p.listen(0) {
			return
		}
	}
}

// listen waits for output, reads it once, and reports whether there was any.
// Without pipes it just waits.
func (p *process) listen(wait time.Duration) bool {
	set := [2]unix.PollFd{
		{Fd: int32(p.fds[Stdout]), Events: unix.POLLIN},
		{Fd: int32(p.fds[Stderr]), Events: unix.POLLIN},
	}
	n, err := unix.Poll(set[:], int((wait+time.Millisecond-1)/time.Millisecond))
	if err == unix.EINTR {
		return true
	}
	if n <= 0 || err != nil {
		return false
	}
	if buf := p.readReady(set[:], nil); buf != nil {
		pumpBuffers.Put(buf)
	}
	return true
}

// drainRounds bounds what is read after the end: more than any pipe can hold.
const drainRounds = 1024

// ended reports whether the main process has ended, without collecting it.
func (p *process) ended() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, p.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
	return err == unix.ECHILD || (err == nil && info.Signo != 0)
}
