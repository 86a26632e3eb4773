package part

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// patchCell is one column of a painted line.
type patchCell struct{ paint, text string }

// Delta appends to dst what makes a terminal that shows the line old in a row
// show the line now, both as wide as the terminal; rows count from 1. It writes
// the words that changed and no others, from a default paint to a default paint.
// An empty old is not known.
func Delta(dst []byte, row int, old, now string) []byte {
	if old == now {
		return dst
	}
	was, ok := cellsOf(old)
	is, plain := cellsOf(now)
	whole := at(nil, row, 1)
	whole = append(append(whole, now...), reset...)
	if !ok || !plain || len(was) != len(is) {
		return append(dst, whole...)
	}
	var some []byte
	for from, to := nextRun(was, is, 0); from < to; from, to = nextRun(was, is, to) {
		some = run(at(some, row, from+1), is, from, to)
	}
	if len(some) > len(whole) {
		some = whole
	}
	return append(dst, some...)
}

// at appends the move to a row and a column.
func at(dst []byte, row, column int) []byte {
	dst = append(dst, csi...)
	dst = strconv.AppendInt(dst, int64(row), 10)
	if column > 1 {
		dst = append(dst, ';')
		dst = strconv.AppendInt(dst, int64(column), 10)
	}
	return append(dst, 'H')
}

// bridge is how many unchanged columns cost less than a move over them.
const bridge = 8

// nextRun is the next columns to write: those that changed, to the ends of their
// words, with what lies between two that are near each other.
func nextRun(was, is []patchCell, from int) (int, int) {
	for from < len(is) && was[from] == is[from] {
		from++
	}
	if from == len(is) {
		return from, from
	}
	to := from + 1
	for i := to; i < len(is) && i-to <= bridge; i++ {
		if was[i] != is[i] {
			to = i + 1
		}
	}
	for from > 0 && is[from-1].text != " " && is[from].text != " " && is[from-1].paint == is[from].paint {
		from--
	}
	for to < len(is) && is[to].text != " " && is[to-1].text != " " && is[to-1].paint == is[to].paint {
		to++
	}
	return from, to
}

// run appends columns with their paint.
func run(dst []byte, cells []patchCell, from, to int) []byte {
	blank := to
	for blank > from && cells[blank-1] == (patchCell{"", " "}) {
		blank--
	}
	wipe := to == len(cells) && to-blank > 3
	if wipe {
		to = blank
	}
	paint := ""
	for _, c := range cells[from:to] {
		if c.paint != paint {
			if paint != "" {
				dst = append(dst, "\x1b[m"...)
			}
			dst = append(dst, c.paint...)
			paint = c.paint
		}
		dst = append(dst, c.text...)
	}
	if paint != "" {
		dst = append(dst, "\x1b[m"...)
	}
	if wipe {
		dst = append(dst, "\x1b[K"...)
	}
	return dst
}

// cellsOf takes a painted line apart. It reports false where a column is not
// surely one character: then only the whole line is safe to write.
func cellsOf(line string) (cells []patchCell, ok bool) {
	cells = make([]patchCell, 0, len(line))
	paint := ""
	for len(line) > 0 {
		switch c := line[0]; {
		case strings.HasPrefix(line, csi):
			code, rest := cutCode(line)
			switch {
			case code[len(code)-1] != 'm':
				return nil, false
			case code == reset || code == "\x1b[m":
				paint = ""
			default:
				paint += code
			}
			line = rest
		case c < ' ' || c == 0x7f:
			return nil, false
		case c < utf8.RuneSelf:
			cells = append(cells, patchCell{paint, line[:1]})
			line = line[1:]
		default:
			r, n := utf8.DecodeRuneInString(line)
			if !oneColumn(r) {
				return nil, false
			}
			cells = append(cells, patchCell{paint, line[:n]})
			line = line[n:]
		}
	}
	return cells, true
}

// oneColumn reports that a character is one column wide whatever stands beside
// it: letters of Latin, Greek and Cyrillic, punctuation, arrows, boxes, braille.
func oneColumn(r rune) bool {
	switch {
	case r >= 0xa0 && r < 0x300:
		return r != 0xad
	case r >= 0x370 && r < 0x530:
		return r < 0x483 || r > 0x489
	case r >= 0x2010 && r < 0x2028, r >= 0x2030 && r < 0x205f:
		return true
	case r >= 0x2190 && r < 0x2900:
		return Width(string(r)) == 1
	}
	return false
}
