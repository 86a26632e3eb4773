package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/adauldev/octaskly"

// arrow is what a package of ours may import of ours, and why no more.
type arrow struct {
	may []string
	why string
}

// arrows is the rule: a package that is not here does not exist yet, and an
// import that is not here goes up or sideways. Tests may also import what
// helps them; see helpers.
var arrows = map[string]arrow{
	".": {[]string{"ui/cli", "exec"}, "main only joins the process to the command line"},

	"theme":       {nil, "colours know nothing of what is coloured"},
	"exec":        {nil, "running a command safely must be readable without the rest"},
	"queue/task":  {nil, "the vocabulary lies below everything"},
	"node/config": {[]string{"queue/task"}, "settings are read before anything else exists; a duration is written as a task's is"},
	"node/access": {nil, "deciding who may do what depends on nothing"},
	"node/blob":   {[]string{"quicnet/wire", "queue/task"}, "contents, and how they travel: it knows error kinds, no tasks"},

	"queue":            {[]string{"queue/task"}, "without network and screen the queue still compiles"},
	"queue/sched":      {[]string{"queue/task"}, "placement is pure"},
	"queue/raftq":      {[]string{"queue", "queue/task"}, "raft replicates the queue's commands and nothing else"},
	"queue/queuetest":  {[]string{"queue", "queue/task"}, "it tests logs"},
	"exec/exectest":    {[]string{"exec"}, "it stands in for exec"},
	"node/control":     {[]string{"queue/task"}, "the questions a face may ask know neither store nor socket"},
	"quicnet/wire":     {[]string{"queue/task"}, "messages know no sockets"},
	"quicnet/trust":    {[]string{"queue/task"}, "keys and certificates know no sockets"},
	"quicnet/discover": {[]string{"queue/task"}, "finding yields addresses, never trust"},
	"quicnet":          {[]string{"quicnet/wire", "quicnet/trust", "queue/task"}, "sockets carry messages and do not know what they mean"},
	"quicnet/quictest": {[]string{"quicnet", "quicnet/wire", "quicnet/trust", "queue/task"}, "it is a network for tests"},

	"node/seal":     {[]string{"queue/task"}, "closing a secret needs only what it belongs to"},
	"node/audit":    {[]string{"node/access"}, "evidence needs only who and what"},
	"node/local":    {[]string{"quicnet/wire", "queue/task"}, "a local socket carries the same streams"},
	"node/worker":   {[]string{"exec", "quicnet/wire", "queue/task", "node/blob", "node/seal"}, "a worker sees messages, not sockets, and no queue"},
	"node/dispatch": {[]string{"queue", "queue/sched", "queue/task", "quicnet/wire", "node/control", "node/access", "node/audit", "node/blob", "node/seal"}, "a dispatcher sees messages, not sockets, and runs nothing"},
	"node/remote":   {[]string{"quicnet/wire", "node/control", "node/blob", "queue/task"}, "both ends of one conversation, and no more"},
	"node/api":      {[]string{"node/control", "node/access", "node/audit", "queue/task"}, "REST asks what the screen asks"},
	"node/bench":    {[]string{"node/control", "queue/task"}, "what is measured is what users meet"},
	"node/demo":     {[]string{"node/control", "queue/task", "queue/sched"}, "a simulated fleet opens no socket and runs no command"},
	"node": {[]string{
		"node/access", "node/api", "node/audit", "node/bench", "node/blob", "node/config", "node/control", "node/demo", "node/dispatch", "node/local",
		"node/remote", "node/seal", "node/worker", "quicnet", "quicnet/wire", "quicnet/trust", "quicnet/discover", "queue", "queue/raftq", "queue/sched", "queue/task", "exec",
	}, "the node puts the parts together, and no face is a part"},
	"node/nodetest": {[]string{"node", "node/config", "node/control", "node/dispatch", "queue/task", "quicnet/quictest", "quicnet", "quicnet/wire", "quicnet/trust", "exec", "exec/exectest"}, "it starts whole nodes"},

	"ui/part":   {[]string{"theme"}, "parts know no tasks"},
	"ui/screen": {[]string{"ui/part", "theme", "node/control", "queue/task"}, "a screen asks a Control and nobody else"},
	"ui":        {[]string{"ui/screen", "ui/part", "theme", "node/control", "queue/task"}, "the dashboard is a client even inside one process"},
	"ui/uitest": {[]string{"ui", "ui/screen", "ui/part", "node/control", "node/demo", "queue/task", "theme"}, "it drives screens"},
	"ui/cli":    {[]string{"ui", "theme", "node", "node/bench", "node/config", "node/control", "node/demo", "node/seal", "queue/task"}, "here the program is put together"},
}

