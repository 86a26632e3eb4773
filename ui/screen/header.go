package screen

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// header says whose screen this is, what the fleet is, and how fresh it all is.
func (m frame) header() string {
	s := m.view.Facts()
	l := part.NewLine(m.view.Styles, m.view.Width).Sp(1).B(theme.Accent, "octaskly").Sp(2)
	if m.view.Options.Demo {
		l.Badge(theme.Warn, "DEMO").Sp(1)
	}
	if name := s.Status.Self.Name; name != "" {
		l.B(theme.Text, name).Sp(1)
	}
	l.Badge(roleToken(m.view), roleWord(m.view)).Sp(2)
	right := part.NewLine(m.view.Styles, 48)
	linkWord(m.view, right)
	if !s.Now.IsZero() {
		right.Sp(2).T(theme.Text, s.Now.Format("15:04:05"))
	}
	right.Sp(1)
	for _, f := range headFacts(m.view) {
		if l.Left() < part.Width(f)+right.Used()+4 {
			break
		}
		l.T(theme.Muted, f).Sp(3)
	}
	return l.End(right).String()
}

func roleWord(view *scene.Scene) string {
	self := view.Facts().Self()
	switch {
	case self != nil && scene.Role(self) != "-":
		return strings.ToUpper(scene.Role(self))
	case view.Facts().Link.State == scene.Starting:
		return "STARTING"
	}
	return "IDLE"
}

func roleToken(view *scene.Scene) theme.Token {
	switch roleWord(view) {
	case "DISPATCHER":
		return theme.Run
	case "WORKER":
		return theme.OK
	}
	return theme.Muted
}

func headFacts(view *scene.Scene) []string {
	s := view.Facts()
	if s.Link.State == scene.Starting {
		return nil
	}
	if s.Status.Dispatcher == "" {
		if n := len(s.Nodes); n > 1 {
			return []string{part.Plural(n, "node") + " seen"}
		}
		return nil
	}
	nodes := part.Plural(s.Known(), "node")
	if view.Width >= 110 {
		var parts []string
		for _, st := range []control.NodeState{control.NodeUp, control.NodeDraining, control.NodeDrained, control.NodeStale, control.NodeLost, control.NodeAsks} {
			if n := s.Status.Nodes[st]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", part.Count(n), st))
			}
		}
		nodes += ": " + strings.Join(parts, " ")
	}
	out := []string{nodes, fmt.Sprintf("slots %s/%s", part.Count(s.Status.SlotsUsed), part.Count(s.Status.Slots))}
	if view.Width < 110 {
		out[1] = fmt.Sprintf("%s/%s slots", part.Count(s.Status.SlotsUsed), part.Count(s.Status.Slots))
	}
	if !scene.Dispatches(view.Facts().Self()) {
		out = append([]string{"dispatcher " + s.Status.Dispatcher}, out...)
	}
	return append(out, "queue "+part.Count(s.Status.Ready), part.Rate(s.Status.Rate)+" tasks/s")
}

func linkWord(view *scene.Scene, l *part.Line) {
	s := view.Facts()
	switch {
	case view.Frozen != nil:
		l.Badge(theme.Warn, "FROZEN").T(theme.Muted, " P thaws")
	case s.Link.State == scene.Starting:
		l.T(theme.Muted, "looking around")
	case s.Link.State == scene.Waiting:
		l.T(theme.Warn, "wait")
	case s.Link.State == scene.Gone:
		l.B(theme.Err, "LOST "+part.Clock(s.Now.Sub(s.Link.Since)))
	case s.Status.Dispatcher == "":
		l.T(theme.Warn, "no dispatcher")
	default:
		l.T(theme.OK, "live")
	}
}
