package control

import (
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// NodeState is how a node stands to the cluster now.
type NodeState string

// The node states, in the words that every face shows.
const (
	NodeUp       NodeState = "up"
	NodeDraining NodeState = "draining" // takes no new tasks, still runs some
	NodeDrained  NodeState = "drained"  // takes no new tasks, runs none
	NodeStale    NodeState = "stale"    // missed heartbeats, leases still hold
	NodeLost     NodeState = "lost"     // leases ran out
	NodeAway     NodeState = "away"     // a member that left in good order
	NodeAsks     NodeState = "asks"     // not a member; wants to be
	NodeForeign  NodeState = "foreign"  // belongs to another cluster
)

// Node is what is known about one node.
type Node struct {
	ID       task.NodeID   `msgpack:"i"`
	Name     string        `msgpack:"n"` // unique in the cluster; a clash was suffixed
	State    NodeState     `msgpack:"s"`
	Roles    []task.Role   `msgpack:"r"` // what its certificate allows
	Doing    []string      `msgpack:"d"` // what it does now: dispatcher, worker, standby
	Self     bool          `msgpack:"S,omitempty"`
	Version  string        `msgpack:"v"`
	Addr     string        `msgpack:"a"`
	Capacity task.Capacity `msgpack:"c"`
	Load     task.Load     `msgpack:"l"`
	Used     Used          `msgpack:"u"` // by tasks the dispatcher has leased to it
	RTT      time.Duration `msgpack:"t"`
	Seen     int64         `msgpack:"e"` // last heard of, Unix ms by the dispatcher's clock
	Warnings []string      `msgpack:"w,omitempty"`
	Done     uint64        `msgpack:"D"` // attempts that ended there since the dispatcher started
	Failed   uint64        `msgpack:"F"`
	LostAt   int64         `msgpack:"L,omitempty"` // of a stale one: when its leases run out, Unix ms by the dispatcher's clock
	Skew     time.Duration `msgpack:"k,omitempty"` // how far its clock is ahead of the dispatcher's, to about the RTT
}

// Used is what leases take from a node.
type Used struct {
	CPU      task.Milli `msgpack:"c"`
	MemoryMB int64      `msgpack:"m"`
	GPUs     int32      `msgpack:"g"`
	Tasks    int32      `msgpack:"t"`
}

// Status is the cluster in one value.
type Status struct {
	Cluster    string            `msgpack:"c"` // its id; empty when there is none yet
	Dispatcher string            `msgpack:"d"` // name of the dispatcher
	Term       uint64            `msgpack:"t"`
	Since      int64             `msgpack:"s"` // dispatching since, Unix ms
	Nodes      map[NodeState]int `msgpack:"n"`
	Tasks      Counts            `msgpack:"k"`
	Ready      int               `msgpack:"r"` // could start now if a slot were free
	Slots      int               `msgpack:"S"`
	SlotsUsed  int               `msgpack:"u"`
	Rate       float64           `msgpack:"R"` // tasks finished per second, last 10 s
	QueueLimit int               `msgpack:"q"`
	Self       Identity          `msgpack:"i"`
	Problems   []Problem         `msgpack:"f"`           // what a person should know, worst first; at most MaxProblems
	Seal       []byte            `msgpack:"e,omitempty"` // public key that secrets of tasks are sealed with
}

// Counts is the number of tasks in each state, by state.
type Counts [task.Lost + 1]int

// The levels of problems, and of what doctor finds.
const (
	LevelError   = "error"   // something is broken
	LevelWarning = "warning" // something will break, or waits for a person
	LevelInfo    = "info"    // worth knowing; nothing is wrong
)

// MaxProblems is how many problems a Status has at most.
const MaxProblems = 64

// Problem is one thing a person should know, and what to do about it.
type Problem struct {
	ID       string   `msgpack:"i,omitempty"` // kind/subject: the same problem keeps it while it lasts
	Level    string   `msgpack:"l"`
	Subjects []string `msgpack:"s,omitempty"` // names of the nodes it is about
	Count    int      `msgpack:"n,omitempty"` // of tasks or nodes that it concerns; 0 is not counted
	Since    int64    `msgpack:"e,omitempty"` // Unix ms by the dispatcher's clock; 0 is not known
	Text     string   `msgpack:"t"`
	Cure     string   `msgpack:"c,omitempty"` // in words
	Actions  []Action `msgpack:"a,omitempty"` // the same as requests, where there are some
}

// Action is a row of the table of methods and what to ask of it.
type Action struct {
	Method string `msgpack:"m"`
	Node   string `msgpack:"n,omitempty"`
}

// Identity is who a node is.
type Identity struct {
	ID          task.NodeID `msgpack:"i"`
	Name        string      `msgpack:"n"`
	Fingerprint string      `msgpack:"f"` // of its key, in groups, for comparing by eye
	Cluster     string      `msgpack:"c"`
	Roles       []task.Role `msgpack:"r"`
	Code        string      `msgpack:"k,omitempty"` // pairing code, while it is no member
	Addrs       []string    `msgpack:"a"`
	Version     string      `msgpack:"v"`
	Dir         string      `msgpack:"d"` // where it keeps its state
}

// Why explains one task. Exactly one of Waits and Told is filled.
type Why struct {
	ID    task.ID    `msgpack:"i"`
	State task.State `msgpack:"s"`
	Waits *Waits     `msgpack:"w,omitempty"`
	Told  []string   `msgpack:"t,omitempty"` // what happened and where, one sentence each
	Would string     `msgpack:"W,omitempty"` // what would make it run, or what to do next
}

// Waits is why a task is not running yet.
type Waits struct {
	Ahead    int           `msgpack:"a"`           // ready tasks that go before it
	Until    int64         `msgpack:"u,omitempty"` // Unix ms; a retry delay
	Estimate time.Duration `msgpack:"e,omitempty"` // until it starts; 0 is not known
	Nodes    []NodeVerdict `msgpack:"n"`
}

// NodeVerdict is what one node says to one task.
type NodeVerdict struct {
	Node  string `msgpack:"n"`
	Fits  bool   `msgpack:"f"`           // could run it, now or when something ends
	Now   bool   `msgpack:"w"`           // could run it now
	Terms []Term `msgpack:"t,omitempty"` // each requirement that fails
}

// Term is one requirement that a node does not meet.
type Term struct {
	Name string `msgpack:"n"`           // cpu, memory, disk, gpus, label os, sandbox, on, slots, state
	Want string `msgpack:"w"`           // what the task asks
	Have string `msgpack:"h"`           // what the node has, or has left
	Busy bool   `msgpack:"b,omitempty"` // it would be met if the node were idle
}

// InviteRequest asks for a code.
type InviteRequest struct {
	Role task.Role     `msgpack:"r,omitempty"` // empty is worker and client
	Uses int           `msgpack:"u,omitempty"` // 0 is one
	TTL  time.Duration `msgpack:"t,omitempty"` // 0 is ten minutes
}

// Invite is a code that lets nodes in.
type Invite struct {
	Code    string      `msgpack:"c"`
	Long    bool        `msgpack:"l"` // for files and variables, not for typing
	Roles   []task.Role `msgpack:"r"`
	Uses    int         `msgpack:"u"`
	Expires int64       `msgpack:"e"` // Unix ms
}

// PromoteRequest asks the node to become dispatcher.
type PromoteRequest struct {
	Force bool `msgpack:"f,omitempty"` // although another one may be alive
}

// ShortCluster is as much of a cluster's id as a person needs to tell it from
// others.
func ShortCluster(id string) string { return id[:min(8, len(id))] }

// TokenRequest asks for a token for REST.
type TokenRequest struct {
	Name string        `msgpack:"n"` // who will use it; tasks submitted with it are "token:NAME"'s
	Role task.Role     `msgpack:"r"`
	TTL  time.Duration `msgpack:"t,omitempty"` // 0 is a day
}

// Token lets a program ask through REST.
type Token struct {
	Token   string    `msgpack:"k"` // the secret itself
	ID      string    `msgpack:"i"`
	Name    string    `msgpack:"n"`
	Role    task.Role `msgpack:"r"`
	Expires int64     `msgpack:"e"` // Unix ms
}
