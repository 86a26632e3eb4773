package screen

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// findLine is the filter of a list or the search in the output, while it is
// being typed. It works with each letter.
type findLine struct {
	pane  Pane
	field *part.Field
	old   string
}

func (m *Model) startFind() {
	p := m.focus
	var old string
	switch p {
	case RunningPane, NodePane, FactsPane:
		m.page, m.deep, m.focus, m.output.pinned = Tasks, nil, TasksPane, 0
		p = TasksPane
	}
	switch p {
	case TasksPane:
		old = m.tasks.filter
	case NodesPane, HeatPane:
		old = m.nodes.filter
	case EventsPane:
		old = m.events.filter
	case OutputPane:
		old = m.output.view.Find
	default:
		return
	}
	m.find = &findLine{pane: p, field: part.NewField("", "", old, 200), old: old}
}

func (m *Model) findKey(k tea.KeyMsg, action string) {
	f := m.find
	switch action {
	case "field.accept":
		m.find = nil
		if f.field.Fault != "" {
			_ = m.applyFind(f.pane, f.old)
			m.say(theme.Err, f.field.Fault)
		}
	case "field.close":
		m.find = nil
		_ = m.applyFind(f.pane, "")
	case "field.older", "field.newer", "field.next", "field.back":
	default:
		if f.field.Key(k) {
			if err := m.applyFind(f.pane, f.field.Value()); err != nil {
				f.field.Fault = err.Error()
			}
		}
	}
}

// applyFind sets the filter of a pane.
func (m *Model) applyFind(p Pane, text string) error {
	switch p {
	case TasksPane:
		q, err := ParseFilter(text, m.now())
		if err != nil {
			return err
		}
		if text != m.tasks.filter {
			m.tasks.reset()
		}
		m.tasks.filter, m.tasks.query = text, q
	case NodesPane, HeatPane:
		m.nodes.filter = text
	case EventsPane:
		m.events.filter, m.events.anchor = text, 0
	case OutputPane:
		m.output.view.Find = text
		if text != "" {
			m.output.view.Next(m.log, true, m.output.height)
		} else {
			m.output.view.Only = false
		}
	}
	return nil
}

func (f *findLine) draw(m *Model, l *part.Line) string {
	l.B(theme.Accent, "/ ")
	room := l.Left() - 30
	if f.field.Fault != "" {
		room = l.Left() - min(l.Left()/2, part.Width(f.field.Fault)+2)
	}
	f.field.Draw(l, max(8, room), true)
	switch {
	case f.field.Fault != "":
		l.Sp(1).T(theme.Err, f.field.Fault)
	case f.pane == TasksPane && m.view().Rows.Total >= 0:
		l.Sp(1).T(theme.Muted, part.Count(m.view().Rows.Total)+" of "+part.Count(sumTasks(m.view())))
	case f.pane == OutputPane:
		l.Sp(1).T(theme.Muted, part.Plural(m.output.view.Matches(), "line"))
	}
	return l.String()
}

func (f *findLine) syntax() string {
	switch f.pane {
	case TasksPane:
		return "words in the command, state=failed node=mill-02 tag=ci id=1042 since=10m"
	case NodesPane, HeatPane:
		return "part of a name, state=stale, os=linux, any label"
	case OutputPane:
		return "n, N next and previous match, & only matching lines"
	}
	return "words in the event"
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
