package part

import "github.com/adauldev/octaskly/theme"

// Column is one column of a table.
type Column struct {
	Title string
	Width int  // at least; a flexible column takes what is left over
	Flex  bool // at most one; the last flexible one wins
	Right bool // aligned to the right
	Drop  int  // 0 is never left out; otherwise the highest is left out first
}

// FitColumns decides how wide each column is on a line of width cells with
// gap cells between columns; a column that is left out has width 0.
func FitColumns(cols []Column, width, gap int) []int {
	ws := make([]int, len(cols))
	for i, c := range cols {
		ws[i] = c.Width
	}
	for sum(ws, gap) > width {
		worst := -1
		for i, c := range cols {
			if ws[i] > 0 && c.Drop > 0 && (worst < 0 || c.Drop > cols[worst].Drop) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		ws[worst] = 0
	}
	for i := len(cols) - 1; i >= 0; i-- {
		if cols[i].Flex && ws[i] > 0 {
			ws[i] = max(1, ws[i]+width-sum(ws, gap))
			break
		}
	}
	return ws
}

func sum(ws []int, gap int) int {
	n, shown := 0, 0
	for _, w := range ws {
		if w > 0 {
			n += w
			shown++
		}
	}
	return n + gap*max(0, shown-1)
}

// Header draws the titles of the columns on l.
func Header(l *Line, cols []Column, ws []int, gap int) *Line {
	first := true
	for i, c := range cols {
		if ws[i] == 0 {
			continue
		}
		if !first {
			l.Sp(gap)
		}
		first = false
		l.Cell(theme.Muted, c.Title, ws[i], c.Right)
	}
	return l
}
