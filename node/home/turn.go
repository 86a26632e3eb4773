package home

import (
	"os"

	"github.com/adauldev/octaskly/quicnet/trust"
)

// Turn is the right to become the dispatcher of this user's cluster: of several
// processes that start at once, one has it.
type Turn struct{ lock *os.File }

// TakeTurn takes the turn in the cluster's directory, which is made when it is
// missing. It fails with ErrBusy while another process has it.
func TakeTurn(cluster string) (*Turn, error) {
	if _, err := trust.OpenDir(cluster); err != nil {
		return nil, err
	}
	f, err := lock(cluster)
	if err != nil {
		return nil, err
	}
	return &Turn{f}, nil
}

// End gives the turn back. It may be called more than once, and on nil.
func (t *Turn) End() {
	if t != nil && t.lock != nil {
		_ = t.lock.Close()
		t.lock = nil
	}
}
