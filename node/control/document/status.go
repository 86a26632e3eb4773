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
	Problems   []Problem                 `json:"problems"`
}

// Problem is one thing a person should know, and what to do about it.
type Problem struct {
	ID       *string  `json:"id"` // kind/subject: the same problem keeps it while it lasts
	Level    string   `json:"level"`
	Subjects []string `json:"subjects"`
	Count    *int     `json:"count"`
	Since    *string  `json:"since"`
	Text     string   `json:"text"`
	Cure     *string  `json:"cure"`
	Actions  []Action `json:"actions"`
}

// Action is what to ask for, to solve a problem.
type Action struct {
	Method string  `json:"method"`
	Node   *string `json:"node"`
}

// ProblemOf writes it as JSON has it.
func ProblemOf(p *control.Problem) Problem {
	o := Problem{
		ID: orNull(p.ID), Level: p.Level, Subjects: notNil(p.Subjects), Since: text.Stamp(p.Since), Text: p.Text, Cure: orNull(p.Cure), Actions: []Action{},
	}
	if p.Count > 0 {
		o.Count = &p.Count
	}
	for _, a := range p.Actions {
		o.Actions = append(o.Actions, Action{a.Method, orNull(a.Node)})
	}
	return o
}

// StatusOf writes it as JSON has it.
func StatusOf(s *control.Status) Status {
	o := Status{
		Schema: "octaskly.status/1", Cluster: orNull(s.Cluster), Dispatcher: orNull(s.Dispatcher), Term: s.Term, Since: text.Stamp(s.Since),
		Nodes: s.Nodes, Tasks: map[string]int{}, Ready: s.Ready, Slots: s.Slots, SlotsUsed: s.SlotsUsed, Rate: s.Rate,
		QueueLimit: s.QueueLimit, Self: IdentityOf(&s.Self), Problems: []Problem{},
	}
	if o.Nodes == nil {
		o.Nodes = map[control.NodeState]int{}
	}
	for _, st := range task.States() {
		o.Tasks[st.String()] = s.Tasks[st]
	}
	for i := range s.Problems {
		o.Problems = append(o.Problems, ProblemOf(&s.Problems[i]))
	}
	return o
}