// helpers may be imported by any test above or beside what they help with.
var helpers = []string{"queue/queuetest", "exec/exectest", "quicnet/quictest", "ui/uitest", "node/nodetest", "node/demo"}

// home is where a library may be used.
type home struct {
	library string   // the beginning of its import paths
	in      []string // packages, or folders ending in "/"
	why     string
}

// homes keeps each library where replacing it would stay a small change.
var homes = []home{
	{"github.com/dgraph-io/badger", []string{"queue", "queue/raftq"}, "the store is the queue's business"},
	{"github.com/hashicorp/raft", []string{"queue/raftq"}, "everything else proposes commands"},
	{"github.com/hashicorp/go-hclog", []string{"queue/raftq"}, "only raft speaks it"},
	{"github.com/quic-go/quic-go", []string{"quicnet", "quicnet/quictest"}, "everything else sees streams"},
	{"github.com/pion/", []string{"quicnet/discover"}, "everything else sees sightings"},
	{"github.com/vmihailenco/msgpack", []string{"quicnet/wire", "queue", "node/worker"}, "the wire and the records on disk"},
	{"golang.org/x/crypto", []string{"quicnet/trust"}, "cryptography is done in one place"},
	{"github.com/golang-jwt/", []string{"node/access"}, "tokens are judged in one place"},
	{"github.com/danielgtaylor/huma", []string{"node/api"}, "REST is one face"},
	{"github.com/prometheus/", []string{"node/api"}, "metrics are part of REST"},
	{"github.com/shirou/gopsutil", []string{"node/worker"}, "a worker measures its machine"},
	{"github.com/adrg/xdg", []string{"node/config"}, "paths are decided in one place"},
	{"github.com/pelletier/go-toml", []string{"node/config", "theme"}, "settings and themes are files people write"},
	{"github.com/spf13/", []string{"ui/cli"}, "flags are the command line's business"},
	{"github.com/coreos/go-systemd", []string{"node", "ui/cli"}, "a node tells its service manager"},
	{"github.com/dustin/go-humanize", []string{"ui/"}, "numbers are rounded for people only"},
	{"github.com/charmbracelet/bubbletea", []string{"ui", "ui/part", "ui/screen", "ui/uitest"}, "only the dashboard is drawn with it"},
	{"github.com/charmbracelet/bubbles", []string{"ui", "ui/part", "ui/screen"}, "only the dashboard is drawn with it"},
	{"github.com/charmbracelet/lipgloss", []string{"ui/", "theme"}, "styles come from the theme"},
	{"github.com/charmbracelet/x/", []string{"ui/", "theme"}, "terminals are a matter of faces"},
	{"github.com/elastic/go-seccomp-bpf", []string{"exec"}, "containment is built in one place"},
	{"github.com/cespare/xxhash", []string{"queue"}, "it guards records on disk"},
	{"github.com/klauspost/compress", []string{"queue", "queue/raftq"}, "it packs records on disk"},
	{"os/exec", []string{"exec", "queue/queuetest", "node/nodetest"}, "only exec starts processes, always as osexec, and what kills ours in tests"},
}

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

func TestArrows(t *testing.T) {
	for _, system := range []string{"linux", "windows"} {
		for _, p := range listPackages(t, system) {
			name := ours(p.ImportPath)
			rule, known := arrows[name]
			if !known {
				t.Errorf("%s is not in the table: say what it may import, and why", name)
				continue
			}
			for _, i := range p.Imports {
				if o := ours(i); o != "" && !slices.Contains(rule.may, o) {
					t.Errorf("%s imports %s, which it may not: %s", name, o, rule.why)
				}
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
}

// helped reports whether a test of a package may import what its helpers need.
func helped(name, o string) bool {
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
	for _, n := range arrows[name].may {
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
