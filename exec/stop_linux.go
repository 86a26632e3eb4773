package exec

import (
	"time"

	"golang.org/x/sys/unix"
)

// Cancel asks the command to end; see Run.
func (p *process) Cancel(grace time.Duration) { p.stop(ReasonCancelled, grace) }

// stop asks the whole process group to end and sees to it that it does. Asked
// again, it only brings the end nearer.
func (p *process) stop(reason Reason, grace time.Duration) { p.stopFor(reason, "", grace) }

// stopFor is stop with a message for the Result.
func (p *process) stopFor(reason Reason, message string, grace time.Duration) {
	g := graceOf(grace, p.spec.Grace)
	deadline := time.Now().Add(g)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != "" {
		if deadline.Before(p.deadline) {
			p.deadline = deadline
			p.wake()
		}
		return
	}
	if p.gone {
		return
	}
	p.reason, p.message, p.deadline = reason, message, deadline
	if g > 0 {
		// A stopped process gets to see the request only when continued.
		_ = unix.Kill(-p.pid, unix.SIGTERM)
		_ = unix.Kill(-p.pid, unix.SIGCONT)
	}
	p.nudge = make(chan struct{}, 1)
	p.helpers.Add(1)
	go p.escalate(p.nudge)
}

// wake makes escalate look at the deadline again. The caller holds mu.
func (p *process) wake() {
	if p.nudge == nil {
		return
	}
	select {
	case p.nudge <- struct{}{}:
	default:
	}
}

// escalate waits for the end or the deadline, and then kills everything.
func (p *process) escalate(nudge <-chan struct{}) {
	defer p.helpers.Done()
	for {
		p.mu.Lock()
		gone, left := p.gone, time.Until(p.deadline)
		if !gone && left <= 0 {
			p.hard = true
		}
		p.mu.Unlock()
		if gone {
			return
		}
		if left <= 0 {
			p.r.log.Debug("killing a command and all it started", "pid", p.pid, "reason", p.reason)
			p.sweep()
			return
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-nudge:
		}
		timer.Stop()
	}
}
