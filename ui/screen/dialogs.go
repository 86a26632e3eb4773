package screen

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// largest is how many tasks may be cancelled, or nodes drained, with one key
// in a dialog; for more, the number has to be typed.
const largest = 20

// text makes plain lines of a dialog, wrapped to its width.
func (m *Model) text(w int, tok theme.Token, paragraphs ...string) []string {
	var out []string
	for _, p := range paragraphs {
		for _, ln := range wrapWords(part.Clean(p), w) {
			out = append(out, part.NewLine(m.s, w).T(tok, ln).String())
		}
	}
	return out
}

// same is the line that names the command which does the same.
func (m *Model) same(w int, cmd string) string {
	return part.NewLine(m.s, w).T(theme.Muted, "same as  ").T(theme.Text, cmd).String()
}

// newCancel asks before it cancels the marked tasks, or the one under the cursor.
func newCancel(m *Model) overlay {
	if m.tasks.all {
		return newCancelAll(m)
	}
	ids := m.cancelTargets()
	if len(ids) > largest {
		cmd := fmt.Sprintf("octaskly cancel (%d ids)", len(ids))
		return &typedDialog{
			title: fmt.Sprintf("Cancel %s?", part.Plural(len(ids), "task")), label: "Type " + fmt.Sprint(len(ids)) + " to cancel them",
			want: fmt.Sprint(len(ids)), same: cmd,
			lines: func(m *Model, w int) []string {
				return append(m.victims(ids, w), m.text(w, theme.Text, "Each running one gets SIGTERM, then SIGKILL. Partial output is kept. This cannot be undone.")...)
			},
			do: func(m *Model) { m.cancelNow(ids, nil, 0) },
		}
	}
	q := &question{wide: 64, lines: nil}
	q.refresh = func(m *Model, q *question) { // what ended meanwhile leaves the dialog
		ids = m.stillAlive(ids)
		q.title = fmt.Sprintf("Cancel %s?", part.Plural(len(ids), "task"))
		q.same = "octaskly cancel"
		for _, id := range ids {
			q.same += " " + id.String()
		}
		if len(ids) == 0 {
			m.closeIt(q)
			m.say(theme.Muted, "nothing to cancel: it has ended")
		}
	}
	q.lines = func(m *Model, w int) []string {
		out := append(m.victims(ids, w), part.NewLine(m.s, w).String())
		out = append(out, m.text(w, theme.Text, "Each running one gets SIGTERM, then SIGKILL after its grace time. Partial output is kept. This cannot be undone.")...)
		return append(out, part.NewLine(m.s, w).String(), m.same(w, q.same))
	}
	q.buttons = []choice{
		{label: "Keep running"},
		{label: "Cancel", action: "dialog.yes", harm: true, do: func(m *Model) { m.cancelNow(ids, nil, 0) }},
		{label: "Kill now", action: "dialog.now", harm: true, do: func(m *Model) { m.cancelNow(ids, nil, -1) }},
	}
	return q
}

// newCancelAll cancels what a filter selects: the number must be typed.
func newCancelAll(m *Model) overlay {
	q := m.tasks.want(1).Query
	if len(q.States) == 0 {
		q.States = []task.State{task.Queued, task.Assigned, task.Running, task.Retry}
	}
	n := m.view().Rows.Total
	want := "all"
	if n >= 0 {
		want = fmt.Sprint(n)
	}
	same := "octaskly cancel" + filterFlags(&q)
	if len(q.IDs) > 0 {
		same = "octaskly cancel"
		for _, id := range q.IDs {
			same += " " + id.String()
		}
	}
	return &typedDialog{
		title: "Cancel everything the filter shows?", label: "Type " + want + " to cancel", want: want, same: same,
		lines: func(m *Model, w int) []string {
			return m.text(w, theme.Text, "All "+shownTotal(n, "task")+" that the filter shows and that have not ended get SIGTERM, then SIGKILL. This cannot be undone.")
		},
		do: func(m *Model) { m.cancelNow(nil, &q, 0) },
	}
}

