package main

const module = "github.com/adauldev/octaskly"

// arrow is what a package of ours may import of ours, and why no more.
type arrow struct {
	may []string
	why string
}

// arrows is the rule, one row a package: an import that is not here goes up or
// sideways. A package without a row, a row without a package and an allowance
// that nothing uses fail the test, which says what to write. Tests may also
// import what helps them; see helpers.
var arrows = map[string]arrow{
	".": {[]string{"ui/cli"}, "main only joins the process to the command line"},

	"scripts/names": {nil, "it reads the code as text"},

	"theme": {nil, "colours know nothing of what is coloured"},

	"exec": {[]string{"exec/internal/contain", "exec/internal/reap", "exec/internal/account"}, "running a command safely must be readable without the rest"},

	"exec/internal/account": {nil, "what a command may use, and used, is measured without knowing the command"},

	"queue/task": {nil, "the vocabulary lies below everything"},

	"queue/task/testlength": {nil, "every test may ask it"},

	"node/config": {[]string{"queue/task", "queue/task/text"}, "settings are read before anything else exists; a duration is written as a task's is"},

	"node/blob": {[]string{"quicnet/wire", "queue/task"}, "contents, and how they travel: it knows error kinds, no tasks"},

	"queue": {[]string{"queue/task", "queue/state", "queue/badgerdb", "queue/internal/bugs"}, "without network and screen the queue still compiles"},

	"queue/internal/bugs": {nil, "planted faults know nothing of where they are planted"},

	"queue/state": {[]string{"queue/task", "queue/internal/bugs"}, "the deterministic machine says what a store must do and knows none"},

	"queue/badgerdb": {[]string{"queue/task", "queue/state", "queue/internal/bugs"}, "it is the store that the state asks for, and knows bytes, not tasks"},

	"queue/sched": {[]string{"queue/task"}, "placement is pure"},

	"queue/raftq": {[]string{"queue", "queue/state", "queue/badgerdb", "queue/task"}, "raft replicates the queue's commands and nothing else"},

	"queue/queuetest": {[]string{"queue", "queue/state", "queue/task"}, "it tests logs"},

	"exec/exectest": {[]string{"exec"}, "it stands in for exec"},

	"node/control":          {[]string{"queue/task"}, "the questions a face may ask know neither store nor socket"},
	"node/control/document": {[]string{"node/control", "queue/task", "queue/task/text"}, "what is printed as JSON is printed in one place"},

	"quicnet/wire": {[]string{"queue/task"}, "messages know no sockets"},

	"quicnet/trust": {[]string{"queue/task"}, "keys and certificates know no sockets"},

	"quicnet/discover": {[]string{"queue/task"}, "finding yields addresses, never trust"},

	"quicnet": {[]string{"quicnet/wire", "quicnet/trust", "queue/task"}, "sockets carry messages and do not know what they mean"},

	"quicnet/quictest": {[]string{"quicnet", "quicnet/wire", "quicnet/trust", "queue/task"}, "it is a network for tests"},

	"node/seal": {[]string{"queue/task"}, "closing a secret needs only what it belongs to"},

	"node/local": {[]string{"quicnet/wire", "queue/task"}, "a local socket carries the same streams"},

	"node/worker": {[]string{"exec", "quicnet/wire", "queue/task", "node/seal", "node/tuning"}, "a worker sees messages, not sockets, and no queue"},

	"node/dispatch": {[]string{
		"queue", "queue/sched", "queue/task", "quicnet/wire", "node/control", "node/audit", "node/seal", "node/problem",
	}, "a dispatcher sees messages, not sockets, and runs nothing"},

	"node/remote": {[]string{"quicnet/wire", "node/control", "queue/task"}, "both ends of one conversation, and no more"},

	"node/tuning": {nil, "what belongs to the whole process has one owner"},

	"node/bench": {[]string{"node/control", "queue/task"}, "what is measured is what users meet"},

	"node/demo": {[]string{"node/control", "queue/task"}, "a simulated fleet opens no socket and runs no command"},

	"node/home": {[]string{"node/config", "node/local", "queue/task", "quicnet/trust"}, "a user's folders, before a node is there"},

	"node/peers": {[]string{
		"node/config", "node/control", "node/home", "queue/task", "quicnet", "quicnet/discover", "quicnet/trust", "quicnet/wire",
	}, "who is where, and nothing about what they do"},

	"node/member": {[]string{
		"node/control", "queue", "queue/task", "quicnet", "quicnet/discover", "quicnet/trust", "quicnet/wire",
	}, "the one place where somebody becomes a member"},

	"node/client": {[]string{
		"node/config", "node/control", "node/home", "node/local", "node/peers", "node/remote", "queue/task", "quicnet", "quicnet/trust", "quicnet/wire",
	}, "a program without a node reaches one"},

	"node/doctor": {[]string{
		"exec", "node/client", "node/config", "node/control", "node/home", "node/peers", "node/worker", "queue/task", "quicnet", "quicnet/discover", "quicnet/trust", "quicnet/wire",
	}, "it looks at a machine and changes nothing"},

	"node": {[]string{
		"exec",
		"node/access",
		"node/api",
		"node/audit",
		"node/blob",
		"node/client",
		"node/config",
		"node/control",
		"node/dispatch",
		"node/home",
		"node/local",
		"node/member",
		"node/peers",
		"node/problem",
		"node/remote",
		"node/seal",
		"node/tuning",
		"node/worker",
		"queue",
		"queue/raftq",
		"queue/task",
		"quicnet",
		"quicnet/discover",
		"quicnet/trust",
		"quicnet/wire",
	}, "the node puts the parts together, and no face is a part"},

	"node/nodetest": {[]string{
		"node", "node/config", "node/control", "node/dispatch", "queue/task", "quicnet/quictest", "quicnet/trust", "exec", "exec/exectest",
	}, "it starts whole nodes"},

	"ui/part": {[]string{"theme"}, "parts know no tasks"},

	"ui/screen": {[]string{"ui/part", "ui/screen/scene", "ui/screen/pane", "ui/screen/dialog", "theme", "node/control", "queue/task", "queue/task/text"}, "a screen asks a Control and nobody else"},

	"ui": {[]string{"ui/screen", "ui/screen/scene", "ui/part", "theme", "node/control", "node/tuning", "queue/task"}, "the dashboard is a client even inside one process"},

	"ui/cli": {[]string{
		"ui", "theme", "node", "node/bench", "node/client", "node/config", "node/control", "node/control/document", "node/demo", "node/doctor", "node/seal", "queue/task", "queue/task/text",
	}, "here the program is put together"},

	"queue/task/text": {[]string{"queue/task"}, "a task as people and programs write it is known to every face"},

	"node/access": {[]string{"queue/task"}, "deciding who may do what depends on nothing"},

	"node/api": {[]string{"node/control", "node/control/document", "node/access", "queue/task", "queue/task/text"}, "REST asks what the screen asks"},

	"node/problem": {[]string{"node/control"}, "problems are found by a pure function"},

	"ui/screen/scene": {[]string{"ui/part", "theme", "node/control", "queue/task", "queue/task/text"}, "it is what panes and dialogs share"},

	"ui/screen/pane": {[]string{"ui/part", "ui/screen/scene", "theme", "node/control", "queue/task"}, "a pane draws what it is given"},

	"ui/screen/dialog": {[]string{"ui/part", "ui/screen/scene", "theme", "node/control", "queue/task", "queue/task/text"}, "a dialog answers one question"},
}

