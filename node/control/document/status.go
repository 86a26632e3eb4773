package document

import (
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// Identity is who a node is.
type Identity struct {
	ID          task.NodeID `json:"id"`
	Name        string      `json:"name"`
	Fingerprint string      `json:"fingerprint"`
	Cluster     *string     `json:"cluster"`
	Roles       []task.Role `json:"roles"`
	Code        *string     `json:"code"`
	Addresses   []string    `json:"addresses"`
	Version     string      `json:"version"`
	Dir         *string     `json:"dir"`
}

// IdentityOf writes it as JSON has it.
func IdentityOf(i *control.Identity) Identity {
	return Identity{
		ID: i.ID, Name: i.Name, Fingerprint: i.Fingerprint, Cluster: orNull(i.Cluster), Roles: notNil(i.Roles),
		Code: orNull(i.Code), Addresses: notNil(i.Addrs), Version: i.Version, Dir: orNull(i.Dir),
	}
}

// Status is the cluster in one object, schema octaskly.status/1.
type Status struct {
	Schema     string                    `json:"schema"`
	Cluster    *string                   `json:"cluster"`
	Dispatcher *string                   `json:"dispatcher"`
	Term       uint64                    `json:"term"`
	Since      *string                   `json:"since"`
	Nodes      map[control.NodeState]int `json:"nodes"`
	Tasks      map[string]int            `json:"tasks"`
	Ready      int                       `json:"ready"`
	Slots      int                       `json:"slots"`
	SlotsUsed  int                       `json:"slots_used"`
	Rate       float64                   `json:"finished_per_s"`
	QueueLimit int                       `json:"queue_limit"`
	Self       Identity                  `json:"self"`
	Facts      []Fact                    `json:"facts"`
}

// Fact is one thing a person should know, and the cure.
type Fact struct {
	Level string  `json:"level"`
	Text  string  `json:"text"`
	Cure  *string `json:"cure"`
}

// StatusOf writes it as JSON has it.
func StatusOf(s *control.Status) Status {
	o := Status{
		Schema: "octaskly.status/1", Cluster: orNull(s.Cluster), Dispatcher: orNull(s.Dispatcher), Term: s.Term, Since: text.Stamp(s.Since),
		Nodes: s.Nodes, Tasks: map[string]int{}, Ready: s.Ready, Slots: s.Slots, SlotsUsed: s.SlotsUsed, Rate: s.Rate,
		QueueLimit: s.QueueLimit, Self: IdentityOf(&s.Self), Facts: []Fact{},
	}
	if o.Nodes == nil {
		o.Nodes = map[control.NodeState]int{}
	}
	for _, st := range task.States() {
		o.Tasks[st.String()] = s.Tasks[st]
	}
	for _, f := range s.Facts {
		o.Facts = append(o.Facts, Fact{f.Level, f.Text, orNull(f.Cure)})
	}
	return o
}
