package cli

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/adauldev/octaskly/queue/task/text"
)

// table collects rows and prints them aligned, or tab-separated with --plain.
// Cells may hold anything: they are cleaned here.
type table struct {
	head  []string
	right map[int]bool // columns aligned to the right
	rows  [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table. width cuts the last column; 0 does not.
func (p *printer) table(t *table, width int) error {
	if p.plain {
		for _, r := range t.rows {
			for i := range r {
				r[i] = text.CleanLine(r[i])
			}
			if err := p.line("%s", strings.Join(r, "\t")); err != nil {
				return err
			}
		}
		return nil
	}
	if len(t.rows) == 0 {
		return nil
	}
	_, err := io.WriteString(p.out, layTable(t, width))
	return err
}

func layTable(t *table, width int) string {
	rows := append([][]string{t.head}, t.rows...)
	wide := make([]int, len(t.head))
	for n, r := range rows {
		for i := range r {
			if n > 0 {
				r[i] = text.CleanLine(r[i])
			}
			wide[i] = max(wide[i], ansi.StringWidth(r[i]))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		at := 0
		for i, cell := range r {
			if i == len(r)-1 {
				if width > at+10 {
					cell = ansi.Truncate(cell, width-at, "…")
				}
				b.WriteString(cell)
				break
			}
			pad := strings.Repeat(" ", wide[i]-ansi.StringWidth(cell))
			if t.right[i] {
				b.WriteString(pad + cell + "  ")
			} else {
				b.WriteString(cell + pad + "  ")
			}
			at += wide[i] + 2
		}
		b.WriteByte('\n')
	}
	return trimLines(b.String())
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// pair is a named value of a page of text.
type pair struct{ name, value string }

// fields prints pairs aligned; those without a value are left out.
func (p *printer) fields(all []pair) error {
	wide := 0
	for _, f := range all {
		if f.value != "" {
			wide = max(wide, len(f.name))
		}
	}
	for _, f := range all {
		if f.value == "" {
			continue
		}
		var err error
		if p.plain {
			err = p.line("%s\t%s", f.name, text.CleanLine(f.value))
		} else {
			err = p.line("%-*s  %s", wide, f.name, text.CleanLine(f.value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