// cancelTargets is the marked tasks that have not ended, else the current one.
func (m *Model) cancelTargets() []task.ID {
	var ids []task.ID
	for id, s := range m.tasks.marks {
		if !s.Terminal() {
			ids = append(ids, id)
		}
	}
	if len(m.tasks.marks) == 0 {
		if t := m.current(); t != nil && !t.State.Terminal() {
			ids = []task.ID{t.ID}
		}
	}
	slices.Sort(ids)
	return ids
}

// known finds a task among those of the snapshot.
func (m *Model) known(id task.ID) *task.Task {
	s := m.snap
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

func (m *Model) stillAlive(ids []task.ID) []task.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id task.ID) bool {
		t := m.known(id)
		return t != nil && t.State.Terminal()
	})
}

// victims lists up to five tasks, then a count.
func (m *Model) victims(ids []task.ID, w int) []string {
	var out []string
	for i, id := range ids {
		if i == 5 {
			out = append(out, part.NewLine(m.s, w).T(theme.Muted, fmt.Sprintf("… and %d more", len(ids)-5)).String())
			break
		}
		l := part.NewLine(m.s, w).B(theme.Text, id.String()).Sp(2)
		if t := m.known(id); t != nil {
			tok, look := m.stateLook(t)
			run := taskTimes(t, m.now())
			l.T(tok, look).Sp(2)
			if a := t.Last(); a != nil {
				l.T(theme.Text, m.view().NodeName(a.Node)).Sp(2).T(theme.Muted, run).Sp(2)
			}
			l.T(theme.Text, m.commandLine(&t.Spec))
		}
		out = append(out, l.String())
	}
	return out
}

func (m *Model) cancelNow(ids []task.ID, filter *control.Query, grace time.Duration) {
	m.do(Call{
		What: "cancel", Harm: true,
		Do: func(ctx context.Context, c control.Control) (any, error) {
			return c.Cancel(ctx, control.CancelRequest{IDs: ids, Filter: filter, Grace: grace})
		},
		Then: func(m *Model, v any, err error) {
			if err != nil {
				m.fail("cancel", err)
				return
			}
			ended, going := 0, 0
			for _, r := range v.([]control.CancelReply) {
				switch {
				case r.Kind != "":
				case r.State.Terminal():
					ended++
				default:
					going++
				}
			}
			clear(m.tasks.marks)
			m.tasks.all = false
			m.say(theme.OK, cancelledWords(ended, going))
		},
	})
}

// cancelledWords says what became of tasks that were cancelled.
func cancelledWords(ended, going int) string {
	switch {
	case going == 0 && ended == 0:
		return "nothing to cancel: it has ended"
	case going == 0:
		return part.Plural(ended, "task") + " cancelled"
	case ended == 0:
		return part.Plural(going, "task") + " asked to end; killed if that does not help"
	}
	return fmt.Sprintf("%s cancelled, %d asked to end", part.Plural(ended, "task"), going)
}

