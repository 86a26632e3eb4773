package pane

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Welcome is the page of a computer that is alone.
type Welcome struct{}

// Draw draws it.
func (*Welcome) Draw(view *scene.Scene, w, h int, _ bool) []string {
	s := view.Facts()
	var out []string
	line := func() *part.Line { return part.NewLine(view.Styles, w).Sp(3) }
	add := func(l *part.Line) { out = append(out, l.String()) }
	gap := func() {
		if h >= 16 {
			add(line())
		}
	}
	check := func(tok theme.Token, glyph, what, is string) {
		add(line().Sp(2).T(tok, glyph+" ").Cell(theme.Text, what, 16, false).T(theme.Muted, is))
	}
	fit := func(long, short string) string { // whichever has room
		if w < 80 {
			return short
		}
		return long
	}
	g := &view.Styles.Glyphs
	gap()
	add(line().B(theme.Text, "Welcome. This computer is now one Octaskly node."))
	gap()
	check(theme.OK, g.Done, "this node", selfWords(view))
	others := len(s.Nodes) - 1
	if others > 0 {
		check(theme.OK, g.Done, "other nodes", part.Plural(others, "node")+" heard on this network")
	} else {
		check(theme.Muted, g.Queued, "other nodes", fit("none yet; start octaskly on another machine", "none yet"))
	}
	heard := s.HeardDispatchers()
	if len(heard) == 0 {
		check(theme.Warn, g.Failed, "dispatcher", "none on this network")
	} else {
		check(theme.OK, g.Done, "dispatcher", part.Clean(strings.Join(heard, ", ")))
	}
	if s.Status.Self.Code != "" {
		check(theme.Lost, g.Lock, "joining code", s.Status.Self.Code+fit("   to let this node into another cluster", "  to join another cluster"))
	}
	gap()
	about := fit("One node must be the dispatcher: it keeps the queue and hands out the tasks.", "One node, the dispatcher, keeps the queue of tasks.")
	keys := [][2]string{{"promote", "make this node the dispatcher"}, {"join", "join a cluster that is there already"}, {"admit", fit("admit a node by its code (makes this one the dispatcher first)", "admit a node by its code")}}
	if len(heard) > 0 {
		about = fit("A cluster is here already. To join it, somebody there types the code above.", "To join, somebody there types the code.")
		keys[0], keys[1] = [2]string{"join", "how to join " + part.Clean(heard[0])}, [2]string{"promote", fit("make this node the dispatcher of a cluster of its own", "begin a cluster of its own")}
	}
	add(line().T(theme.Text, about))
	gap()
	for _, k := range keys {
		add(line().Sp(5).B(theme.Accent, view.Keys.Of(scene.InWelcome, scene.Action(k[0]))).Sp(2).T(theme.Text, k[1]))
	}
	gap()
	add(line().T(theme.Text, fit("Then press ", "Then ")).B(theme.Accent, view.Keys.Of(scene.InWelcome, "task.new")).
		T(theme.Text, fit(", type a command, press enter. Its output appears right here.", ", a command, enter: its output appears here.")))
	add(line().T(theme.Muted, fit("To add a server:       ", "Servers:  ")+"ssh server octaskly --headless worker"))
	add(line().T(theme.Muted, fit("To look around first:  ", "To look:  ")).B(theme.Accent, view.Keys.Of(scene.InWelcome, "demo")).T(theme.Muted, "  a fleet that does not exist"))
	return part.Tall(out, w, h)
}

func selfWords(view *scene.Scene) string {
	n := view.Facts().Self()
	if n == nil {
		return view.Facts().Status.Self.Name
	}
	if n.Capacity.CPU == 0 { // nobody has asked it for work yet
		return strings.Join(append([]string{n.Name}, view.Facts().Status.Self.Addrs...), "  ")
	}
	return fmt.Sprintf("%g cores, %s, %s", float64(n.Capacity.CPU)/1000, part.Bytes(n.Capacity.MemoryMB<<20), part.Plural(int(n.Capacity.Slots), "task slot"))
}
