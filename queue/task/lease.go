package task

// Lease names one attempt of one task as it is held by a worker: the task, and
// the fence under which it was granted.
type Lease struct {
	ID    ID    `msgpack:"i"`
	Fence Fence `msgpack:"f"`
}
