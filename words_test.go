package main

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var shrink = flag.Bool("shrink", false, "take out of testdata/oldwords.txt what does not occur any more")

const oldWordsFile = "testdata/oldwords.txt"

// TestGlossaryIsSpoken finds declarations that are made of words which the
// glossary does not use. oldwords.txt lists what is left, as "folder word".
func TestGlossaryIsSpoken(t *testing.T) {
	text, err := os.ReadFile("docs/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(oldWordsFile)
	if err != nil {
		t.Fatal(err)
	}
	banned := bannedWords(string(text))
	if len(banned) < 20 {
		t.Fatalf("docs/glossary.md bans only %d words: its table is not what it was", len(banned))
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		known[strings.TrimSpace(line)] = true
	}
	found := map[string]bool{}
	for _, folder := range []string{"exec", "node", "queue", "quicnet", "theme", "ui"} {
		err := walkGo(folder, func(file string, source []byte) {
			if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/testdata/") {
				return
			}
			for name, position := range declaredIn(t, file, source) {
				for _, word := range wordsOf(name) {
					use := folder + " " + word
					if !banned[word].in(file) {
						continue
					}
					if found[use] = true; !known[use] {
						t.Errorf("%s declares %s; not %q but: %s (docs/glossary.md)", position, name, word, banned[word].say)
					}
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if *shrink {
		maps.DeleteFunc(known, func(use string, _ bool) bool { return !found[use] })
		left := strings.Join(slices.Sorted(maps.Keys(known)), "\n") + "\n"
		if err := os.WriteFile(oldWordsFile, []byte(strings.TrimLeft(left, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for use := range known {
		if !found[use] {
			t.Logf("%s lists %q, which does not occur any more: go test -run Glossary . -shrink", oldWordsFile, use)
		}
	}
}

// ban is where a word is not used, and what is said instead.
type ban struct {
	folders []string // empty for everywhere
	say     string
}

// in reports whether the ban counts in a file. The zero ban counts nowhere.
func (b ban) in(file string) bool {
	return b.say != "" && (len(b.folders) == 0 || slices.ContainsFunc(b.folders, func(folder string) bool { return strings.HasPrefix(file, folder+"/") }))
}

// bannedWords reads the glossary's last table.
func bannedWords(text string) map[string]ban {
	_, table, _ := strings.Cut(text, "\n## Words that are not used\n")
	quoted := regexp.MustCompile("`([^`]+)`")
	banned := map[string]ban{}
	for line := range strings.Lines(table) {
		columns := strings.Split(line, "|")
		if len(columns) != 5 {
			continue
		}
		var b ban
		for _, m := range quoted.FindAllStringSubmatch(columns[2], -1) {
			b.folders = append(b.folders, m[1])
		}
		b.say = strings.TrimSpace(columns[3])
		for _, m := range quoted.FindAllStringSubmatch(columns[1], -1) {
			banned[m[1]] = b
		}
	}
	return banned
}

// declaredIn is every name that a file declares, with its first place.
func declaredIn(t *testing.T, file string, source []byte) map[string]token.Position {
	t.Helper()
	positions := token.NewFileSet()
	tree, err := parser.ParseFile(positions, file, bytes.NewReader(source), parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]token.Position{}
	declare := func(idents ...*ast.Ident) {
		for _, ident := range idents {
			if _, seen := names[ident.Name]; !seen {
				names[ident.Name] = positions.Position(ident.Pos())
			}
		}
	}
	ast.Inspect(tree, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncDecl:
			declare(node.Name)
		case *ast.TypeSpec:
			declare(node.Name)
		case *ast.ValueSpec:
			declare(node.Names...)
		case *ast.Field:
			declare(node.Names...)
		case *ast.AssignStmt:
			for _, e := range node.Lhs {
				if ident, ok := e.(*ast.Ident); ok && node.Tok == token.DEFINE {
					declare(ident)
				}
			}
		}
		return true
	})
	return names
}

// wordsOf cuts a name at its capitals and makes them small.
func wordsOf(name string) []string {
	var all []string
	runes, start := []rune(name), 0
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || runes[i] == '_' || unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) {
			all = append(all, strings.ToLower(strings.Trim(string(runes[start:i]), "_")))
			start = i
		}
	}
	return all
}
