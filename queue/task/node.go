package task

// Role is what a membership allows a node to do.
type Role string

// The roles as they stand in certificates.
const (
	RoleWorker     Role = "worker"
	RoleDispatcher Role = "dispatcher"
	RoleClient     Role = "client"
	RoleAdmin      Role = "admin"
)

// Capacity is what a worker offers. It is declared by the worker in its own
// words and never changed by a dispatcher.
type Capacity struct {
	CPU       Milli             `msgpack:"c"`
	MemoryMB  int64             `msgpack:"m"`
	DiskMB    int64             `msgpack:"d"` // free space where work directories live
	GPUs      int32             `msgpack:"g"`
	Slots     int32             `msgpack:"s"` // most tasks at once; 0 is "takes no tasks"
	Labels    map[string]string `msgpack:"l"` // os, arch, host and what its owner added
	Sandboxes []string          `msgpack:"x"` // levels that passed the self-test, weakest first
	Default   string            `msgpack:"D"` // level for tasks that name none; also its floor

	Levels []Guard `msgpack:"v,omitempty"` // every level, weakest first
	Limits []Guard `msgpack:"L,omitempty"` // every limit, in the order of LimitNames
	Kill   string  `msgpack:"k,omitempty"` // what removes a task's processes
}

// Load is what a worker measures about itself, sent with every heartbeat.
type Load struct {
	CPUPercent float32 `msgpack:"c"` // of the whole machine, 0 to 100
	Load1      float32 `msgpack:"l"`
	MemUsedMB  int64   `msgpack:"m"`
	MemTotalMB int64   `msgpack:"M"`
	DiskFreeMB int64   `msgpack:"d"`
	Running    int32   `msgpack:"r"`
	Backlog    int32   `msgpack:"b"`           // assigned, not started
	DiskFull   bool    `msgpack:"F,omitempty"` // there is no room for output, so it takes no tasks
}
