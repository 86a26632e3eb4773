// Package scene is what the panes and dialogs of the dashboard share: the
// snapshot that is drawn, the key table, where the person is, what is selected
// and marked, and what is to be done outside. It is a pure state: it asks the
// cluster nothing by itself.
package scene

import (
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// LinkState is how well the cluster can be heard.
type LinkState uint8

// The link states.
const (
	Starting LinkState = iota // nothing was heard yet
	Live
	Waiting // no answer for a moment
	Gone    // no answer for more than three seconds
)

// Link is the connection to the cluster as a person sees it.
type Link struct {
	State LinkState
	Since time.Time // since when
	Err   string
	Tries int
}

// Snapshot is everything a drawing needs, at one moment. It is never changed
// after it was handed over.
type Snapshot struct {
	Version uint64
	Now     time.Time
	Link    Link
	Demo    bool

	Status control.Status
	Nodes  []control.Node // by name
	Names  map[task.NodeID]string
	Rates  []float64 // tasks finished a second, one for each two seconds, newest last

	Rows    Rows        // the window of tasks that was wanted
	Running []task.Task // newest first
	Task    *task.Task  // the wanted one
	TaskErr string
	Why     *control.Why
	WhyErr  string
	History History         // of the wanted node
	Events  []control.Event // oldest first
}

// History is a node's load over time, percent, newest last.
type History struct {
	Node task.NodeID
	CPU  []float64
	Mem  []float64
}

// Rows is a window of a list of tasks.
type Rows struct {
	For   TaskWant
	Tasks []task.Task // in the order of the list
	First int         // how many are before the first; -1 is not known
	Total int         // -1 is not known
	Err   string
	Done  bool // false while nothing was fetched for For

	Searched int  // how many were looked into, while Working
	Working  bool // the search goes on: there may be more
}

// TaskWant is which part of which list of tasks is wanted: Above rows before
// the anchor, the anchor, and Below rows after it. Anchor 0 is the beginning.
type TaskWant struct {
	Query  control.Query // without After and Limit
	Anchor task.ID
	Above  int
	Below  int
	End    bool // the end of the list instead
}

// Want is what the screen needs to know now. It is compared by value of its
// parts; nothing else is fetched.
type Want struct {
	Tasks   TaskWant
	Running int
	Task    task.ID
	Why     task.ID
	Node    task.NodeID
	Output  task.ID // whose output is on the screen
}

// NodeName is the name of a node that is known by id.
func (s *Snapshot) NodeName(id task.NodeID) string {
	if n, ok := s.Names[id]; ok {
		return n
	}
	return id.Short()
}

// Node finds a node by id.
func (s *Snapshot) Node(id task.NodeID) *control.Node {
	for i := range s.Nodes {
		if s.Nodes[i].ID == id {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Named finds a node by name: a member before a stranger who calls itself the same.
func (s *Snapshot) Named(name string) (found *control.Node) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Name != name {
			continue
		}
		if Member(n) {
			return n
		}
		if found == nil {
			found = n
		}
	}
	return found
}

// Known is how many nodes are members here or ask to be; those of other
// clusters on the same network are none of this one's business.
func (s *Snapshot) Known() int {
	n := 0
	for i := range s.Nodes {
		if s.Nodes[i].State != control.NodeForeign {
			n++
		}
	}
	return n
}

// DispatcherVersion is what the dispatcher runs; empty where it is not known.
func (s *Snapshot) DispatcherVersion() string {
	if d := s.Named(s.Status.Dispatcher); d != nil {
		return d.Version
	}
	return ""
}

// HeardDispatchers is who dispatches on this network, in other clusters than
// this one's.
func (s *Snapshot) HeardDispatchers() []string {
	var names []string
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.State == control.NodeForeign && slices.Contains(n.Doing, "dispatcher") {
			names = append(names, n.Name)
		}
	}
	return names
}

// Odd reports that a member runs another version than the dispatcher's.
func Odd(n *control.Node, dispatcher string) bool {
	return Member(n) && n.Version != "" && dispatcher != "" && n.Version != dispatcher
}

// Member reports that a node belongs to this cluster.
func Member(n *control.Node) bool {
	return n.State != control.NodeAsks && n.State != control.NodeForeign
}

// Dispatches reports that a node is the dispatcher of this cluster.
func Dispatches(n *control.Node) bool {
	return n != nil && Member(n) && slices.Contains(n.Doing, "dispatcher")
}

// Alone reports that there is no cluster here and none is heard.
func (s *Snapshot) Alone() bool {
	return s.Link.State == Live && s.Status.Dispatcher == "" && s.Status.Cluster == ""
}

// Self is the node that this screen is of.
func (s *Snapshot) Self() *control.Node {
	for i := range s.Nodes {
		if s.Nodes[i].Self {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Count is how many tasks are in a state; assigned ones count as running.
func (s *Snapshot) Count(state task.State) int {
	n := s.Status.Tasks[state]
	if state == task.Running {
		n += s.Status.Tasks[task.Assigned]
	}
	return n
}

// FindTask finds a task among those that are known.
func (s *Snapshot) FindTask(id task.ID) *task.Task {
	if s.Task != nil && s.Task.ID == id {
		return s.Task
	}
	for _, list := range [][]task.Task{s.Rows.Tasks, s.Running} {
		for i := range list {
			if list[i].ID == id {
				return &list[i]
			}
		}
	}
	return nil
}
