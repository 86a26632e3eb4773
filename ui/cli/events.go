package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func (a *app) eventsCommand() *cobra.Command {
	var follow bool
	var from uint64
	var kinds []string
	cmd := &cobra.Command{
		Use: "events", Short: "what happens in the cluster", Args: exactly(0, ""),
		Long: `Print what happened as far as the dispatcher remembers it. With -f, print from
now on what happens. A position, the first column of --plain, is where a later
call can go on.`,
		Example: `  octaskly events -f
  octaskly events -f --from 1042 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := control.EventsRequest{From: from}
			for _, k := range kinds {
				switch kind := control.EventKind(k); kind {
				case control.EventTask, control.EventNode, control.EventLoad, control.EventNotice:
					r.Kinds = append(r.Kinds, kind)
				default:
					return usageOf(cmd, "--kind %q is not task, node, load or notice", k)
				}
			}
			if !follow && from == 0 {
				r.From = 1
			}
			return a.showEvents(r, follow)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until interrupted")
	cmd.Flags().Uint64Var(&from, "from", 0, "begin at this `POSITION`")
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only these `KINDS`: task, node, load, notice (default all but load)")
	return cmd
}

// eventsPause ends a list that is not followed: nothing more has come for so
// long.
const eventsPause = 300 * time.Millisecond

func (a *app) showEvents(r control.EventsRequest, follow bool) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	defer c.close()
	s, err := c.Events(a.ctx, r)
	if err != nil {
		return withHints(err)
	}
	var once sync.Once
	end := func() { once.Do(func() { _ = s.Close() }) }
	defer end()
	stop := context.AfterFunc(a.ctx, end)
	defer stop()
	var quiet atomic.Bool
	idle := time.AfterFunc(eventsPause, func() { quiet.Store(true); end() })
	defer idle.Stop()
	if follow {
		idle.Stop()
	}
	for {
		events, err := s.Next()
		switch {
		case a.ctx.Err() != nil:
			return context.Cause(a.ctx)
		case errors.Is(err, io.EOF), err != nil && quiet.Load():
			return nil
		case err != nil:
			return withHints(err)
		}
		for i := range events {
			if !follow && events[i].Kind == control.EventGap {
				a.out.say("older events are not kept; octaskly events -f shows what happens from now on")
				continue
			}
			if err := a.printEvent(&events[i]); err != nil {
				return err
			}
		}
		if !follow {
			idle.Reset(eventsPause)
		}
	}
}

type eventObject struct {
	Schema   string            `json:"schema"`
	Position uint64            `json:"position"`
	Time     *string           `json:"time"`
	Kind     control.EventKind `json:"kind"`
	Task     *task.ID          `json:"task"`
	From     *string           `json:"from"`
	To       *string           `json:"to"`
	Attempt  *uint32           `json:"attempt"`
	Exit     *int32            `json:"exit"`
	Node     *string           `json:"node"`
	State    *string           `json:"node_state"`
	Text     *string           `json:"text"`
}

func eventJSON(e *control.Event) eventObject {
	o := eventObject{
		Schema: "octaskly.event/1", Position: e.Position, Time: stamp(e.Time), Kind: e.Kind,
		Node: orNull(e.Node), Text: orNull(e.Text),
	}
	if e.Task != 0 {
		o.Task = &e.Task
	}
	if e.Attempt != 0 {
		o.Attempt = &e.Attempt
	}
	if e.From != 0 {
		o.From = orNull(e.From.String())
	}
	if e.To != 0 {
		o.To = orNull(e.To.String())
	}
	if e.Exit != nil {
		o.Exit = &e.Exit.Code
	}
	if e.NodeInfo != nil {
		o.State = orNull(string(e.NodeInfo.State))
	}
	return o
}

// eventClock is how the time of an event is shown.
const eventClock = "15:04:05.000"

func (a *app) printEvent(e *control.Event) error {
	switch {
	case a.out.json:
		return a.out.object(eventJSON(e))
	case a.out.plain:
		return a.out.line("%d\t%s\t%s\t%s", e.Position, *orZero(stamp(e.Time)), e.Kind, cleanLine(eventText(e)))
	}
	at := strings.Repeat(" ", len(eventClock))
	if e.Time != 0 {
		at = time.UnixMilli(e.Time).Format(eventClock)
	}
	return a.out.line("%s  %s", at, cleanLine(eventText(e)))
}

func orZero(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

// eventText is an event in one line.
func eventText(e *control.Event) string {
	if e.Kind == control.EventGap {
		return "some events were missed here: this reader was too slow"
	}
	var parts []string
	switch {
	case e.Task != 0 && e.From != 0:
		parts = append(parts, fmt.Sprintf("task %s %s → %s", e.Task, e.From, e.To))
	case e.Task != 0:
		parts = append(parts, fmt.Sprintf("task %s %s", e.Task, e.To))
	case e.Node != "" && e.NodeInfo != nil:
		parts = append(parts, fmt.Sprintf("node %s %s", e.Node, e.NodeInfo.State))
	case e.Node != "":
		parts = append(parts, "node "+e.Node)
	}
	if e.Task != 0 && e.Node != "" {
		parts = append(parts, "on "+e.Node)
	}
	if e.Exit != nil {
		parts = append(parts, exitText(e.Exit))
	}
	if e.Text != "" {
		parts = append(parts, e.Text)
	}
	return strings.Join(parts, ", ")
}
