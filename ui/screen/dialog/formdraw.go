package dialog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// formRows is which fields share a row.
var formRows = [][]int{{fCommand}, {fOn}, {fPriority}, {fTimeout, fRetries}, {fCPU, fMemory, fGPU}, {fSandbox}, {fDir}, {fEnv}, {fName, fTags}}

func (f *form) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 92)
	iw := max(0, w-4)
	said := f.verdict(view, iw)
	var lines []string
	command := f.commandRows(view, iw, h-4-len(said))
	from, to := f.rowsFor(h - 4 - len(said) - max(0, len(command)-1))
	for i, row := range formRows[from:to] {
		if row[0] == fCommand && len(command) > 0 {
			lines = append(lines, command...)
		} else {
			lines = append(lines, f.drawRow(view, row, iw))
		}
		if i == 0 && h >= 20 {
			lines = append(lines, part.NewLine(view.Styles, iw).String())
		}
	}
	if h >= 20 {
		lines = append(lines, part.NewLine(view.Styles, iw).String())
	}
	lines = append(lines, said...)
	if len(lines) < h-4 {
		lines = append(lines, view.SameAs(iw, text.SubmitCommand(&f.spec)))
	}
	title := "New task"
	if f.from != 0 {
		title = "Copy of task " + f.from.String()
	}
	return part.Dialog{Title: title, Lines: lines, Focus: -1}.Draw(view.Styles, w, h)
}

// commandRows is a command of several lines in at most half of h rows; nothing
// where it has one line or there is no room.
func (f *form) commandRows(view *scene.Scene, w, h int) []string {
	field := f.fields[fCommand]
	rows := min(field.Lines(), h/2)
	if rows < 2 {
		return nil
	}
	label, token := part.NewLine(view.Styles, 11), theme.Muted
	if f.at == fCommand {
		token = theme.Focus
	}
	label.T(token, field.Label)
	out := field.Rows(view.Styles, max(0, w-11), rows, f.at == fCommand)
	for i := range out {
		out[i] = label.String() + out[i]
		label = part.NewLine(view.Styles, 11)
	}
	return out
}

// verdict is what is wrong with what was typed, or who could run it.
func (f *form) verdict(view *scene.Scene, w int) []string {
	fault := f.refused
	for _, fd := range slices.Backward(f.fields) { // also of rows that are not drawn
		if fd.Fault != "" {
			fault = labelled(fd.Label, fd.Fault)
		}
	}
	switch {
	case f.sent:
		return []string{part.NewLine(view.Styles, w).T(theme.Muted, "submitting …").String()}
	case fault != "":
		return view.Text(w, theme.Err, view.Styles.Glyphs.Failed+" "+fault)
	}
	return []string{f.fitLine(view, w)}
}

// labelled is a fault behind the name of its field, unless it begins with that.
func labelled(label, fault string) string {
	if strings.HasPrefix(scene.Lower(fault), scene.Lower(label)) {
		return fault
	}
	return label + ": " + fault
}

// rowsFor is which rows are drawn where there is room for n: all of them, or
// those around the one that is edited.
func (f *form) rowsFor(n int) (from, to int) {
	n = max(1, n)
	if n >= len(formRows) {
		return 0, len(formRows)
	}
	for i, row := range formRows {
		for _, k := range row {
			if k == f.at {
				from = min(max(0, i-n+1), len(formRows)-n)
			}
		}
	}
	return from, from + n
}

func (f *form) drawRow(view *scene.Scene, row []int, w int) string {
	l := part.NewLine(view.Styles, w)
	share := w / len(row)
	for j, k := range row {
		fd := f.fields[k]
		l.To(j * share)
		label, tok := 11, theme.Muted
		if j > 0 {
			label = part.Width(fd.Label) + 2
		}
		if k == f.at {
			tok = theme.Focus
		}
		if fd.Fault != "" {
			tok = theme.Err
		}
		l.Cell(tok, fd.Label, label, false)
		room := share - label - 2
		note := ""
		if len(row) == 1 && fd.Note != "" && w >= 64 {
			note = "(" + fd.Note + ")"
			room -= part.Width(note) + 1
		}
		fd.Draw(l, max(4, room), k == f.at)
		if note != "" {
			l.Sp(1).T(theme.Muted, note)
		}
	}
	return l.String()
}

func (f *form) fitLine(view *scene.Scene, w int) string {
	l := part.NewLine(view.Styles, w)
	names, all := f.fits(view.Facts().Nodes)
	switch {
	case view.Facts().Status.Dispatcher == "":
		return l.T(theme.Warn, "No dispatcher yet: submitting first offers to make this node one.").String()
	case len(names) == 0:
		return l.T(theme.Warn, view.Styles.Glyphs.Stale+" ").T(theme.Warn, fmt.Sprintf("No node fits now (0 of %d). It would wait for one; w on the task says for what.", all)).String()
	}
	shown := names[:min(3, len(names))]
	l.T(theme.OK, view.Styles.Glyphs.Done+" ").T(theme.Text, "Fits "+strings.Join(shown, ", "))
	if len(names) > 3 {
		l.T(theme.Text, fmt.Sprintf(" and %d more", len(names)-3))
	}
	l.T(theme.Muted, fmt.Sprintf("  (%s of %s)", part.Count(len(names)), part.Plural(all, "node")))
	if r := view.Facts().Status.Ready; r > 0 {
		l.T(theme.Muted, "  "+part.Count(r)+" ahead of it")
	}
	return l.String()
}
