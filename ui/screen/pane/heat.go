package pane

import (
	"fmt"
	"sort"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// heatValue is a node's value for a metric, percent, and whether it has one.
func heatValue(n *control.Node, metric int) (float64, bool) {
	switch n.State {
	case control.NodeLost, control.NodeStale, control.NodeAsks, control.NodeForeign, control.NodeAway:
		return 0, false
	}
	switch scene.Metrics[metric] {
	case "mem":
		return scene.MemPercent(n.Load), true
	case "slots":
		if n.Capacity.Slots == 0 {
			return 0, true
		}
		return 100 * float64(min(n.Used.Tasks, n.Capacity.Slots)) / float64(n.Capacity.Slots), true
	case "failures":
		if n.Done+n.Failed == 0 {
			return 0, true
		}
		return 100 * float64(n.Failed) / float64(n.Done+n.Failed), true
	}
	return float64(n.Load.CPUPercent), true
}

// heatCell draws one node as two cells: its state if that matters, else its value.
func heatCell(view *scene.Scene, l *part.Line, n *control.Node, cursor bool) {
	v, ok := heatValue(n, view.Nodes.Metric)
	tok := theme.Lost
	var text string
	switch {
	case !ok && n.State == control.NodeStale:
		text, tok = "~~", theme.Warn
	case !ok:
		text = "??"
	case n.State == control.NodeDraining || n.State == control.NodeDrained:
		text, tok = "--", theme.Warn
	default:
		text = strings.Repeat(view.Styles.Glyphs.Shade[min(3, int(v/25))], 2)
		tok = theme.Ramp(v)
	}
	switch {
	case cursor && view.Focus == scene.HeatPane:
		l.Rev(theme.Focus, "[]")
	case view.Nodes.Marks[n.ID]:
		l.Rev(theme.Text, "**")
	default:
		l.T(tok, text)
	}
}

// groups are the label values that nodes can be grouped by.
func groups(view *scene.Scene) []string {
	keys := map[string]bool{}
	for i := range view.Facts().Nodes {
		for k := range view.Facts().Nodes[i].Capacity.Labels {
			if k != "host" {
				keys[k] = true
			}
		}
	}
	out := make([]string, 0, len(keys)+1)
	for k := range keys {
		out = append(out, k)
	}
	sort.Strings(out)
	if i := sort.SearchStrings(out, "rack"); i < len(out) && out[i] == "rack" { // the usual one first
		out = append([]string{"rack"}, append(out[:i:i], out[i+1:]...)...)
	}
	return append(out, "none")
}

func groupKey(view *scene.Scene) string {
	g := groups(view)
	return g[view.Nodes.Group%len(g)]
}

type heatGroup struct {
	name  string
	nodes []*control.Node
}

// heatGroups splits the shown nodes by the chosen label.
func heatGroups(view *scene.Scene) []heatGroup {
	key := groupKey(view)
	at := map[string]int{}
	var out []heatGroup
	for _, n := range view.Nodes.Shown(view.Facts()) {
		v := n.Capacity.Labels[key]
		if key == "none" {
			v = ""
		} else if v == "" {
			v = "-"
		}
		i, ok := at[v]
		if !ok {
			i = len(out)
			at[v] = i
			out = append(out, heatGroup{name: v})
		}
		out[i].nodes = append(out[i].nodes, n)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out
}

// Heat is the heat map over the nodes of the list.
type Heat struct{ Nodes }

// Act chooses what is shown, and moves as in the list.
func (*Heat) Act(view *scene.Scene, action scene.Action) {
	switch action {
	case "heat.metric":
		view.Nodes.Metric = (view.Nodes.Metric + 1) % len(scene.Metrics)
	case "heat.group":
		view.Nodes.Group++
	default:
		actNodes(view, action)
	}
}

// Click does nothing: a cell is too small to be meant.
func (*Heat) Click(*scene.Scene, int) {}

// Draw draws two cells a node.
func (*Heat) Draw(view *scene.Scene, w, h int, focus bool) []string {
	s := view.Facts()
	iw, ih := part.Inner(w, h)
	view.Nodes.Height = max(1, ih-1)
	var lines []string
	current := view.Node()
	at := 0
	for _, g := range heatGroups(view) {
		label := 0
		if g.name != "" {
			label = 10
		}
		per := max(1, (iw-label-2)/2)
		view.Nodes.Columns = per
		for i := 0; i < len(g.nodes); i += per {
			l := part.NewLine(view.Styles, iw).Sp(1)
			if label > 0 {
				name := g.name
				if i > 0 {
					name = ""
				}
				l.Cell(theme.Muted, name, label, false)
			}
			for _, n := range g.nodes[i:min(i+per, len(g.nodes))] {
				if n == current {
					at = len(lines)
				}
				heatCell(view, l, n, n == current)
			}
			lines = append(lines, l.String())
		}
	}
	if room := ih - 1; len(lines) > room && room > 0 {
		from := min(max(0, at-room/2), len(lines)-room)
		lines = lines[from : from+room]
	}
	lines = part.Tall(lines, iw, max(0, ih-1))
	lines = append(lines, heatLegend(view, iw))
	title := part.Plural(len(s.Nodes), "node")
	return part.Box{Title: title, Remark: fmt.Sprintf("metric: %s   group: %s   sort: %s", scene.Metrics[view.Nodes.Metric], groupKey(view), scene.NodeSorts[view.Nodes.Sort]), Focus: focus}.
		Draw(view.Styles, w, h, lines)
}

func heatLegend(view *scene.Scene, w int) string {
	l := part.NewLine(view.Styles, w).Sp(1)
	for i, r := range []string{"0-24", "25-49", "50-74", "75-100"} {
		l.T(theme.Ramp(float64(i*25)), view.Styles.Glyphs.Shade[i]).T(theme.Muted, " "+r+"  ")
	}
	l.T(theme.Warn, "--").T(theme.Muted, " draining  ").T(theme.Warn, "~~").T(theme.Muted, " stale  ").T(theme.Lost, "??").T(theme.Muted, " lost, asks")
	return l.String()
}

// Spread is the distribution of the metric over the nodes.
type Spread struct{}

// Draw draws ten bars.
func (*Spread) Draw(view *scene.Scene, w, h int, _ bool) []string {
	iw, ih := part.Inner(w, h)
	var bins [10]int
	n, most := 0, 1
	for i := range view.Facts().Nodes {
		if v, ok := heatValue(&view.Facts().Nodes[i], view.Nodes.Metric); ok {
			k := min(9, int(v/10))
			bins[k]++
			most = max(most, bins[k])
			n++
		}
	}
	var lines []string
	for i, c := range bins {
		name := fmt.Sprintf("%d-%d", i*10, i*10+9)
		if i == 9 {
			name = "90-100"
		}
		l := part.NewLine(view.Styles, iw).Sp(1).Cell(theme.Muted, name, 6, true).Cell(theme.Text, part.Count(c), 7, true).Sp(1)
		bar := max(0, l.Left()-1) * c / most
		if c > 0 {
			bar = max(1, bar)
		}
		l.T(theme.Ramp(float64(i*10+5)), strings.Repeat(view.Styles.Glyphs.Full, bar))
		lines = append(lines, l.String())
	}
	return part.Box{Title: strings.ToUpper(scene.Metrics[view.Nodes.Metric]) + " over " + part.Plural(n, "node")}.Draw(view.Styles, w, h, part.Tall(lines, iw, ih))
}
