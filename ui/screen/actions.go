package screen

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// writes are the actions that change something.
var writes = map[string]bool{
	"task.new": true, "task.edit": true, "task.rerun": true, "task.cancel": true, "promote": true,
	"admit": true, "invite": true, "node.drain": true, "node.remove": true,
}

// can reports whether an action works here and now.
func (m *Model) can(action string) bool { return m.whyNot(action) == "" }

// whyNot says in words why an action does not work now; empty if it does.
func (m *Model) whyNot(action string) string {
	if m.opt.ReadOnly && writes[action] {
		return "this screen is read-only"
	}
	switch action {
	case "demo":
		if m.opt.NoDemo {
			return "there is no demo here; octaskly demo shows one"
		}
	case "output":
		if m.focus == OutputPane && m.top() == DeepOutput {
			return "it is full screen already"
		}
		return m.whyNotTask(action)
	case "task.cancel", "task.rerun", "task.edit", "write":
		return m.whyNotTask(action)
	case "promote":
		return m.whyNotPromote()
	case "node.drain", "node.remove":
		return m.whyNotNode(action)
	case "match.next", "match.back", "only":
		return ""
	case "admit", "invite":
		if m.view().Status.Dispatcher == "" && m.view().Link.State != Live {
			return "there is no dispatcher to let nodes in"
		}
	case "why":
		if m.paneCtx()&someNode == 0 && m.taskID() == 0 {
			return "no task is selected"
		}
	case "open":
		if m.focus == OutputPane && m.top() == DeepOutput {
			return "it is full screen already"
		}
	}
	return ""
}

func (m *Model) whyNotTask(action string) string {
	if action == "task.cancel" && (len(m.tasks.marks) > 0 || m.tasks.all) {
		return ""
	}
	t := m.current()
	if t == nil {
		return "no task is selected"
	}
	switch {
	case action == "task.cancel" && t.State.Terminal():
		return fmt.Sprintf("task %s has ended: %s", t.ID, t.State)
	case action == "task.rerun" && !t.State.Terminal():
		return fmt.Sprintf("task %s is %s; only a finished one is rerun (e edits a copy)", t.ID, t.State)
	}
	return ""
}

func (m *Model) whyNotPromote() string {
	s := m.view()
	if self := m.selfNode(); s.Status.Dispatcher != "" && dispatches(self) {
		return self.Name + " is the dispatcher already"
	}
	return ""
}

func (m *Model) whyNotNode(action string) string {
	n := m.node()
	switch {
	case n == nil:
		return "no node is selected"
	case !member(n):
		return n.Name + " is not a member"
	case action == "node.remove" && dispatches(n):
		return n.Name + " is the dispatcher and cannot be removed"
	}
	return ""
}

// actTask is what concerns tasks wherever they are shown.
func (m *Model) actTask(action string) bool {
	switch action {
	case "output":
		if id := m.taskID(); id != 0 {
			m.output.pin(id)
			m.push(DeepOutput)
		}
	case "write":
		m.do(WriteOutput{m.taskID()})
	case "task.cancel":
		m.open(newCancel(m))
	case "task.rerun":
		m.rerun()
	case "task.edit":
		if t := m.current(); t != nil {
			m.open(newForm(m, t))
		}
	case "why":
		if m.paneCtx()&someNode != 0 {
			m.open(newNodeWhy(m))
		} else {
			m.open(newWhy(m.taskID()))
		}
	case "mark":
		if m.focus != RunningPane {
			return false
		}
		m.markRunning()
	default:
		return false
	}
	return true
}

func (m *Model) markRunning() {
	t := m.runningAt()
	if t == nil {
		return
	}
	if _, ok := m.tasks.marks[t.ID]; ok {
		delete(m.tasks.marks, t.ID)
	} else {
		m.tasks.marks[t.ID] = t.State
	}
	m.running++
	m.runningAt()
}

// actNode is what concerns nodes wherever they are shown.
func (m *Model) actNode(action string) bool {
	switch action {
	case "promote":
		m.open(newPromote(m))
	case "admit":
		m.startAdmit()
	case "invite":
		m.startInvite()
	case "join":
		m.open(newJoin())
	case "node.drain":
		m.open(newDrain(m.drainTargets()))
	case "node.remove":
		m.open(newRemove(m.node()))
	default:
		return m.actHeat(action)
	}
	return true
}

// rerun submits a finished task once more, as it was.
func (m *Model) rerun() {
	t := m.current()
	if t == nil {
		return
	}
	sp := t.Spec
	sp.RetryOf = t.ID
	m.submit(sp, false, nil)
}

