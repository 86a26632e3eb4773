package task

// Placement says where a task could run, before it is submitted or while it waits.
type Placement struct {
	Now   []string `msgpack:"n,omitempty"` // names of nodes that could start it now, by name
	Later []string `msgpack:"l,omitempty"` // of those that could once something ends there
	Nodes int      `msgpack:"a"`           // how many nodes were asked
	Lacks string   `msgpack:"w,omitempty"` // one sentence: what would make it run; empty when Now is not
}