// coming are packages that are being built while this stands here: each may be
// there or not, and ARCHITECTURE.md may name it or not. When it is finished its
// row moves up. Nothing else is excused.
var coming = map[string]arrow{
	"exec/internal/contain": {nil, "what a process may touch"},

	"exec/internal/reap": {nil, "what a command started is found and ended"},

	"node/audit": {[]string{"node/access"}, "evidence needs only who and what"},
}

// helpers may be imported by any test above or beside what they help with.
var helpers = []string{"queue/task/testlength", "queue/queuetest", "exec/exectest", "quicnet/quictest", "node/nodetest", "node/demo"}

// testsMay is what the tests of one package import beside its row and helpers.
var testsMay = map[string][]string{
	"node":        {"node/bench"},
	"node/remote": {"quicnet"},
}

// home is where a library may be used.
type home struct {
	library string   // the beginning of its import paths
	in      []string // packages, or folders ending in "/"
	why     string
}

// homes keeps each library where replacing it would stay a small change.
var homes = []home{
	{"github.com/dgraph-io/badger", []string{"queue/badgerdb", "queue/raftq"}, "the store is the queue's business"},
	{"github.com/hashicorp/raft", []string{"queue/raftq"}, "everything else proposes commands"},
	{"github.com/hashicorp/go-hclog", []string{"queue/raftq"}, "only raft speaks it"},
	{"github.com/quic-go/quic-go", []string{"quicnet", "quicnet/quictest"}, "everything else sees streams"},
	{"github.com/pion/", []string{"quicnet/discover"}, "everything else sees sightings"},
	{"github.com/vmihailenco/msgpack", []string{"quicnet/wire", "queue/state", "node/worker"}, "the wire and the records on disk"},
	{"golang.org/x/crypto", []string{"quicnet/trust"}, "cryptography is done in one place"},
	{"github.com/shirou/gopsutil", []string{"node/worker"}, "a worker measures its machine"},
	{"github.com/adrg/xdg", []string{"node/config"}, "paths are decided in one place"},
	{"github.com/pelletier/go-toml", []string{"node/config", "theme"}, "settings and themes are files people write"},
	{"github.com/spf13/", []string{"ui/cli"}, "flags are the command line's business"},
	{"github.com/coreos/go-systemd", []string{"node", "ui/cli"}, "a node tells its service manager"},
	{"github.com/dustin/go-humanize", []string{"queue/task/text", "ui/"}, "numbers are rounded for people only"},
	{"github.com/charmbracelet/bubbletea", []string{"ui", "ui/part", "ui/screen/"}, "only the dashboard is drawn with it"},
	{"github.com/charmbracelet/bubbles", []string{"ui", "ui/part", "ui/screen/"}, "only the dashboard is drawn with it"},
	{"github.com/charmbracelet/lipgloss", []string{"ui/", "theme"}, "styles come from the theme"},
	{"github.com/charmbracelet/x/", []string{"ui/", "theme"}, "terminals are a matter of faces"},
	{"github.com/elastic/go-seccomp-bpf", []string{"exec", "exec/internal/contain"}, "containment is built in one place"},
	{"github.com/cespare/xxhash", []string{"queue/state"}, "it guards records on disk"},
	{"github.com/klauspost/compress", []string{"queue/state", "queue/raftq"}, "it packs records on disk"},
	{"os/exec", []string{"exec/", "queue/queuetest", "node/nodetest"}, "only exec starts processes, always as osexec, and what kills ours in tests"},
}
