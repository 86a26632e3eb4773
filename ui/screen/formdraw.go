package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// formRows is which fields share a row.
var formRows = [][]int{{fCommand}, {fOn}, {fPriority}, {fTimeout, fRetries}, {fCPU, fMemory, fGPU}, {fSandbox}, {fDir}, {fEnv}, {fName, fTags}}

func (f *form) draw(m *Model, w, h int) []string {
	w = min(w, 92)
	iw := max(0, w-4)
	said := f.verdict(m, iw)
	var lines []string
	command := f.commandRows(m, iw, h-4-len(said))
	from, to := f.rowsFor(h - 4 - len(said) - max(0, len(command)-1))
	for i, row := range formRows[from:to] {
		if row[0] == fCommand && len(command) > 0 {
			lines = append(lines, command...)
		} else {
			lines = append(lines, f.drawRow(m, row, iw))
		}
		if i == 0 && h >= 20 {
			lines = append(lines, part.NewLine(m.s, iw).String())
		}
	}
	if h >= 20 {
		lines = append(lines, part.NewLine(m.s, iw).String())
	}
	lines = append(lines, said...)
	if len(lines) < h-4 {
		lines = append(lines, m.same(iw, text.SubmitCommand(&f.spec)))
	}
	title := "New task"
	if f.from != 0 {
		title = "Copy of task " + f.from.String()
	}
	return part.Dialog{Title: title, Lines: lines, Focus: -1}.Draw(m.s, w, h)
}

// commandRows is a command of several lines in at most half of h rows; nothing
// where it has one line or there is no room.
func (f *form) commandRows(m *Model, w, h int) []string {
	field := f.fields[fCommand]
	rows := min(field.Lines(), h/2)
	if rows < 2 {
		return nil
	}
	label, token := part.NewLine(m.s, 11), theme.Muted
	if f.at == fCommand {
		token = theme.Focus
	}
	label.T(token, field.Label)
	out := field.Rows(m.s, max(0, w-11), rows, f.at == fCommand)
	for i := range out {
		out[i] = label.String() + out[i]
		label = part.NewLine(m.s, 11)
	}
	return out
}

// verdict is what is wrong with what was typed, or who could run it.
func (f *form) verdict(m *Model, w int) []string {
	fault := f.refused
	for _, fd := range slices.Backward(f.fields) { // also of rows that are not drawn
		if fd.Fault != "" {
			fault = labelled(fd.Label, fd.Fault)
		}
	}
	switch {
	case f.sent:
		return []string{part.NewLine(m.s, w).T(theme.Muted, "submitting …").String()}
	case fault != "":
		return m.text(w, theme.Err, m.s.Glyphs.Failed+" "+fault)
	}
	return []string{f.fitLine(m, w)}
}

// labelled is a fault behind the name of its field, unless it begins with that.
func labelled(label, fault string) string {
	if strings.HasPrefix(lower(fault), lower(label)) {
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

func (f *form) drawRow(m *Model, row []int, w int) string {
	l := part.NewLine(m.s, w)
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

func (f *form) fitLine(m *Model, w int) string {
	l := part.NewLine(m.s, w)
	names, all := f.fits(m.view().Nodes)
	switch {
	case m.view().Status.Dispatcher == "":
		return l.T(theme.Warn, "No dispatcher yet: submitting first offers to make this node one.").String()
	case len(names) == 0:
		return l.T(theme.Warn, m.s.Glyphs.Stale+" ").T(theme.Warn, fmt.Sprintf("No node fits now (0 of %d). It would wait for one; w on the task says for what.", all)).String()
	}
	shown := names[:min(3, len(names))]
	l.T(theme.OK, m.s.Glyphs.Done+" ").T(theme.Text, "Fits "+strings.Join(shown, ", "))
	if len(names) > 3 {
		l.T(theme.Text, fmt.Sprintf(" and %d more", len(names)-3))
	}
	l.T(theme.Muted, fmt.Sprintf("  (%s of %s)", part.Count(len(names)), part.Plural(all, "node")))
	if r := m.view().Status.Ready; r > 0 {
		l.T(theme.Muted, "  "+part.Count(r)+" ahead of it")
	}
	return l.String()
}
