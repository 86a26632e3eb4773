// Command names measures the house: how its names, files and functions are, per
// folder and in all.
//
//	go run ./scripts/names [-worst N] [FOLDER]
//
// It reads Go files that are not tests (and, for one column, those that are) as
// text, for every system at once. What is counted:
//
//   - one-letter locals: each place inside a function that declares a name, as a
//     parameter, a named result, by := or var, or in a range, of which the name has
//     one letter. Receivers and _ do not count.
//   - one-word functions: functions and methods whose name is one word, so
//     without a capital inside ("Run", "id"; "HTTP" is one word, "newRun" two).
//   - one-word fields: fields of structs, the same.
//   - code: lines that are neither empty nor only comment. Comment lines are
//     those that hold a comment and no code.
//   - lines: all lines of files that are not tests.
//   - god types: types of structs by methods / fields / files with a method.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

func main() {
	worst := flag.Int("worst", 8, "how many of the longest and largest to print")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	packages, err := measure(root)
	if err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	printTable(out, packages)
	printWorst(out, packages, *worst)
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "names:", err)
		os.Exit(1)
	}
}

// share counts some of many.
type share struct{ some, all int }

func (s *share) count(yes bool) {
	s.all++
	if yes {
		s.some++
	}
}

func (s *share) add(other share) { s.some += other.some; s.all += other.all }

// percent is the share as people read it, "–" of nothing.
func (s *share) percent() string {
	if s.all == 0 {
		return "–"
	}
	return fmt.Sprintf("%d %%", (100*s.some+s.all/2)/s.all)
}

// sized is something with a name and a size.
type sized struct {
	name string
	size int
}

// structType is what a type of a package has.
type structType struct {
	methods, fields int
	files           map[string]bool
}

// figures are what is measured of a package, or of all.
type figures struct {
	folder                         string
	files, lines, code, comments   int
	testLines                      int // code lines of tests
	oneLetterLocals                share
	letters                        int // of all locals together
	oneWordFunctions, oneWordField share
	fileSizes, functionSizes       []sized
	types                          map[string]*structType
}

// measure reads every package below a folder, in the order of their names.
func measure(root string) ([]*figures, error) {
	found := map[string]*figures{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (name == "testdata" || name == "scripts" || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		if found[folder] == nil {
			found[folder] = &figures{folder: folder, types: map[string]*structType{}}
		}
		return found[folder].read(path)
	})
	packages := make([]*figures, 0, len(found))
	for _, f := range found {
		packages = append(packages, f)
	}
	slices.SortFunc(packages, func(a, b *figures) int { return cmp.Compare(a.folder, b.folder) })
	return packages, err
}

// read adds one file.
func (f *figures) read(path string) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	code, comments := countLines(source)
	if strings.HasSuffix(path, "_test.go") {
		f.testLines += code
		return nil
	}
	positions := token.NewFileSet()
	file, err := parser.ParseFile(positions, path, source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := bytes.Count(source, []byte("\n"))
	f.files++
	f.lines += lines
	f.code += code
	f.comments += comments
	f.fileSizes = append(f.fileSizes, sized{filepath.ToSlash(path), lines})
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			f.function(decl, path, positions)
		case *ast.GenDecl:
			f.fieldsOf(decl)
		}
	}
	return nil
}

// countLines counts the lines with code and those with nothing but comment.
func countLines(source []byte) (code, comments int) {
	positions := token.NewFileSet()
	file := positions.AddFile("", -1, len(source))
	var lexer scanner.Scanner
	lexer.Init(file, source, func(token.Position, string) {}, scanner.ScanComments)
	hasCode, hasComment := map[int]bool{}, map[int]bool{}
	for {
		at, kind, text := lexer.Scan()
		if kind == token.EOF {
			break
		}
		if kind == token.SEMICOLON && text == "\n" {
			continue
		}
		kinds := hasCode
		if kind == token.COMMENT {
			kinds = hasComment
		}
		first := file.Line(at)
		for n := range strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 {
			kinds[first+n] = true
		}
	}
	for line := range hasComment {
		if !hasCode[line] {
			comments++
		}
	}
	return len(hasCode), comments
}

func (f *figures) function(decl *ast.FuncDecl, path string, positions *token.FileSet) {
	f.oneWordFunctions.count(words(decl.Name.Name) == 1)
	name := decl.Name.Name
	if decl.Recv != nil && len(decl.Recv.List) == 1 {
		receiver := typeName(decl.Recv.List[0].Type)
		known := f.typeOf(receiver)
		known.methods++
		known.files[path] = true
		name = receiver + "." + name
	}
	size := positions.Position(decl.End()).Line - positions.Position(decl.Pos()).Line + 1
	f.functionSizes = append(f.functionSizes, sized{f.folder + " " + name, size})
	f.fieldList(decl.Type.Params)
	f.fieldList(decl.Type.Results)
	if decl.Body == nil {
		return
	}
	ast.Inspect(decl.Body, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.FuncLit:
			f.fieldList(node.Type.Params)
			f.fieldList(node.Type.Results)
		case *ast.AssignStmt:
			if node.Tok == token.DEFINE {
				f.locals(node.Lhs...)
			}
		case *ast.RangeStmt:
			if node.Tok == token.DEFINE {
				f.locals(node.Key, node.Value)
			}
		case *ast.ValueSpec:
			for _, ident := range node.Names {
				f.locals(ident)
			}
		}
		return true
	})
}

