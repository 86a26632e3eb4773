package dialog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// largest is how many tasks may be cancelled, or nodes drained, with one key
// in a dialog; for more, the number has to be typed.
const largest = 20

// newCancel asks before it cancels the marked tasks, or the one under the cursor.
func newCancel(view *scene.Scene) scene.Dialog {
	if view.Tasks.All {
		return newCancelAll(view)
	}
	ids := cancelTargets(view)
	if len(ids) > largest {
		cmd := fmt.Sprintf("octaskly cancel (%d ids)", len(ids))
		return &typedDialog{
			title: fmt.Sprintf("Cancel %s?", part.Plural(len(ids), "task")), label: "Type " + fmt.Sprint(len(ids)) + " to cancel them",
			want: fmt.Sprint(len(ids)), same: cmd,
			lines: func(view *scene.Scene, w int) []string {
				return append(victims(view, ids, w), view.Text(w, theme.Text, "Each running one gets SIGTERM, then SIGKILL. Partial output is kept. This cannot be undone.")...)
			},
			do: func(view *scene.Scene) { cancelNow(view, ids, nil, 0) },
		}
	}
	q := &question{wide: 64, lines: nil}
	q.refresh = func(view *scene.Scene, q *question) { // what ended meanwhile leaves the dialog
		ids = stillAlive(view, ids)
		q.title = fmt.Sprintf("Cancel %s?", part.Plural(len(ids), "task"))
		q.same = "octaskly cancel"
		for _, id := range ids {
			q.same += " " + id.String()
		}
		if len(ids) == 0 {
			view.Close(q)
			view.Say(theme.Muted, "nothing to cancel: it has ended")
		}
	}
	q.lines = func(view *scene.Scene, w int) []string {
		out := append(victims(view, ids, w), part.NewLine(view.Styles, w).String())
		out = append(out, view.Text(w, theme.Text, "Each running one gets SIGTERM, then SIGKILL after its grace time. Partial output is kept. This cannot be undone.")...)
		return append(out, part.NewLine(view.Styles, w).String(), view.SameAs(w, q.same))
	}
	q.buttons = []choice{
		{label: "Keep running"},
		{label: "Cancel", action: "dialog.yes", harm: true, do: func(view *scene.Scene) { cancelNow(view, ids, nil, 0) }},
		{label: "Kill now", action: "dialog.now", harm: true, do: func(view *scene.Scene) { cancelNow(view, ids, nil, -1) }},
	}
	return q
}

// newCancelAll cancels what a filter selects: the number must be typed.
func newCancelAll(view *scene.Scene) scene.Dialog {
	q := view.Tasks.Want(1).Query
	if len(q.States) == 0 {
		q.States = []task.State{task.Queued, task.Assigned, task.Running, task.Retry}
	}
	n := countLive(view.Facts(), &q)
	want := "all"
	if n >= 0 {
		want = fmt.Sprint(n)
	}
	same := "octaskly cancel" + scene.FilterFlags(&q)
	if len(q.IDs) > 0 {
		same = "octaskly cancel"
		for _, id := range q.IDs {
			same += " " + id.String()
		}
	}
	return &typedDialog{
		title: "Cancel everything the filter shows?", label: "Type " + want + " to cancel", want: want, same: same,
		lines: func(view *scene.Scene, w int) []string {
			return view.Text(w, theme.Text, "All "+scene.ShownTotal(n, "task")+" that the filter shows and that have not ended get SIGTERM, then SIGKILL. This cannot be undone.")
		},
		do: func(view *scene.Scene) { cancelNow(view, nil, &q, 0) },
	}
}

// countLive is how many tasks a query of live states selects; -1 where that is
// not known: the total of the list counts those that have ended too.
func countLive(facts *scene.Snapshot, query *control.Query) int {
	plain := query.Text == "" && query.Since == 0 && len(query.Nodes)+len(query.Tags)+len(query.IDs) == 0
	if !plain {
		return -1
	}
	n := 0
	for _, state := range query.States {
		if !state.Terminal() {
			n += facts.Status.Tasks[state]
		}
	}
	return n
}

// cancelTargets is the marked tasks that have not ended, else the current one.
func cancelTargets(view *scene.Scene) []task.ID {
	var ids []task.ID
	for id, s := range view.Tasks.Marks {
		if !s.Terminal() {
			ids = append(ids, id)
		}
	}
	if len(view.Tasks.Marks) == 0 {
		if t := view.Task(); t != nil && !t.State.Terminal() {
			ids = []task.ID{t.ID}
		}
	}
	slices.Sort(ids)
	return ids
}

func stillAlive(view *scene.Scene, ids []task.ID) []task.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id task.ID) bool {
		t := view.Latest.FindTask(id)
		return t != nil && t.State.Terminal()
	})
}

// victims lists up to five tasks, then a count.
func victims(view *scene.Scene, ids []task.ID, w int) []string {
	var out []string
	for i, id := range ids {
		if i == 5 {
			out = append(out, part.NewLine(view.Styles, w).T(theme.Muted, fmt.Sprintf("… and %d more", len(ids)-5)).String())
			break
		}
		l := part.NewLine(view.Styles, w).B(theme.Text, id.String()).Sp(2)
		if t := view.Latest.FindTask(id); t != nil {
			tok, look := scene.StateLook(view, t)
			run := scene.TaskTimes(t, view.Now())
			l.T(tok, look).Sp(2)
			if a := t.Last(); a != nil {
				l.T(theme.Text, view.Facts().NodeName(a.Node)).Sp(2).T(theme.Muted, run).Sp(2)
			}
			l.T(theme.Text, scene.CommandLine(view, &t.Spec))
		}
		out = append(out, l.String())
	}
	return out
}

func cancelNow(view *scene.Scene, ids []task.ID, filter *control.Query, grace time.Duration) {
	scene.Do(view, scene.About{What: "cancel", Harm: true}, func(ctx context.Context, c control.Control) ([]control.CancelReply, error) {
		return c.Cancel(ctx, control.CancelRequest{IDs: ids, Filter: filter, Grace: grace})
	}, func(replies []control.CancelReply, err error) {
		if err != nil {
			view.Fail("cancel", err)
			return
		}
		ended, going := 0, 0
		for _, r := range replies {
			switch {
			case r.Kind != "":
			case r.State.Terminal():
				ended++
			default:
				going++
			}
		}
		clear(view.Tasks.Marks)
		view.Tasks.All = false
		view.Say(theme.OK, cancelledWords(ended, going))
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
