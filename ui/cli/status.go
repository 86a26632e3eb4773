package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func newStatusCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "the cluster in a few lines: look here first", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return env.ask(func(ctx context.Context, c *connection) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				return printStatus(env, &s)
			})
		},
	}
}

type statusObject struct {
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
	Self       identityObject            `json:"self"`
	Facts      []factObject              `json:"facts"`
}

type factObject struct {
	Level string  `json:"level"`
	Text  string  `json:"text"`
	Cure  *string `json:"cure"`
}

func statusJSON(s *control.Status) statusObject {
	o := statusObject{
		Schema: "octaskly.status/1", Cluster: orNull(s.Cluster), Dispatcher: orNull(s.Dispatcher), Term: s.Term, Since: stamp(s.Since),
		Nodes: s.Nodes, Tasks: map[string]int{}, Ready: s.Ready, Slots: s.Slots, SlotsUsed: s.SlotsUsed, Rate: s.Rate,
		QueueLimit: s.QueueLimit, Self: identityJSON(&s.Self), Facts: []factObject{},
	}
	if o.Nodes == nil {
		o.Nodes = map[control.NodeState]int{}
	}
	for _, st := range task.States() {
		o.Tasks[st.String()] = s.Tasks[st]
	}
	for _, f := range s.Facts {
		o.Facts = append(o.Facts, factObject{f.Level, f.Text, orNull(f.Cure)})
	}
	return o
}

func printStatus(env *environment, s *control.Status) error {
	switch {
	case env.out.json:
		return env.out.object(statusJSON(s))
	case env.out.quiet:
		return env.out.line("%s", dash(text.CleanLine(s.Dispatcher)))
	}
	if err := env.out.fields(statusFields(s, time.Now())); err != nil {
		return err
	}
	for _, f := range s.Facts {
		fact := f.Level + ": " + f.Text
		if f.Cure != "" {
			fact += " (" + f.Cure + ")"
		}
		if err := env.out.line("%s", text.CleanLine(fact)); err != nil {
			return err
		}
	}
	return nil
}

func statusFields(s *control.Status, now time.Time) []pair {
	dispatcher := "none"
	if s.Dispatcher != "" {
		dispatcher = s.Dispatcher
		if s.Since != 0 {
			dispatcher += ", for " + ago(now, s.Since)
		}
	}
	var nodes, tasks []string
	for _, st := range []control.NodeState{
		control.NodeUp, control.NodeDraining, control.NodeDrained, control.NodeStale,
		control.NodeLost, control.NodeAway, control.NodeAsks, control.NodeForeign,
	} {
		if n := s.Nodes[st]; n > 0 {
			nodes = append(nodes, fmt.Sprintf("%d %s", n, st))
		}
	}
	for _, st := range task.States() {
		if n := s.Tasks[st]; n > 0 {
			tasks = append(tasks, fmt.Sprintf("%d %s", n, st))
		}
	}
	limit := ""
	if s.QueueLimit > 0 {
		limit = fmt.Sprintf("%d ready, room for %d", s.Ready, s.QueueLimit)
	}
	return []pair{
		{"cluster", dash(s.Cluster)},
		{"dispatcher", dispatcher},
		{"nodes", dash(strings.Join(nodes, ", "))},
		{"slots", fmt.Sprintf("%d of %d used", s.SlotsUsed, s.Slots)},
		{"tasks", dash(strings.Join(tasks, ", "))},
		{"queue", limit},
		{"rate", fmt.Sprintf("%.1f finished a second", s.Rate)},
		{"this node", s.Self.Name},
	}
}
