package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/pane"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// noteLine is the one line under the content: the filter line, what just
// happened, marks, or the newest problem.
func (m frame) noteLine() string {
	l := part.NewLine(m.view.Styles, m.view.Width).Sp(1)
	switch {
	case m.find != nil:
		return m.find.draw(m.view, l)
	case m.view.Note.Text != "":
		drawNote(m.view, l)
	case len(m.view.Tasks.Marks) > 0 || m.view.Tasks.All:
		l.T(theme.Text, pane.MarkedWords(m.view))
	case m.view.Tasks.Filter != "" && (m.view.Focus == scene.TasksPane):
		l.T(theme.Muted, "filter ").B(theme.Text, m.view.Tasks.Filter).T(theme.Muted, "   esc clears it")
	case m.view.Page != scene.Events && m.view.Top() == scene.NoDeep && !m.view.Welcome():
		newest(m.view, l)
	}
	return l.String()
}

// drawNote is what just happened. An error that is longer than the line is
// whole among the events.
func drawNote(view *scene.Scene, l *part.Line) {
	text := part.Clean(view.Note.Text)
	key := view.Keys.Of(scene.InOverview, "screen.events")
	if view.Note.Token != theme.Err || part.Width(text) <= l.Left() || key == "" || l.Left() < 40 {
		l.T(view.Note.Token, text)
		return
	}
	more := part.NewLine(view.Styles, l.Left()).Sp(1).B(theme.Accent, key).T(theme.Muted, " shows all of it ")
	l.Cell(view.Note.Token, text, l.Left()-more.Used(), false).Add(more)
}

// newest shows the newest problems.
func newest(view *scene.Scene, l *part.Line) {
	shown := 0
	for i, e := range pane.Fold(view, tail(view.Facts().Events, 200)) {
		if i > 60 || shown == 2 {
			break
		}
		if !e.Bad {
			continue
		}
		piece := part.NewLine(view.Styles, view.Width)
		piece.T(theme.Muted, scene.ClockOf(e.At)+" ").T(e.Tok, e.Glyph+" ").T(theme.Text, e.Words()).Sp(3)
		if piece.Used() > l.Left() && shown > 0 {
			break
		}
		l.Raw(strings.TrimRight(piece.String(), " ")).Sp(3)
		shown++
	}
}

func tail[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// banner is what a person must know before anything else; worst first, at
// most two lines.
func banner(view *scene.Scene) []string {
	s := view.Facts()
	if view.Welcome() { // the page says it
		return nil
	}
	var out []string
	add := func(tok theme.Token, text, cure string) {
		l := part.NewLine(view.Styles, view.Width).Sp(1).B(tok, view.Styles.Glyphs.Stale+" "+text)
		if cure != "" {
			l.Sp(2).T(theme.Text, cure)
		}
		out = append(out, l.String())
	}
	if s.Link.State == scene.Gone {
		who := s.Status.Dispatcher
		if who == "" {
			who = "The node"
		} else {
			who = "Dispatcher " + who
		}
		age := part.Dur(s.Now.Sub(s.Link.Since).Truncate(time.Second))
		cure := fmt.Sprintf("What is shown is %s old.  %s tries now.", age, view.Keys.Of(scene.InTasks, "refresh"))
		if view.Width < 80 {
			who = strings.TrimPrefix(who, "Dispatcher ")
			cure = fmt.Sprintf("%s old.  %s tries now.", age, view.Keys.Of(scene.InTasks, "refresh"))
		}
		add(theme.Err, who+" does not answer.", cure)
		if running := view.Facts().Count(task.Running); running > 0 {
			goesOn := "1 task runs on; its end is reported when it is back."
			if running > 1 {
				goesOn = part.Count(running) + " tasks run on; their ends are reported when it is back."
			}
			out = append(out, part.NewLine(view.Styles, view.Width).Sp(3).T(theme.Text, goesOn).String())
		}
	}
	if s.Link.State == scene.Live && s.Status.Dispatcher == "" && !s.Alone() {
		add(theme.Warn, part.Plural(len(s.Nodes), "node")+", no dispatcher.", "p makes this node the dispatcher.")
	}
	for _, f := range s.Status.Problems {
		tok := map[string]theme.Token{"error": theme.Err, "warning": theme.Warn}[f.Level]
		if f.Level == "error" || f.Level == "warning" {
			add(tok, f.Text, f.Cure)
		}
	}
	if len(out) > 2 {
		out = out[:2]
	}
	return out
}