// drainTargets is the marked nodes, else the one under the cursor.
func (m *Model) drainTargets() []*control.Node {
	var out []*control.Node
	for i := range m.view().Nodes {
		if n := &m.view().Nodes[i]; m.nodes.marks[n.ID] {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		if n := m.node(); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// newDrain asks before nodes get no further tasks, or get them again.
func newDrain(nodes []*control.Node) overlay {
	names := make([]string, 0, len(nodes))
	runs := 0
	back := true
	for _, n := range nodes {
		names = append(names, n.Name)
		runs += int(n.Used.Tasks)
		back = back && (n.State == control.NodeDraining || n.State == control.NodeDrained)
	}
	what := part.Plural(len(names), "node")
	if len(names) == 1 {
		what = names[0]
	}
	if back {
		return undrainDialog(what, names)
	}
	if len(names) > largest {
		return &typedDialog{
			title: "Drain " + what + "?", label: fmt.Sprintf("Type %d to drain them", len(names)), want: fmt.Sprint(len(names)),
			lines: func(m *Model, w int) []string {
				return m.text(w, theme.Text, "They get no new tasks. "+goesOn(runs))
			},
			do: func(m *Model) { m.drainNow(names, false) },
		}
	}
	q := &question{title: "Drain " + what + "?", wide: 62, same: "octaskly drain " + text.QuoteShell(names...)}
	q.lines = func(m *Model, w int) []string {
		out := m.text(w, theme.Text, "No new tasks are given to "+what+". "+goesOn(runs)+" D takes it back.")
		return append(out, part.NewLine(m.s, w).String(), m.same(w, q.same))
	}
	q.buttons = []choice{{label: "Keep as it is"}, {label: "Drain", action: "dialog.yes", harm: true, do: func(m *Model) { m.drainNow(names, false) }}}
	return q
}

// goesOn says what becomes of the tasks that run where no new ones are given.
func goesOn(runs int) string {
	switch runs {
	case 0:
		return "Nothing runs there now."
	case 1:
		return "The task that runs there goes on."
	}
	return "The " + part.Count(runs) + " tasks that run there go on."
}

func undrainDialog(what string, names []string) overlay {
	q := &question{title: "Give tasks to " + what + " again?", same: "octaskly undrain " + text.QuoteShell(names...)}
	q.lines = func(m *Model, w int) []string { return []string{m.same(w, q.same)} }
	q.buttons = []choice{{label: "Undrain", action: "dialog.yes", do: func(m *Model) { m.drainNow(names, true) }}, {label: "Not now"}}
	return q
}

func (m *Model) drainNow(names []string, back bool) {
	verb := "drain"
	if back {
		verb = "undrain"
	}
	m.do(Call{
		What: verb, Harm: !back,
		Do: func(ctx context.Context, c control.Control) (any, error) {
			for _, n := range names {
				var err error
				if back {
					_, err = c.Undrain(ctx, n)
				} else {
					_, err = c.Drain(ctx, n)
				}
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
		Then: func(m *Model, _ any, err error) {
			if err != nil {
				m.fail(verb, err)
				return
			}
			clear(m.nodes.marks)
			what := " no longer get new tasks"
			switch {
			case back && len(names) == 1:
				what = " takes tasks again"
			case back:
				what = " take tasks again"
			case len(names) == 1:
				what = " no longer gets new tasks"
			}
			m.say(theme.OK, strings.Join(names, ", ")+what)
		},
	})
}

// newRemove takes away a node's membership: its name must be typed.
func newRemove(n *control.Node) overlay {
	if n == nil {
		return &question{title: "Remove", lines: func(m *Model, w int) []string { return m.text(w, theme.Text, "No node is selected.") }, buttons: []choice{{label: "Close"}}}
	}
	name, runs := n.Name, int(n.Used.Tasks)
	return &typedDialog{
		title: "Remove " + name + " from the cluster?", label: "Type its name to remove it", want: name, same: "octaskly nodes remove " + text.QuoteShell(name),
		lines: func(m *Model, w int) []string {
			return m.text(w, theme.Text, "Its membership is revoked: it cannot run or submit anything until it is admitted again.",
				movesOn(runs))
		},
		do: func(m *Model) {
			m.do(Call{
				What: "remove " + name, Harm: true,
				Do: func(ctx context.Context, c control.Control) (any, error) { return c.Remove(ctx, name) },
				Then: func(m *Model, _ any, err error) {
					if err != nil {
						m.fail("remove "+name, err)
						return
					}
					m.say(theme.OK, name+" was removed")
				},
			})
		},
	}
}

// movesOn says what becomes of the tasks that run on a node that is removed.
func movesOn(runs int) string {
	switch runs {
	case 0:
		return "Nothing runs there now."
	case 1:
		return "The task that runs there now is given to another node."
	}
	return "The " + part.Count(runs) + " tasks that run there now are given to other nodes."
}
