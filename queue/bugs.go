package queue

// Bugs are deliberate faults, for tests that prove that tests find them. All
// are off, and stay off, unless the program is built with octaskly_bugs.
type Bugs struct {
	AckEarly  bool // acknowledge before the log has committed
	NoFence   bool // Record does not look at the fence
	LowerTerm bool // Grant accepts a fence of an older term
	ForgetKey bool // idempotency keys are not looked up
	NoSync    bool // the stores do not sync
}
