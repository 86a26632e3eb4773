package worker

// Bugs are deliberate faults, for tests that prove that tests find them. All
// are off, and stay off, unless the program is built with octaskly_bugs.
type Bugs struct {
	LeaseFromReply bool // a lease is counted from when its renewal came back
}
