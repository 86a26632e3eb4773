package screen

import (
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// footer shows the keys that work here and now.
func (m frame) footer() string {
	l := part.NewLine(m.view.Styles, m.view.Width).Sp(1)
	end := part.NewLine(m.view.Styles, m.view.Width)
	if by, ok := m.waitingOffer(); ok {
		l.B(theme.Warn, m.view.Styles.Glyphs.Stale+" "+by+" wants to run commands here: close this to answer.").Sp(2)
	}
	if m.find == nil && len(m.view.Dialogs) == 0 {
		end.B(theme.Accent, m.view.Keys.Of(m.view.Context(), "quit")).T(theme.Muted, " quit ")
	}
	for _, h := range m.hints() {
		piece := part.NewLine(m.view.Styles, m.view.Width).B(theme.Accent, h.Key).T(theme.Muted, " "+h.Text)
		if piece.Used()+2 > l.Left()-end.Used() {
			break
		}
		l.Raw(strings.TrimRight(piece.String(), " ")).Sp(2)
	}
	return l.End(end).String()
}

func (m frame) hints() []Hint {
	if m.find != nil {
		return []Hint{{"enter", "keep"}, {"esc", "clear"}, {"", m.find.pane.Syntax()}}
	}
	if d := m.dialog(); d != nil {
		if f, ok := d.(Footed); ok {
			return f.Foot(m.view)
		}
		return []Hint{{"esc", "close"}}
	}
	return m.paneHints()
}

// paneHints is the footer of a pane, out of the key table. What belongs to the
// pane comes first, quit last.
func (m frame) paneHints() []Hint {
	in := m.view.Context()
	var first, own, common []Hint
	for _, bd := range m.view.Keys.In(in) {
		if bd.Foot == "" || bd.Action == "quit" || !m.view.Can(bd.Action) {
			continue
		}
		h := Hint{bd.Keys[0], m.footWord(bd)}
		switch {
		case bd.Action == "open" || bd.Action == "task.new" && in&someNode == 0:
			first = append(first, h)
		case bd.Group == "Output" && in&InOutput != 0, bd.Group == "Tasks" && in&someTask&^InOutput != 0, bd.Group == "Nodes" && in&(someNode|InWelcome) != 0:
			own = append(own, h)
		default:
			common = append(common, h)
		}
	}
	if m.view.Dimmed() {
		first = append([]Hint{{m.view.Keys.Of(in, "refresh"), "try now"}, {m.view.Keys.Of(in, "promote"), "take over"}}, first...)
	}
	if len(m.view.Deep) > 0 {
		first = append([]Hint{{"esc", "back"}}, first...)
	}
	return append(append(first, own...), common...)
}

func (m frame) footWord(bd Binding) string {
	switch bd.Action {
	case "open":
		if m.view.Focus == OutputPane || m.view.Focus == FactsPane {
			return "full screen"
		}
	case "node.drain":
		if n := m.view.Node(); n != nil && (n.State == control.NodeDraining || n.State == control.NodeDrained) {
			return "undrain"
		}
	case "heat":
		if m.view.Nodes.heat {
			return "list"
		}
	}
	return bd.Foot
}
