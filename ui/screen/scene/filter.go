package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

// PsCommand is the command line that lists the same tasks.
func PsCommand(view *Scene) string {
	q := view.Tasks.Want(1).Query
	out := "octaskly ps" + FilterFlags(&q)
	if q.Oldest {
		out += " --oldest"
	}
	return out
}

// FilterFlags is a query as the flags of ps and cancel.
func FilterFlags(q *control.Query) string {
	var b strings.Builder
	if len(q.States) > 0 {
		words := make([]string, len(q.States))
		for i, s := range q.States {
			words[i] = s.String()
		}
		b.WriteString(" --state " + strings.Join(words, ","))
	}
	for _, n := range q.Nodes {
		b.WriteString(" --node " + text.QuoteShell(n))
	}
	for _, t := range q.Tags {
		b.WriteString(" --tag " + text.QuoteShell(t))
	}
	if q.Text != "" {
		b.WriteString(" --match " + text.QuoteShell(q.Text))
	}
	if q.Since > 0 {
		b.WriteString(" --since " + time.UnixMilli(q.Since).Format(time.RFC3339))
	}
	return b.String()
}

// ParseFilter reads what a person types after / on the tasks: conditions as
// name=value, everything else is text in the command. Commas are
// alternatives: state=failed,lost. Times are counted back from now.
func ParseFilter(text string, now time.Time) (control.Query, error) {
	var q control.Query
	var words []string
	for _, w := range strings.Fields(text) {
		k, v, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			words = append(words, w)
			continue
		}
		if v == "" {
			continue // still being typed
		}
		if err := condition(&q, k, strings.Split(v, ","), now); err != nil {
			return control.Query{}, err
		}
	}
	q.Text = strings.Join(words, " ")
	return q, nil
}

func condition(q *control.Query, k string, vs []string, now time.Time) error {
	switch k {
	case "state":
		for _, v := range vs {
			s, err := task.ParseState(v)
			if err != nil {
				return fmt.Errorf("%q is not a state", v)
			}
			q.States = append(q.States, s)
		}
	case "node":
		q.Nodes = append(q.Nodes, vs...)
	case "tag":
		q.Tags = append(q.Tags, vs...)
	case "id":
		for _, v := range vs {
			id, err := task.ParseID(v)
			if err != nil {
				return fmt.Errorf("%q is not a task number", v)
			}
			q.IDs = append(q.IDs, id)
		}
	case "since":
		d, err := readAge(vs[0])
		if err != nil {
			return err
		}
		q.Since = now.Add(-d).UnixMilli()
	default:
		return fmt.Errorf("%q is not one of state, node, tag, id, since", k)
	}
	return nil
}

// readAge reads how long ago something may be at most.
func readAge(v string) (time.Duration, error) {
	d, err := text.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a time; write 90s, 10m, 1h30m or 2d", v)
	}
	return d, nil
}
