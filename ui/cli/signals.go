package cli

import (
	"os"
	"syscall"
)

// signalled is why a context ended: a signal came.
type signalled struct{ os.Signal }

// Error names the signal.
func (s signalled) Error() string { return "interrupted by " + s.String() }

// code is 128 and the signal's number, as a shell would say it.
func (s signalled) code() int {
	if n, ok := s.Signal.(syscall.Signal); ok && n > 0 && n < 64 {
		return 128 + int(n)
	}
	return 130
}

// watchSignals ends ctx at a signal, or hands signals on to whoever took them
// over. A full channel drops: nobody needs a ninth interrupt.
func (env *environment) watchSignals() {
	defer close(env.ended)
	for {
		select {
		case <-env.done:
			return
		case s := <-env.Signals:
			if s == syscall.SIGPIPE {
				continue
			}
			select {
			case <-env.take:
				select {
				case env.signal <- s:
				default:
				}
			default:
				env.stop(signalled{s})
			}
		}
	}
}

// takeSignals makes signals arrive in the returned channel instead of ending
// ctx. It may be called once.
func (env *environment) takeSignals() <-chan os.Signal {
	close(env.take)
	return env.signal
}
