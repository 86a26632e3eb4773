package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

// filterFlags choose tasks.
type filterFlags struct {
	states, nodes, tags []string
	match, since        string
}

func (f *filterFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.states, "state", nil, "only in these `STATES`: queued, assigned, running, retry, done, failed, timeout, cancelled, lost")
	cmd.Flags().StringSliceVar(&f.nodes, "node", nil, "only on these `NODES`")
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "only with one of these `TAGS`")
	cmd.Flags().StringVar(&f.match, "match", "", "only with this `TEXT` in the command or the name")
	cmd.Flags().StringVar(&f.since, "since", "", "only submitted since: a `DURATION` ago (2h) or a time (RFC 3339)")
}

func (f *filterFlags) any() bool {
	return len(f.states)+len(f.nodes)+len(f.tags)+len(f.match)+len(f.since) > 0
}

// query turns the flags of cmd into a query; now is what --since counts from. A
// filter without a value is refused: without it, cancel would take all there is.
func (f *filterFlags) query(cmd *cobra.Command, now time.Time) (control.Query, error) {
	if err := notEmpty(cmd, "state", "node", "tag", "match", "since"); err != nil {
		return control.Query{}, err
	}
	q := control.Query{Nodes: f.nodes, Tags: f.tags, Text: f.match}
	for _, w := range f.states {
		s, err := task.ParseState(strings.ToLower(w))
		if err != nil {
			return q, err
		}
		q.States = append(q.States, s)
	}
	var err error
	q.Since, err = parseSince(f.since, now)
	return q, err
}

// parseSince reads the value of a --since: how long before now, or a time. It is
// in Unix ms; 0 when nothing was given.
func parseSince(s string, now time.Time) (int64, error) {
	if s == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UnixMilli(), nil
	}
	d, err := config.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, task.Errorf(task.KindUsage, "--since: %q is neither a duration (2h) nor a time (2026-01-31T12:00:00Z)", s)
	}
	return now.Add(-d).UnixMilli(), nil
}

// maxRange is the longest range of numbers that is taken at once.
const maxRange = 1_000_000

// parseIDs reads numbers and ranges, as in "12 15-20".
func parseIDs(args []string) ([]task.ID, error) {
	var out []task.ID
	for _, w := range args {
		first, last, isRange := strings.Cut(w, "-")
		a, err := task.ParseID(first)
		if err != nil {
			if isRange || strings.TrimLeft(w, "#0123456789") != "" {
				_, err = task.ParseID(w)
			}
			return nil, hintNumbers(err, "; several as in 12 15-20")
		}
		b := a
		if isRange {
			if b, err = task.ParseID(last); err != nil {
				return nil, hintNumbers(err, "; several as in 12 15-20")
			}
		}
		switch {
		case b < a:
			return nil, task.Errorf(task.KindUsage, "%q runs backwards", w)
		case uint64(b-a) >= maxRange || len(out)+int(b-a) >= maxRange:
			return nil, task.Errorf(task.KindUsage, "%q is more than %d tasks", w, maxRange)
		}
		for i := range b - a + 1 { // counted so that the last number there is ends it too
			out = append(out, a+i)
		}
	}
	return out, nil
}

func oneID(s string) (task.ID, error) {
	id, err := task.ParseID(s)
	return id, hintNumbers(err, "; this verb takes one of them")
}

func hintNumbers(err error, several string) error {
	if e, ok := err.(*task.Error); ok { //nolint:errorlint // ParseID returns it as it is
		return e.WithHint("octaskly ps lists them%s", several)
	}
	return err
}

// forEachTask does something for every task; with one, its failure is the verb's.
func forEachTask(env *environment, ids []task.ID, do func(task.ID) error) error {
	failed := 0
	for _, id := range ids {
		err := do(id)
		if err == nil {
			continue
		}
		if len(ids) == 1 {
			return err
		}
		failed++
		if env.out.json {
			_ = writeJSON(env.Stderr, errorObject{errorOf(err)})
		} else {
			env.out.warn("%s: %s", id, cleanLines(err.Error()))
		}
	}
	if failed > 0 {
		return silent(exitPartly)
	}
	return nil
}
