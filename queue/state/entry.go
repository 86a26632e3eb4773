package state

// Entry is one committed command.
type Entry struct {
	Index uint64 // position in the log; increases, not always by one
	Term  uint64 // of the dispatcher that proposed it
	Data  []byte // an encoded command; not kept after Apply returns
}
