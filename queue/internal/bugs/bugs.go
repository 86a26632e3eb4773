// Package bugs are the faults that can be planted into the queue, for tests that
// prove that tests find them.
package bugs

// Set are deliberate faults. All are off, and stay off, unless the program is
// built with octaskly_bugs.
type Set struct {
	AckEarly  bool // acknowledge before the log has committed
	NoFence   bool // the end of an attempt is taken whatever its fence
	LowerTerm bool // a lease is given under a fence of an older term
	ForgetKey bool // idempotency keys are not looked up
	NoSync    bool // the stores do not sync
}
