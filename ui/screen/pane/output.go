package pane

import (
	"fmt"
	"strings"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Output is how the person looks at a task's output.
type Output struct {
	shown  task.ID
	lines  part.LogView
	height int
	width  int
}

// reset looks at another task's output from its end, with the same settings.
func (o *Output) reset(id task.ID) {
	if o.shown == id {
		return
	}
	o.shown = id
	o.lines.Skip = 0
	o.lines.Last()
}

// Act scrolls, and changes how lines are shown.
func (o *Output) Act(view *scene.Scene, action scene.Action) {
	o.reset(view.TaskID())
	page := max(1, o.height/2)
	switch action {
	case "down":
		o.lines.Move(view.Log, 1, o.height)
	case "up":
		o.lines.Move(view.Log, -1, o.height)
	case "page.down":
		o.lines.Move(view.Log, page, o.height)
	case "page.up":
		o.lines.Move(view.Log, -page, o.height)
	case "first":
		o.lines.First()
	case "last":
		o.lines.Last()
	case "left":
		o.lines.Skip = max(0, o.lines.Skip-16)
	case "right":
		o.lines.Skip = min(o.lines.Skip+16, 16<<10)
	case "follow":
		o.lines.SetFollow(view.Log, !o.lines.Follow, o.height)
	case "wrap":
		o.lines.Wrap = !o.lines.Wrap
	case "times":
		o.lines.Times = !o.lines.Times
	case "stream":
		o.lines.Stream = (o.lines.Stream + 1) % 3
	case "only":
		o.only(view)
	case "match.next", "match.back":
		o.next(view, action == "match.back")
	case "open":
		if view.TaskID() != 0 {
			view.OpenTask(view.TaskID(), scene.DeepOutput)
		}
	}
}

func (o *Output) only(view *scene.Scene) {
	if o.lines.Find == "" {
		view.Say(theme.Muted, "there is no search yet: / finds, then & shows only matching lines")
		return
	}
	o.lines.Only = !o.lines.Only
}

func (o *Output) next(view *scene.Scene, back bool) {
	switch {
	case o.lines.Find == "" && !back:
		view.Router.Perform("task.new") // n means a new task where nothing is searched
	case !o.lines.Next(view.Log, back, o.height):
		view.Say(theme.Muted, "no further match for "+o.lines.Find)
	}
}

// Back ends the search.
func (o *Output) Back(*scene.Scene) bool {
	if o.lines.Find == "" {
		return false
	}
	o.lines.Find, o.lines.Only = "", false
	return true
}

// Filter is what is searched.
func (o *Output) Filter(*scene.Scene) string { return o.lines.Find }

// SetFilter searches from the newest line backwards.
func (o *Output) SetFilter(view *scene.Scene, text string) error {
	o.reset(view.TaskID())
	o.lines.Find = text
	if text != "" {
		o.lines.Next(view.Log, true, o.height)
	} else {
		o.lines.Only = false
	}
	return nil
}

// Found counts the lines with a match.
func (o *Output) Found(*scene.Scene) string { return part.Plural(o.lines.Matches(), "line") }

// Syntax is what works in a search.
func (*Output) Syntax() string { return "n, N next and previous match, & only matching lines" }

// Copy is the lines that are shown.
func (o *Output) Copy(view *scene.Scene) (text, what string) {
	lines := o.lines.Visible(view.Log, o.height)
	return strings.Join(lines, "\n"), part.Plural(len(lines), "line") + " of output"
}

// Draw draws the output, and under it which lines these are.
func (o *Output) Draw(view *scene.Scene, w, h int, focus bool) []string {
	iw, ih := part.Inner(w, h)
	id := view.TaskID()
	o.reset(id)
	foot := 0
	if ih >= 8 {
		foot = 1
	}
	o.height, o.width = max(1, ih-foot), iw
	box := part.Box{Title: "Output", Focus: focus}
	if view.Top() == scene.DeepOutput {
		box.Title = "Output of " + id.String()
		if t := view.Task(); t != nil { // how it stands goes before what it is
			_, state := scene.StateLook(view, t)
			box.Title += "  " + state
			if room := w - 14 - part.Width(box.Title) - part.Width(o.remark()); room >= 12 {
				box.Title += "  $ " + strings.TrimRight(part.Fit(part.Clean(scene.CommandLine(view, &t.Spec)), room), " ")
			}
		}
	}
	if id == 0 || view.LogID != id {
		return box.Draw(view.Styles, w, h, part.Tall(nil, iw, ih))
	}
	lines := o.lines.Draw(view.Styles, view.Log, iw, o.height)
	st := view.Log.Stats()
	first, last, total := o.lines.Range(view.Log, o.height)
	if total == 0 {
		lines = o.empty(view, iw, o.height)
	}
	if foot > 0 && total > 0 {
		lines = append(lines, outputFoot(view, iw, first, last, total, st))
	}
	box.Remark = o.remark()
	box.Scroll = part.Scroll{First: max(0, first-1), Shown: o.height, Total: total}
	return box.Draw(view.Styles, w, h, lines)
}

func (o *Output) remark() string {
	v := &o.lines
	remark := []string{"stdout+stderr", "stdout only", "stderr only"}[v.Stream]
	if v.Wrap {
		remark += "  wrap on"
	}
	if v.Find != "" {
		remark += fmt.Sprintf("  / %s: %s", v.Find, part.Plural(v.Matches(), "line"))
		if v.Only {
			remark += " only"
		}
	}
	if v.Follow {
		return remark + "  follow ON"
	}
	return remark + "  follow off"
}

// outputFoot says which lines are shown, and of which: never of more than what
// was read.
func outputFoot(view *scene.Scene, w, first, last, total int, st part.LogStats) string {
	l := part.NewLine(view.Styles, w).Sp(1)
	rows := fmt.Sprintf("lines %s-%s of %s", part.Count(first), part.Count(last), part.Count(total))
	if st.Skipped > 0 {
		rows = fmt.Sprintf("lines %s-%s of the last %s", part.Count(first), part.Count(last), part.Count(total))
	}
	l.T(theme.Muted, rows+"  "+part.Bytes(st.Bytes))
	for _, gap := range outputGaps(st) {
		l.Sp(2).T(theme.Warn, gap)
	}
	if st.Skipped > 0 || st.Lost > 0 {
		l.T(theme.Muted, ", "+view.Keys.Of(scene.InOutput, "write")+" saves all")
	}
	return l.String()
}

// outputGaps says what is missing of what the task wrote.
func outputGaps(st part.LogStats) (gaps []string) {
	if st.Skipped > 0 {
		gaps = append(gaps, "earlier lines are not loaded")
	}
	if st.Lost > 0 {
		gaps = append(gaps, part.Bytes(st.Lost)+" skipped on the way")
	}
	if st.Fault != "" {
		gaps = append(gaps, "what follows cannot be reached: "+st.Fault)
	}
	return gaps
}

func (o *Output) empty(view *scene.Scene, w, h int) []string {
	tok, text := emptyWords(view, view.Task(), view.Log.Stats(), o.lines.Only || o.lines.Stream != 0)
	return part.Tall(indented(view, w, tok, text), w, h)
}

// indented is text behind three blanks.
func indented(view *scene.Scene, w int, tok theme.Token, text string) (out []string) {
	for _, line := range view.Text(max(0, w-3), tok, text) {
		out = append(out, part.NewLine(view.Styles, w).Sp(3).Raw(line).String())
	}
	return out
}

// emptyWords says why no output is shown. That a task wrote nothing is said
// only where that is known.
func emptyWords(view *scene.Scene, t *task.Task, st part.LogStats, filtered bool) (theme.Token, string) {
	switch {
	case st.Fault != "":
		return theme.Warn, view.Styles.Glyphs.Stale + " Its output cannot be reached: " + st.Fault + outputPlace(view, t)
	case st.Lines > 0 && filtered:
		return theme.Muted, "Nothing of what it wrote is in this view. o changes the stream, esc ends the search."
	case t == nil:
		return theme.Muted, view.Styles.Glyphs.Ellipsis
	case t.State == task.Queued || t.State == task.Retry:
		return theme.Muted, "It waits. w says why."
	case t.State == task.Assigned:
		return theme.Muted, "It is about to start."
	case !t.State.Terminal():
		return theme.Muted, "No output yet."
	case !st.Ended:
		return theme.Muted, view.Styles.Glyphs.Ellipsis
	}
	if a := t.Last(); a != nil && (a.Output.Bytes > 0 || t.State == task.Lost && a.Started > 0) {
		return theme.Warn, view.Styles.Glyphs.Stale + " Nothing of its output is here." + outputPlace(view, t)
	}
	return theme.Muted, "It wrote nothing."
}

// outputPlace is how much a task wrote and on which node that was.
func outputPlace(view *scene.Scene, t *task.Task) string {
	if t == nil || t.Last() == nil {
		return ""
	}
	a := t.Last()
	node := view.Facts().NodeName(a.Node)
	if n := view.Facts().Node(a.Node); n != nil && n.State == control.NodeLost {
		node += ", which is lost"
	}
	if a.Output.Bytes > 0 {
		return " It wrote " + part.Bytes(a.Output.Bytes) + " on " + node + "."
	}
	return " What it wrote, if anything, was written on " + node + "."
}

func newOutput() *Output {
	return &Output{lines: part.LogView{Follow: true, Colors: true}}
}