// submit sends one task; open shows it afterwards. told, if it is not nil,
// hears whether it was taken.
func (m *Model) submit(sp task.Spec, open bool, told func(error)) {
	m.do(Call{
		What: "submit",
		Do: func(ctx context.Context, c control.Control) (any, error) {
			r, err := c.Submit(ctx, control.SubmitRequest{Tasks: []control.NewTask{{Spec: sp}}})
			if err == nil && len(r.Results) == 0 {
				err = task.Errorf(task.KindInternal, "the dispatcher gave the task no number")
			} else if err == nil && r.Results[0].Kind != "" {
				err = task.Errorf(r.Results[0].Kind, "%s", r.Results[0].Message).WithHint("%s", r.Results[0].Hint)
			}
			return r, err
		},
		Then: func(m *Model, v any, err error) {
			if told != nil {
				told(err)
			}
			if err != nil {
				m.fail("submit", err)
				return
			}
			r := v.(control.SubmitReply)
			id := r.Results[0].ID
			m.say(theme.OK, m.submittedText(id, r.Ahead))
			if open {
				m.output.pin(id)
				m.push(DeepTask)
			}
		},
	})
}

// submittedText is said after a submit; after the first one, what comes next.
func (m *Model) submittedText(id task.ID, ahead int) string {
	switch {
	case id == 1 && m.view().known() == 1:
		return fmt.Sprintf("task 1 was submitted. Add a machine: run octaskly there, then press %s here", m.keys.Of(InNodes, "admit"))
	case ahead > 0:
		return fmt.Sprintf("task %s was submitted, %s wait before it", id, part.Count(ahead))
	}
	return fmt.Sprintf("task %s was submitted", id)
}

// fail shows an error as one line: what failed, why, and what to do.
// It stays among the events, where it can be read when it is longer.
func (m *Model) fail(what string, err error) {
	text := what + ": " + err.Error() + hintText(task.HintOf(err))
	m.say(theme.Err, text)
	m.events.add(m, text)
}

func hintText(h string) string {
	if h == "" {
		return ""
	}
	return ". " + strings.ReplaceAll(h, "\n", " ")
}

// markedWords counts the marked tasks by state.
func (m *Model) markedWords() string {
	if m.tasks.all {
		return "all " + shownTotal(m.view().Rows.Total, "task") + " marked.  x cancels what has not ended, esc clears"
	}
	counts := map[task.State]int{}
	for _, s := range m.tasks.marks {
		counts[s]++
	}
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	return fmt.Sprintf("%d marked: %s.  x cancels what has not ended, esc clears", len(m.tasks.marks), strings.Join(parts, ", "))
}

// copyThing copies the error that is shown, else the id of what is under the
// cursor, or the shown lines.
func (m *Model) copyThing(shown note) {
	if shown.token == theme.Err && shown.text != "" {
		m.do(Copy{shown.text, "the error"})
		return
	}
	switch m.paneCtx() {
	case InOutput:
		lines := m.output.view.Visible(m.log, m.output.height)
		if len(lines) == 0 {
			m.say(theme.Muted, "there is nothing to copy")
			return
		}
		m.do(Copy{strings.Join(lines, "\n"), part.Plural(len(lines), "line") + " of output"})
	case InNodes, InHeat, InNode:
		if n := m.node(); n != nil {
			m.do(Copy{n.Name, "the name of " + n.Name})
		}
	case InEvents:
		if lines := m.events.shown(m); len(lines) > 0 {
			ln := lines[m.events.first(lines)]
			m.do(Copy{clockOf(ln.at) + " " + part.Clean(ln.words()), "the event"})
		}
	default:
		if id := m.taskID(); id != 0 {
			m.do(Copy{id.String(), "the number of task " + id.String()})
		}
	}
}

// copyCommand copies the command line that does or shows the same.
func (m *Model) copyCommand() {
	text := m.sameAsScreen()
	m.do(Copy{text, text})
}

// sameAsScreen is the octaskly command for what is on the screen.
func (m *Model) sameAsScreen() string {
	if n := len(m.overlays); n > 0 {
		if c, ok := m.overlays[n-1].(commander); ok {
			if text := c.command(m); text != "" {
				return text
			}
		}
	}
	id := m.taskID().String()
	switch m.paneCtx() {
	case InTasks:
		if m.focus == RunningPane {
			return "octaskly ps --state running"
		}
		return m.psCommand()
	case InTask:
		return "octaskly show " + id
	case InOutput:
		if t := m.current(); t != nil && t.State.Terminal() {
			return "octaskly logs " + id
		}
		return "octaskly logs -f " + id
	case InNode:
		if n := m.node(); n != nil {
			return "octaskly nodes show " + text.QuoteShell(n.Name)
		}
	case InNodes, InHeat:
		return "octaskly nodes"
	case InEvents:
		return "octaskly events -f"
	}
	return "octaskly status"
}

func (m *Model) psCommand() string {
	q := m.tasks.want(1).Query
	out := "octaskly ps" + filterFlags(&q)
	if q.Oldest {
		out += " --oldest"
	}
	return out
}

// filterFlags is a query as the flags of ps and cancel.
func filterFlags(q *control.Query) string {
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
