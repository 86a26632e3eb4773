package part

import "strings"

const (
	csi   = "\x1b["
	reset = "\x1b[0m"
)

// Squeeze takes out of a painted line the codes that change nothing: where one
// piece ends and the next begins in the same paint. Over a slow connection the
// codes are most of what travels.
func Squeeze(line string) string {
	if !strings.Contains(line, reset+csi) {
		return line
	}
	var b strings.Builder
	b.Grow(len(line))
	paint := "" // all codes since the last reset
	for {
		i := strings.Index(line, csi)
		if i < 0 {
			break
		}
		b.WriteString(line[:i])
		line = line[i:]
		code, rest := cutCode(line)
		if code != reset {
			b.WriteString(code)
			paint += code
			line = rest
			continue
		}
		next, after := cutCodes(rest)
		if next != "" && next == paint {
			line = after
			continue
		}
		b.WriteString(reset)
		paint, line = "", rest
	}
	b.WriteString(line)
	return b.String()
}

// cutCode splits off the escape sequence at the beginning of s.
func cutCode(s string) (code, rest string) {
	for i := len(csi); i < len(s); i++ {
		if s[i] >= 0x40 && s[i] <= 0x7e {
			return s[:i+1], s[i+1:]
		}
	}
	return s, ""
}

// cutCodes splits off all sequences at the beginning of s, up to a reset.
func cutCodes(s string) (codes, rest string) {
	rest = s
	for strings.HasPrefix(rest, csi) {
		code, r := cutCode(rest)
		if code == reset {
			break
		}
		rest = r
	}
	return s[:len(s)-len(rest)], rest
}
