package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/control/document"
	"github.com/adauldev/octaskly/queue/task/text"
)

// eventFlags say which events to show.
type eventFlags struct {
	follow bool
	from   uint64
	since  string
	kinds  []string
	limit  int
}

func newEventsCommand(env *environment) *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use: "events", Short: "what happens in the cluster", Args: exactly(0, ""),
		Long: `Print what happened lately, and with -f what happens from now on. With --since
or --from, -f begins there and goes on without a gap. The dispatcher keeps the
latest 32,768 steps of tasks since it started; where something is missing, a
line says so. The position of an event is the first column of --plain.`,
		Example: `  octaskly events --since 10m
  octaskly events -f --from 1042 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := f.request(cmd, time.Now())
			if err != nil {
				return err
			}
			return showEvents(env, r, f.limit)
		},
	}
	cmd.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on until interrupted")
	cmd.Flags().Uint64Var(&f.from, "from", 0, "begin behind this `POSITION`; 1 is the oldest that is kept")
	cmd.Flags().StringVar(&f.since, "since", "", "begin a `DURATION` ago (10m) or at a time (RFC 3339)")
	cmd.Flags().StringSliceVar(&f.kinds, "kind", nil, "only these `KINDS`: task, node, load, notice (default all but load)")
	cmd.Flags().IntVar(&f.limit, "limit", 0, "of the past only the latest so many (default 100 without --since and --from)")
	return cmd
}

// recentEvents is how many events are shown to who asks for nothing special.
const recentEvents = 100

func (f *eventFlags) request(cmd *cobra.Command, now time.Time) (control.EventsRequest, error) {
	r := control.EventsRequest{From: f.from, Past: !f.follow}
	for _, k := range f.kinds {
		switch kind := control.EventKind(k); kind {
		case control.EventTask, control.EventNode, control.EventLoad, control.EventNotice:
			r.Kinds = append(r.Kinds, kind)
		default:
			return r, usageOf(cmd, "--kind %q is not task, node, load or notice", k)
		}
	}
	var err error
	if r.Since, err = parseSince(f.since, now); err != nil {
		return r, err
	}
	switch {
	case f.limit < 0:
		return r, usageOf(cmd, "--limit %d is below 0", f.limit)
	case f.limit > 0 && f.follow:
		return r, usageOf(cmd, "--limit is of the past, and -f has no end: use one of them")
	case f.since != "" && f.from == 0:
		r.From = 1
	case !f.follow && f.from == 0:
		r.From = 1
		if f.limit == 0 {
			f.limit = recentEvents
		}
	}
	return r, nil
}

// showEvents prints events as they come, or with a limit the latest of them.
func showEvents(env *environment, r control.EventsRequest, limit int) error {
	c, err := env.connect()
	if err != nil {
		return err
	}
	defer c.close()
	s, err := c.Events(env.ctx, r)
	if err != nil {
		return withHints(err)
	}
	defer closeWith(env.ctx, s)()
	var latest []control.Event
	for {
		events, err := s.Next()
		switch {
		case env.ctx.Err() != nil:
			return context.Cause(env.ctx)
		case errors.Is(err, io.EOF):
			return printEvents(env, latest[max(0, len(latest)-limit):])
		case err != nil:
			return withHints(err)
		}
		if limit == 0 {
			if err := printEvents(env, events); err != nil {
				return err
			}
			continue
		}
		if latest = append(latest, events...); len(latest) > 2*limit {
			latest = append(latest[:0], latest[len(latest)-limit:]...)
		}
	}
}

func printEvents(env *environment, events []control.Event) error {
	for i := range events {
		if err := printEvent(env, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

// eventClock is how the time of an event is shown.
const eventClock = "15:04:05.000"

func printEvent(env *environment, e *control.Event) error {
	switch {
	case env.out.json:
		return env.out.object(document.EventOf(e))
	case env.out.plain:
		return env.out.line("%d\t%s\t%s\t%s", e.Position, *orZero(stamp(e.Time)), e.Kind, text.CleanLine(eventText(e)))
	}
	at := strings.Repeat(" ", len(eventClock))
	if e.Time != 0 {
		at = time.UnixMilli(e.Time).Format(eventClock)
	}
	return env.out.line("%s  %s", at, text.CleanLine(eventText(e)))
}

// eventText is an event in one line.
func eventText(e *control.Event) string {
	if e.Kind == control.EventGap {
		if e.Text != "" {
			return "gap: " + e.Text
		}
		return "gap: some events were dropped here"
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
		parts = append(parts, text.Exit(e.Exit))
	}
	if e.Text != "" && (e.Exit == nil || e.Text != e.Exit.Message) {
		parts = append(parts, e.Text)
	}
	return strings.Join(parts, ", ")
}