func (f *figures) fieldList(list *ast.FieldList) {
	if list == nil {
		return
	}
	for _, field := range list.List {
		for _, ident := range field.Names {
			f.locals(ident)
		}
	}
}

// locals counts names that are declared.
func (f *figures) locals(declared ...ast.Expr) {
	for _, e := range declared {
		if ident, ok := e.(*ast.Ident); ok && ident.Name != "_" {
			length := utf8.RuneCountInString(ident.Name)
			f.oneLetterLocals.count(length == 1)
			f.letters += length
		}
	}
}

func (f *figures) fieldsOf(decl *ast.GenDecl) {
	ast.Inspect(decl, func(node ast.Node) bool {
		if _, inFunction := node.(*ast.FuncLit); inFunction {
			return false
		}
		if spec, ok := node.(*ast.TypeSpec); ok {
			if fields, ok := spec.Type.(*ast.StructType); ok {
				f.typeOf(spec.Name.Name).fields += fields.Fields.NumFields()
			}
		}
		if fields, ok := node.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, ident := range field.Names {
					f.oneWordField.count(words(ident.Name) == 1)
				}
			}
		}
		return true
	})
}

func (f *figures) typeOf(name string) *structType {
	if f.types[name] == nil {
		f.types[name] = &structType{files: map[string]bool{}}
	}
	return f.types[name]
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

// words is of how many words a name is made: "id" 1, "taskID" 2, "HTTPServer" 2.
func words(name string) int {
	count, runes := 0, []rune(name)
	for i, r := range runes {
		switch {
		case r == '_':
		case i == 0 || runes[i-1] == '_':
			count++
		case unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			count++
		}
	}
	return max(count, 1)
}

// largest is the greatest of some sizes.
func largest(all []sized) sized {
	if len(all) == 0 {
		return sized{}
	}
	return slices.MaxFunc(all, func(a, b sized) int { return cmp.Compare(a.size, b.size) })
}

// sum adds packages together.
func sum(packages []*figures) *figures {
	total := &figures{folder: "all"}
	for _, f := range packages {
		total.files += f.files
		total.lines += f.lines
		total.code += f.code
		total.comments += f.comments
		total.testLines += f.testLines
		total.letters += f.letters
		total.oneLetterLocals.add(f.oneLetterLocals)
		total.oneWordFunctions.add(f.oneWordFunctions)
		total.oneWordField.add(f.oneWordField)
		total.fileSizes = append(total.fileSizes, f.fileSizes...)
		total.functionSizes = append(total.functionSizes, f.functionSizes...)
	}
	return total
}

func printTable(out io.Writer, packages []*figures) {
	fmt.Fprintf(out, "%-22s %6s %6s %8s %6s %8s %8s %9s %7s %7s %9s\n",
		"package", "lines", "code", "comment", "tests", "letters", "1-letter", "1-word", "1-word", "longest", "longest")
	fmt.Fprintf(out, "%-22s %6s %6s %8s %6s %8s %8s %9s %7s %7s %9s\n",
		"", "", "", "/ code", "/ code", "a local", "locals", "functions", "fields", "file", "function")
	for _, f := range append(packages, sum(packages)) {
		if f.files == 0 {
			continue
		}
		code, locals := float64(max(f.code, 1)), float64(max(f.oneLetterLocals.all, 1))
		fmt.Fprintf(out, "%-22s %6d %6d %8.2f %6.2f %8.1f %8s %9s %7s %7d %9d\n", f.folder, f.lines, f.code,
			float64(f.comments)/code, float64(f.testLines)/code, float64(f.letters)/locals, f.oneLetterLocals.percent(),
			f.oneWordFunctions.percent(), f.oneWordField.percent(), largest(f.fileSizes).size, largest(f.functionSizes).size)
	}
}

func printWorst(out io.Writer, packages []*figures, count int) {
	total := sum(packages)
	bySize := func(a, b sized) int { return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.name, b.name)) }
	for _, list := range []struct {
		title string
		all   []sized
	}{{"longest files", total.fileSizes}, {"longest functions", total.functionSizes}} {
		slices.SortFunc(list.all, bySize)
		fmt.Fprintf(out, "\n%s\n", list.title)
		for _, s := range list.all[:min(count, len(list.all))] {
			fmt.Fprintf(out, "%6d  %s\n", s.size, s.name)
		}
	}
	var types []sized
	described := map[string]string{}
	for _, f := range packages {
		for name, known := range f.types {
			full := f.folder + "." + name
			types = append(types, sized{full, known.methods})
			described[full] = fmt.Sprintf("%d methods / %d fields / %d files", known.methods, known.fields, len(known.files))
		}
	}
	slices.SortFunc(types, bySize)
	fmt.Fprintf(out, "\ntypes with the most methods\n")
	for _, s := range types[:min(count, len(types))] {
		fmt.Fprintf(out, "%-30s %s\n", s.name, described[s.name])
	}
}
