package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestArrows(t *testing.T) {
	used := map[string]bool{} // "package imported" of what is imported somewhere
	for _, system := range []string{"linux", "windows", "darwin"} {
		for _, p := range listPackages(t, system) {
			name := ours(p.ImportPath)
			used[name] = true
			rule, known := ruleOf(name)
			if !known {
				t.Errorf("%s has no row in arrows (arrows_test.go): say what it may import, and why", name)
				continue
			}
			for _, i := range p.Imports {
				o := ours(i)
				if o != "" && !slices.Contains(rule.may, o) {
					t.Errorf("%s imports %s, which it may not: %s", name, o, rule.why)
				}
				used[name+" "+o] = true
				used[libraryOf(i)] = true
			}
			for _, i := range slices.Concat(p.TestImports, p.XTestImports) {
				o := ours(i)
				if o != "" && o != name && !slices.Contains(rule.may, o) && !slices.Contains(helpers, o) && !helped(name, o) && !below(name, o) {
					t.Errorf("the tests of %s import %s, which they may not: %s", name, o, rule.why)
				}
			}
			checkHomes(t, name, p.Imports)
		}
	}
	checkUsed(t, used)
}

// ruleOf is a package's row.
func ruleOf(name string) (arrow, bool) {
	rule, known := arrows[name]
	if !known {
		rule, known = coming[name]
	}
	return rule, known
}

// checkUsed finds what the tables allow and nobody needs.
func checkUsed(t *testing.T, used map[string]bool) {
	t.Helper()
	for name, rule := range arrows {
		if !used[name] {
			t.Errorf("arrows has a row for %s, and there is no such package", name)
			continue
		}
		for _, o := range rule.may {
			if _, building := coming[o]; !building && !used[name+" "+o] {
				t.Errorf("arrows allows %s to import %s, which it does not do: take it out", name, o)
			}
		}
	}
	for _, h := range homes {
		if !used[h.library] {
			t.Errorf("homes has a row for %s, and nobody imports it: take it out", h.library)
		}
	}
}

// libraryOf is the library in homes to which an import path belongs, or empty.
func libraryOf(importPath string) string {
	for _, h := range homes {
		if strings.HasPrefix(importPath, h.library) {
			return h.library
		}
	}
	return ""
}

// helped reports whether a test of a package may import what its helpers need.
func helped(name, o string) bool {
	if slices.Contains(testsMay[name], o) {
		return true
	}
	for _, h := range helpers {
		if slices.Contains(arrows[name].may, o) || strings.HasPrefix(h, path.Dir(name)) && slices.Contains(arrows[h].may, o) {
			return true
		}
	}
	return false
}

// below reports whether o can be reached from name along the arrows: a test
// may look at anything its package stands on.
func below(name, o string) bool {
	rule, _ := ruleOf(name)
	for _, n := range rule.may {
		if n == o || below(n, o) {
			return true
		}
	}
	return false
}

func checkHomes(t *testing.T, name string, imports []string) {
	t.Helper()
	for _, h := range homes {
		lives := slices.ContainsFunc(h.in, func(p string) bool {
			return p == name || strings.HasSuffix(p, "/") && strings.HasPrefix(name+"/", p)
		})
		for _, i := range imports {
			if !lives && (i == h.library || strings.HasPrefix(i, h.library)) {
				t.Errorf("%s imports %s, whose home is %s: %s", name, i, strings.Join(h.in, ", "), h.why)
			}
		}
	}
}

// TestArchitectureNamesEveryPackage keeps the tree in ARCHITECTURE.md true: a
// row for each package, and none for what is not there.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tree, _ := strings.Cut(string(text), "\n## The tree\n")
	tree, _, _ = strings.Cut(tree, "\n## ")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/.]+)` \\|").FindAllStringSubmatch(tree, -1) {
		if named[m[1]] {
			t.Errorf("ARCHITECTURE.md, the tree: %s has two rows", m[1])
		}
		named[m[1]] = true
	}
	there := map[string]bool{}
	for _, system := range []string{"linux", "windows", "darwin"} {
		for _, p := range listPackages(t, system) {
			there[strings.Replace(ours(p.ImportPath), ".", "main.go", 1)] = true
		}
	}
	for name := range there {
		if _, building := coming[name]; !building && !named[name] {
			t.Errorf("ARCHITECTURE.md, the tree: no row for %s", name)
		}
	}
	for name := range named {
		if _, building := coming[name]; !building && !there[name] {
			t.Errorf("ARCHITECTURE.md, the tree: a row for %s, and there is no such package", name)
		}
	}
}

// TestOnlyMainExits keeps os.Exit in main.go, where nothing is left to close.
func TestOnlyMainExits(t *testing.T) {
	for _, folder := range []string{"ui", "node", "quicnet", "queue", "exec", "theme"} {
		err := walkGo(folder, func(file string, text []byte) {
			if !strings.HasSuffix(file, "_test.go") && bytes.Contains(text, []byte("os.Exit(")) && !exitsByDesign[file] {
				t.Errorf("%s calls os.Exit: return an error, so that what is open is closed", file)
			}
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// exitsByDesign are files of processes that are not the program: a child that
// sets itself up before it becomes a command.
var exitsByDesign = map[string]bool{"exec/cageinit_linux.go": true}

// ours is a package's path inside the module, or empty for a foreign one.
func ours(importPath string) string {
	if importPath == module {
		return "."
	}
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return rest
}

func listPackages(t *testing.T, system string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func walkGo(dir string, each func(file string, text []byte)) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case e.IsDir():
			if err := walkGo(name, each); err != nil {
				return err
			}
		case strings.HasSuffix(name, ".go"):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			each(name, text)
		}
	}
	return nil
}
