package text

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/adauldev/octaskly/queue/task"
)

// SplitWords splits a line into words at any of the separators. Quoted parts of
// a word are kept together: '…' as it stands, "…" with the escapes of Go (\n,
// \", \\, \u0041). A backslash outside of quotes is a backslash.
func SplitWords(line, separators string) ([]string, error) {
	var out []string
	var word strings.Builder
	begun := false
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case strings.IndexByte(separators, c) >= 0:
			if begun {
				out = append(out, word.String())
				word.Reset()
				begun = false
			}
			i++
		case c == '\'' || c == '"':
			part, n, err := quoted(line[i:])
			if err != nil {
				return nil, err
			}
			word.WriteString(part)
			begun = true
			i += n
		default:
			word.WriteByte(c)
			begun = true
			i++
		}
	}
	if begun {
		out = append(out, word.String())
	}
	return out, nil
}

// quoted reads the quoted part that s begins with, and its length in s.
func quoted(s string) (part string, n int, err error) {
	for i := 1; i < len(s); i++ {
		switch {
		case s[0] == '"' && s[i] == '\\':
			i++
		case s[i] == s[0] && s[0] == '\'':
			return s[1:i], i + 1, nil
		case s[i] == s[0]:
			part, err := strconv.Unquote(s[:i+1])
			if err != nil {
				return "", 0, task.Errorf(task.KindUsage, `%s has an escape that is not known`, s[:i+1]).
					WithHint(`in "…" write a backslash as \\, or use '…'`)
			}
			return part, i + 1, nil
		}
	}
	return "", 0, task.Errorf(task.KindUsage, "a quotation mark is not closed: %s", cut(s))
}

// JoinWords writes words as SplitWords reads them back, with a separator between.
func JoinWords(words []string, separator string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quoteWord(w, separator)
	}
	return strings.Join(out, separator)
}

func quoteWord(w, separator string) string {
	special := func(r rune) bool {
		return r == ' ' || r == ',' || r == '\'' || r == '"' || strings.ContainsRune(separator, r)
	}
	switch {
	case strings.ContainsFunc(w, func(r rune) bool { return r == '\'' || r == unicode.ReplacementChar || !unicode.IsPrint(r) }):
		return strconv.Quote(w)
	case w == "" || strings.ContainsFunc(w, special):
		return "'" + w + "'"
	}
	return w
}

// SplitAssignments reads variables or labels from one line: A=1 B='x y'. With
// commas set they may be separated by commas too. What stands twice counts as it
// stands last; an empty line is nil.
func SplitAssignments(line string, commas bool) (map[string]string, error) {
	separators := " \t"
	if commas {
		separators += ","
	}
	words, err := SplitWords(line, separators)
	if err != nil {
		return nil, err
	}
	var out map[string]string
	for _, w := range words {
		k, v, err := ParseAssignment(w)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = make(map[string]string, len(words))
		}
		out[k] = v
	}
	return out, nil
}

// JoinAssignments writes variables or labels on one line, sorted, as
// SplitAssignments reads them back.
func JoinAssignments(m map[string]string) string {
	out := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		value := ""
		if m[k] != "" {
			value = quoteWord(m[k], " ")
		}
		out = append(out, k+"="+value)
	}
	return strings.Join(out, " ")
}

// ParseAssignment reads K=V. The value may be empty and may hold further equal
// signs.
func ParseAssignment(t string) (key, value string, err error) {
	key, value, ok := strings.Cut(t, "=")
	if !ok || key == "" {
		return "", "", task.Errorf(task.KindUsage, "%q is not of the form K=V", cut(t))
	}
	return key, value, nil
}

// ReadAssignments reads variables from a file, one K=V a line, into env. Empty
// lines and lines that begin with # are left out; blanks around the line and
// after the key are not part of it. The error names the line.
func ReadAssignments(data []byte, env map[string]string) error {
	if len(data) > maxAssignments {
		return task.Errorf(task.KindTooLarge, "it has %s, at most %s are read", Bytes(int64(len(data))), Bytes(maxAssignments))
	}
	n := 0
	for line := range strings.SplitSeq(string(data), "\n") {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k, v, err := ParseAssignment(line)
		if err != nil {
			return task.Errorf(task.KindUsage, "line %d: %w", n, err)
		}
		k = strings.TrimSpace(k)
		if err := task.CheckVariable(k); err != nil {
			return task.Errorf(task.KindUsage, "line %d: %w", n, err).WithHint("%s", task.HintOf(err))
		}
		if len(k)+len(v) > task.MaxEnvBytes {
			return task.Errorf(task.KindTooLarge, "line %d: %s has %s, at most %s can be given", n, cut(k), Bytes(int64(len(v))), Bytes(task.MaxEnvBytes))
		}
		env[k] = v
	}
	return nil
}

// maxAssignments is the largest file of variables that is read: comments and
// blanks may make it larger than what a task may have.
const maxAssignments = 8 * task.MaxEnvBytes
