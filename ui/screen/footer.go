package screen

import (
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
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

func (m frame) hints() []scene.Hint {
	if m.find != nil {
		return []scene.Hint{{Key: "enter", Text: "keep"}, {Key: "esc", Text: "clear"}, {Key: "", Text: m.find.pane.Syntax()}}
	}
	if d := m.dialog(); d != nil {
		if f, ok := d.(scene.Footed); ok {
			return f.Foot(m.view)
		}
		return []scene.Hint{{Key: "esc", Text: "close"}}
	}
	return m.paneHints()
}

// paneHints is the footer of a pane, out of the key table. What belongs to the
// pane comes first, quit last.
func (m frame) paneHints() []scene.Hint {
	in := m.view.Context()
	var first, own, common []scene.Hint
	for _, bd := range m.view.Keys.In(in) {
		if bd.Foot == "" || bd.Action == "quit" || !m.view.Can(bd.Action) {
			continue
		}
		h := scene.Hint{Key: bd.Keys[0], Text: m.footWord(bd)}
		switch {
		case bd.Action == "open" || bd.Action == "task.new" && in&scene.SomeNode == 0:
			first = append(first, h)
		case bd.Group == "Output" && in&scene.InOutput != 0, bd.Group == "Tasks" && in&scene.SomeTask&^scene.InOutput != 0, bd.Group == "Nodes" && in&(scene.SomeNode|scene.InWelcome) != 0:
			own = append(own, h)
		default:
			common = append(common, h)
		}
	}
	if m.view.Dimmed() {
		first = append([]scene.Hint{{Key: m.view.Keys.Of(in, "refresh"), Text: "try now"}, {Key: m.view.Keys.Of(in, "promote"), Text: "take over"}}, first...)
	}
	if len(m.view.Deep) > 0 {
		first = append([]scene.Hint{{Key: "esc", Text: "back"}}, first...)
	}
	return append(append(first, own...), common...)
}

func (m frame) footWord(bd scene.Binding) string {
	switch bd.Action {
	case "open":
		if m.view.Focus == scene.OutputPane || m.view.Focus == scene.FactsPane {
			return "full screen"
		}
	case "node.drain":
		if n := m.view.Node(); n != nil && (n.State == control.NodeDraining || n.State == control.NodeDrained) {
			return "undrain"
		}
	case "heat":
		if m.view.Nodes.Heat {
			return "list"
		}
	}
	return bd.Foot
}
