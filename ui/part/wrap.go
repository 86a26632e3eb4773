package part

import "strings"

// Wrap breaks clean text at blanks to lines of at most w cells.
func Wrap(text string, w int) []string {
	if w < 1 {
		return nil
	}
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		for Width(word) > w { // a word that is wider than the line
			if line != "" {
				out = append(out, line)
				line = ""
			}
			head := Cut(word, 0, w)
			if head == "" { // not even one letter fits
				word = ""
				break
			}
			out = append(out, head)
			word = strings.TrimPrefix(word, head)
		}
		switch {
		case word == "":
		case line == "":
			line = word
		case Width(line)+1+Width(word) > w:
			out = append(out, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(out, line)
}
