package screen

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// header says whose screen this is, what the fleet is, and how fresh it all is.
func (m *Model) header() string {
	s := m.view()
	l := part.NewLine(m.s, m.w).Sp(1).B(theme.Accent, "octaskly").Sp(2)
	if m.opt.Demo {
		l.Badge(theme.Warn, "DEMO").Sp(1)
	}
	if name := s.Status.Self.Name; name != "" {
		l.B(theme.Text, name).Sp(1)
	}
	l.Badge(m.roleToken(), m.roleWord()).Sp(2)
	right := part.NewLine(m.s, 48)
	m.linkWord(right)
	if !s.Now.IsZero() {
		right.Sp(2).T(theme.Text, s.Now.Format("15:04:05"))
	}
	right.Sp(1)
	for _, f := range m.headFacts() {
		if l.Left() < part.Width(f)+right.Used()+4 {
			break
		}
		l.T(theme.Muted, f).Sp(3)
	}
	return l.End(right).String()
}

func (m *Model) roleWord() string {
	self := m.selfNode()
	switch {
	case self != nil && role(self) != "-":
		return strings.ToUpper(role(self))
	case m.view().Link.State == Starting:
		return "STARTING"
	}
	return "IDLE"
}

func (m *Model) roleToken() theme.Token {
	switch m.roleWord() {
	case "DISPATCHER":
		return theme.Run
	case "WORKER":
		return theme.OK
	}
	return theme.Muted
}

func (m *Model) selfNode() *control.Node {
	for i := range m.view().Nodes {
		if m.view().Nodes[i].Self {
			return &m.view().Nodes[i]
		}
	}
	return nil
}

func (m *Model) headFacts() []string {
	s := m.view()
	if s.Link.State == Starting {
		return nil
	}
	if s.Status.Dispatcher == "" {
		if n := len(s.Nodes); n > 1 {
			return []string{part.Plural(n, "node") + " seen"}
		}
		return nil
	}
	nodes := part.Plural(s.known(), "node")
	if m.w >= 110 {
		var parts []string
		for _, st := range []control.NodeState{control.NodeUp, control.NodeDraining, control.NodeDrained, control.NodeStale, control.NodeLost, control.NodeAsks} {
			if n := s.Status.Nodes[st]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", part.Count(n), st))
			}
		}
		nodes += ": " + strings.Join(parts, " ")
	}
	out := []string{nodes, fmt.Sprintf("slots %s/%s", part.Count(s.Status.SlotsUsed), part.Count(s.Status.Slots))}
	if m.w < 110 {
		out[1] = fmt.Sprintf("%s/%s slots", part.Count(s.Status.SlotsUsed), part.Count(s.Status.Slots))
	}
	if !dispatches(m.selfNode()) {
		out = append([]string{"dispatcher " + s.Status.Dispatcher}, out...)
	}
	return append(out, "queue "+part.Count(s.Status.Ready), part.Rate(s.Status.Rate)+" tasks/s")
}

func (m *Model) linkWord(l *part.Line) {
	s := m.view()
	switch {
	case m.frozen != nil:
		l.Badge(theme.Warn, "FROZEN").T(theme.Muted, " P thaws")
	case s.Link.State == Starting:
		l.T(theme.Muted, "looking around")
	case s.Link.State == Waiting:
		l.T(theme.Warn, "wait")
	case s.Link.State == Gone:
		l.B(theme.Err, "LOST "+part.Clock(s.Now.Sub(s.Link.Since)))
	case s.Status.Dispatcher == "":
		l.T(theme.Warn, "no dispatcher")
	default:
		l.T(theme.OK, "live")
	}
}
