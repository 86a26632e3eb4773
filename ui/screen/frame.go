package screen

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/pane"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// frame puts the drawings of panes and dialogs together.
type frame struct{ *Model }

func (m frame) draw() []string {
	if m.view.Width < 1 || m.view.Height < 1 {
		return nil
	}
	var out []string
	if m.view.Width < scene.SmallestW || m.view.Height < scene.SmallestH {
		out = m.drawSmall()
		for i := range out {
			out[i] = part.Fit(out[i], m.view.Width)
		}
	} else {
		out = m.drawFull()
	}
	out = part.Tall(out, m.view.Width, m.view.Height)
	if m.view.Styles.Glyphs.ASCII {
		for i := range out {
			out[i] = theme.ToASCII(out[i])
		}
	}
	return out
}

func (m frame) drawFull() []string {
	f := scene.FrameOf(m.view.Width, m.view.Height)
	out := make([]string, 0, m.view.Height)
	out = append(out, m.header(), m.tabs())
	rule := m.view.Styles.Paint(theme.Faint, strings.Repeat(m.view.Styles.Glyphs.Rule, m.view.Width))
	if f.Rules > 0 {
		out = append(out, rule)
	}
	body := m.body(f.Content.W, f.Content.H)
	out = append(out, body...)
	out = append(out, m.noteLine())
	if f.Rules > 0 {
		out = append(out, rule)
	}
	if d := m.dialog(); d != nil {
		box := d.Draw(m.view, m.view.Width, len(out)-f.Head)
		head := out[:f.Head:f.Head]
		out = append(head, part.Over(m.view.Styles, out[f.Head:], box, m.view.Width)...)
	}
	return append(out, m.footer())
}

// body is the banner and the panes.
func (m frame) body(w, h int) []string {
	banner := banner(m.view)
	if len(banner) > h {
		banner = banner[:h]
	}
	return append(append([]string{}, banner...), m.arranged(w, h-len(banner))...)
}

// arranged draws every placed pane into its rectangle.
func (m frame) arranged(w, h int) []string {
	rows := make([]strings.Builder, max(h, 0))
	used := make([]int, len(rows))
	for _, p := range m.placed() {
		block := m.pane(p)
		for i, ln := range block {
			y := p.Y + i
			if y < 0 || y >= len(rows) {
				continue
			}
			if gap := p.X - used[y]; gap > 0 {
				rows[y].WriteString(strings.Repeat(" ", gap))
			}
			rows[y].WriteString(ln)
			used[y] = p.X + p.W
		}
	}
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].String()
		if used[i] < w {
			out[i] += strings.Repeat(" ", w-used[i])
		}
	}
	return out
}

func (m frame) tabs() string {
	l := part.NewLine(m.view.Styles, m.view.Width).Sp(1)
	for i, n := range scene.PageNames {
		text := fmt.Sprintf("%d %s", i+1, n)
		if scene.Page(i) == m.view.Page {
			if m.view.Styles.Depth <= theme.Mono || m.view.Styles.Glyphs.ASCII {
				l.B(theme.Focus, "["+text+"]").Sp(1)
			} else {
				l.Rev(theme.Focus, " "+text+" ").Sp(1)
			}
			continue
		}
		l.T(theme.Muted, " "+text+" ").Sp(1)
	}
	if c := m.crumbs(); c != "" {
		l.T(theme.Text, c)
	}
	r := part.NewLine(m.view.Styles, 40).T(theme.Accent, "/").T(theme.Muted, " filter  ").T(theme.Accent, ":").T(theme.Muted, " command  ").T(theme.Accent, "?").T(theme.Muted, " help ")
	return l.End(r).String()
}

// crumbs is what was opened over the page.
func (m frame) crumbs() string {
	g := m.view.Styles.Glyphs.Crumb
	switch m.view.Top() {
	case scene.DeepTask:
		return g + " task " + m.view.Pinned.String()
	case scene.DeepOutput:
		return g + " task " + m.view.Pinned.String() + " " + g + " output"
	case scene.DeepNode:
		if n := m.view.Node(); n != nil {
			return g + " " + n.Name
		}
	}
	return ""
}

// drawSmall is what fits where tables do not.
func (m frame) drawSmall() []string {
	s := m.view.Facts()
	line := func() *part.Line { return part.NewLine(m.view.Styles, m.view.Width).Sp(min(1, m.view.Width-1)) }
	l := line().B(theme.Accent, "octaskly").Sp(2).T(theme.Text, s.Status.Self.Name).Sp(1).T(roleToken(m.view), "["+roleWord(m.view)+"]")
	t := line()
	for _, k := range pane.CardStates[:2] {
		t.B(theme.Text, part.Count(m.view.Facts().Count(k))).T(theme.Muted, " "+k.String()+"  ")
	}
	t.B(theme.Text, part.Count(m.view.Facts().Count(pane.CardStates[3]))).T(theme.Muted, " failed")
	n := line().T(theme.Muted, "nodes ").T(theme.Text, fmt.Sprintf("%d/%d up", s.Status.Nodes[control.NodeUp], len(s.Nodes))).
		T(theme.Muted, "   slots ").T(theme.Text, fmt.Sprintf("%d/%d", s.Status.SlotsUsed, s.Status.Slots))
	all := []string{
		l.String(), t.String(), n.String(), line().String(),
		line().T(theme.Muted, fmt.Sprintf("Too small for the tables: %dx%d of %dx%d.", m.view.Width, m.view.Height, scene.SmallestW, scene.SmallestH)).String(),
		line().T(theme.Muted, "Make it larger.  ").B(theme.Accent, m.view.Keys.Of(scene.InOverview, "task.new")).T(theme.Muted, " new task  ").B(theme.Accent, m.view.Keys.Of(scene.InOverview, "quit")).T(theme.Muted, " quit").String(),
	}
	if d := m.dialog(); d != nil {
		all = append(d.Draw(m.view, m.view.Width, m.view.Height), all...)
	}
	return all
}

func (m frame) pane(p scene.Placed) []string {
	pane := m.panes[p.Pane]
	if p.W < 4 || p.H < 2 || pane == nil {
		return part.Blank(p.W, p.H)
	}
	return pane.Draw(m.view, p.W, p.H, p.Pane == m.view.Focus)
}
