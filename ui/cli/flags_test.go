package cli

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/seal"
	"github.com/adauldev/octaskly/queue/task"
)

// recorder is a cluster that writes down what it is asked, and knows two tasks
// and two nodes.
type recorder struct {
	control.Control
	seal []byte

	mu  sync.Mutex
	all strings.Builder
}

func (r *recorder) note(ctx context.Context, call string, v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := time.Duration(0)
	if until, ok := ctx.Deadline(); ok {
		left = time.Until(until).Round(10 * time.Second)
	}
	fmt.Fprintf(&r.all, "%s within %v: %+v\n", call, left, v)
}

func (r *recorder) Submit(ctx context.Context, q control.SubmitRequest) (reply control.SubmitReply, _ error) {
	for i := range q.Tasks {
		if strings.HasPrefix(q.Tasks[i].Key, task.AutoKey) {
			q.Tasks[i].Key = "ours"
		}
		reply.Results = append(reply.Results, control.Submitted{ID: task.ID(i + 1)})
	}
	r.note(ctx, "submit", q)
	return reply, nil
}

func (r *recorder) Get(ctx context.Context, id task.ID) (task.Task, error) {
	r.note(ctx, "get", id)
	return r.tasks()[id-1], nil
}

func (r *recorder) tasks() []task.Task {
	node := task.Attempt{Node: "mill", Started: 1000, Ended: 3000, Exit: task.Exit{Reason: task.ReasonExit}}
	first, second := node, node
	first.Fence.Attempt, second.Fence.Attempt = 1, 2
	return []task.Task{
		{ID: 1, State: task.Done, Spec: task.Spec{Shell: "b"}, Attempts: []task.Attempt{first, second}},
		{ID: 2, State: task.Failed, Spec: task.Spec{Shell: "a"}, Attempts: []task.Attempt{first}},
	}
}

func (r *recorder) List(ctx context.Context, q control.Query) (control.Page, error) {
	if q.Since != 0 {
		q.Since = 1 // depends on the time
	}
	r.note(ctx, "list", q)
	all := r.tasks()
	return control.Page{Tasks: all[:min(q.Limit, len(all))], Total: 2}, nil
}

func (r *recorder) Cancel(ctx context.Context, q control.CancelRequest) ([]control.CancelReply, error) {
	if q.Filter != nil && q.Filter.Since != 0 {
		q.Filter.Since = 1
	}
	r.note(ctx, "cancel", fmt.Sprintf("%+v %+v", q, q.Filter))
	return []control.CancelReply{{ID: 1, State: task.Cancelled}, {ID: 2, State: task.Cancelled}}, nil
}

func (r *recorder) Follow(ctx context.Context, q control.FollowRequest) (control.Follower, error) {
	r.note(ctx, "follow", q)
	t := r.tasks()[q.ID-1]
	f := newFeed(io.EOF)
	if q.Output {
		for stream, text := range []string{1: "out\n", 2: "err\n"} {
			f.items <- control.FollowItem{Chunks: []control.Chunk{{Attempt: 2, Stream: uint8(stream), Data: []byte(text), Time: 1000}}}
		}
	}
	f.items <- control.FollowItem{Task: &t}
	return f.end(), nil
}

func (r *recorder) Nodes(context.Context) ([]control.Node, error) {
	return []control.Node{
		{ID: "millmillmill", Name: "mill", State: control.NodeUp, Self: true, RTT: time.Millisecond, Capacity: task.Capacity{Slots: 4}},
		{ID: "strangerstranger", Name: "stranger", State: control.NodeForeign},
	}, nil
}

func (r *recorder) node(ctx context.Context, call string, v any) (control.Node, error) {
	r.note(ctx, call, v)
	return control.Node{ID: "millmillmill", Name: "mill", State: control.NodeDrained}, nil
}

func (r *recorder) Drain(ctx context.Context, n string) (control.Node, error) {
	return r.node(ctx, "drain", n)
}

func (r *recorder) Undrain(ctx context.Context, n string) (control.Node, error) {
	return r.node(ctx, "undrain", n)
}

func (r *recorder) Remove(ctx context.Context, n string) (control.Node, error) {
	return r.node(ctx, "remove", n)
}

func (r *recorder) Admit(ctx context.Context, code, name string) (control.Node, error) {
	return r.node(ctx, "admit", code+name)
}

func (r *recorder) Invite(ctx context.Context, q control.InviteRequest) (control.Invite, error) {
	r.note(ctx, "invite", q)
	return control.Invite{Code: "K7QM-3XPA", Uses: 1, Expires: time.Now().Add(time.Hour).UnixMilli()}, nil
}

func (r *recorder) CreateToken(ctx context.Context, q control.TokenRequest) (control.Token, error) {
	r.note(ctx, "create_token", q)
	return control.Token{Token: "a.b.c", Name: q.Name, Role: q.Role}, nil
}

func (r *recorder) Promote(ctx context.Context, q control.PromoteRequest) (control.Status, error) {
	r.note(ctx, "promote", q)
	return r.Status(ctx)
}

func (r *recorder) Status(context.Context) (control.Status, error) {
	return control.Status{Dispatcher: "mill", Slots: 4, Seal: r.seal}, nil
}

func (r *recorder) Identity(context.Context) (control.Identity, error) {
	return control.Identity{Name: "mill", ID: "millmillmill", Fingerprint: "f", Version: "v"}, nil
}

func (r *recorder) Why(context.Context, task.ID) (control.Why, error) {
	return control.Why{ID: 1, State: task.Done, Told: []string{"it ended"}}, nil
}

func (r *recorder) Events(ctx context.Context, q control.EventsRequest) (control.EventStream, error) {
	if q.Since != 0 {
		q.Since = 1
	}
	r.note(ctx, "events", q)
	return &pastEvents{events: []control.Event{
		{Kind: control.EventTask, Position: 1, Task: 1, To: task.Queued}, {Kind: control.EventTask, Position: 2, Task: 2, To: task.Queued, Exit: &task.Exit{}},
	}}, nil
}

type pastEvents struct{ events []control.Event }

func (p *pastEvents) Next() (out []control.Event, err error) {
	if out, p.events = p.events, nil; out == nil {
		return nil, io.EOF
	}
	return out, nil
}

func (*pastEvents) Close() error { return nil }

// transcript runs a command line and gives everything that can be seen of it.
func transcript(t *testing.T, dir, line string) (all, out string) {
	t.Helper()
	sealed, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{seal: sealed.Public()}
	s := newSession(r, strings.Fields(strings.ReplaceAll(line, "DIR", dir))...)
	s.program.Asks = true
	s.program.Stdin = strings.NewReader("{\"command\":\"from input\"}\n")
	s.program.Serve = func(n Serving) error {
		fmt.Fprintf(&r.all, "serve %s: %+v, code %q\n", n.Role, n.Config.Config, n.Join)
		return nil
	}
	code := s.run()
	return fmt.Sprintf("%d\n%s\n%s\n%s", code, s.out.String(), s.err.String(), r.all.String()), s.out.String()
}

// verbLines is a command line for each verb, to which flags are added.
var verbLines = map[string]string{
	"bench": "bench --tasks 1", "cancel": "cancel 1", "config path": "config path", "config print": "config print",
	"dispatcher": "dispatcher --headless", "drain": "drain mill", "events": "events", "identity": "identity",
	"invite": "invite", "join": "join --timeout 1ms", "logs": "logs 1", "nodes": "nodes", "nodes admit": "nodes admit K7QM-3XPA", "nodes remove": "nodes remove mill",
	"nodes show": "nodes show mill", "promote": "promote", "ps": "ps", "retry": "retry 1", "run": "run true",
	"show": "show 1", "status": "status", "submit": "submit true", "token create": "token create", "top": "top --count 1", "undrain": "undrain mill", "version": "version",
	"wait": "wait 1 2", "why": "why 1", "worker": "worker --headless",
}

// flagLines are lines of their own for flags that do nothing on their verb's.
var flagLines = map[string]string{
	"run --shell": "run --shell -- echo a", "submit --shell": "submit --shell -- echo a", "submit --from": "submit",
	"logs --all": "logs -f --all", "logs --stderr": "logs 1 --stderr", "cancel --state": "cancel --yes", "retry --state": "retry --yes",
	"run --retry-on": "run --retries 1 true", "run --fail-fast": "run --on mill true",
}

// flagValues are values other than the default.
var flagValues = map[string]string{
	"name": "x", "tag": "x", "priority": "high", "timeout": "5m", "grace": "3s", "retries": "2", "backoff": "fixed", "retry-on": "3", "delivery": "at-most-once",
	"cpus": "2", "mem": "64", "disk": "64", "gpus": "1", "cpu-time": "5s", "max-processes": "3", "max-open-files": "3", "max-output": "3", "sandbox": "strict", "on": "mill",
	"label": "a=b", "os": "linux", "arch": "arm64", "dir": "/x", "env": "A=b", "env-file": "DIR/env", "inherit-env": "PATH", "secret-env": "S=@DIR/secret",
	"stdin-file": "DIR/secret", "idempotency-key": "K", "from": "DIR/lines", "state": "failed", "node": "mill", "match": "x", "since": "5m", "limit": "1",
	"sort": "command", "tail": "1", "attempt": "1", "kind": "node", "deadline": "1s", "uses": "2", "ttl": "5m", "role": "admin", "out": "DIR/code",
	"join": "K7QM-3XPA", "join-file": "DIR/secret", "config": "DIR/config", "count": "2",
	"log-level": "debug", "log-format": "json", "log-file": "DIR/log", "dispatcher": "h", "node-dir": "DIR",
	"id": "x", "port": "1", "bind": "::1", "discovery-port": "2", "dispatcher-port": "3", "max-workers": "4", "max-queue-size": "5", "task-timeout": "6s", "output-quota": "7", "task-output-quota": "8",
	"cpu-cores": "1", "memory": "2048", "max-jobs": "7", "sandbox-level": "strict", "secret": "0a1b", "secret-file": "DIR/secret", "task-user": "root", "allow-dir": "/srv", "allow-read": "/home/me",
	"api": "off", "drain-timeout": "1s", "p2p-enabled": "false", "require-auth": "false",
}

// flagsSeenElsewhere are flags whose effect this test cannot see, and what shows it.
var flagsSeenElsewhere = map[string]string{
	"run --solo": "testdata/script/solo.txtar", "bench --solo": "testdata/script/solo.txtar", "bench": "node/bench",
	"run --detach-on-interrupt": "TestDetachAndHangUpLeaveTheTask", "top --interval": "the time between two drawings", "top --count": "its line would not end without", "config check": "testdata/script/config.txtar",
	"run --stdin": "run reads piped input by itself; TestAnInterruptEndsEveryRead", "drain --wait": "the wait", "drain --deadline": "the wait", "wait --any": "the wait", "wait --timeout": "the wait",
	"ui": "needs a terminal: drive_test.go", "demo": "needs a terminal: drive_test.go", "join": "needs a node",
	"--color": "needs a terminal", "--theme": "needs a terminal", "--ascii": "needs a terminal", "--reduced-motion": "needs a terminal", "--no-mouse": "needs a terminal",
	"--help": "cobra's own", "help": "no flags", "completion": "cobra's own", "purge": "testdata/script", "doctor": "testdata/script/doctor.txtar",
}

// TestEveryFlagDoesSomething: with a flag, something that a person or the cluster
// can see differs from the same line without it, or the flag is refused.
func TestEveryFlagDoesSomething(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"env": "A=b\n", "secret": "s\n", "lines": "{\"command\":\"x\"}\n", "config": "name = \"x\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := newEnvironment(Program{})
	defer env.close()
	forEachVerb(newRootCommand(env), func(c *cobra.Command, path string) {
		if flagsSeenElsewhere[path] != "" || strings.HasPrefix(path, "completion") {
			return
		}
		base := verbLines[path]
		if base == "" {
			if c.Runnable() && path != "" && path != "config" {
				t.Errorf("verbLines lacks a line for %q", path)
			}
			return
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { flagDoesSomething(t, dir, path, base, f) })
	})
	for flag, base := range map[string]string{
		"json": "ps", "plain": "ps", "quiet": "ps", "config": "config path", "timeout": "show 1", "yes": "cancel --state queued", "no-input": "cancel --state queued", "read-only": "cancel 1",
		"headless": "--json=false", "dispatcher": "worker --headless", "verbose": "worker --headless", "log-level": "worker --headless",
		"log-format": "worker --headless", "log-file": "worker --headless", "node-dir": "worker --headless",
	} {
		flagDoesSomething(t, dir, "", base, newRootCommand(env).PersistentFlags().Lookup(flag))
	}
}

func forEachVerb(c *cobra.Command, visit func(c *cobra.Command, path string)) {
	visit(c, strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "octaskly"), " "))
	for _, child := range c.Commands() {
		forEachVerb(child, visit)
	}
}

func flagDoesSomething(t *testing.T, dir, path, base string, f *pflag.Flag) {
	t.Helper()
	name := strings.TrimSpace(path + " --" + f.Name)
	if flagsSeenElsewhere[name] != "" || flagsSeenElsewhere["--"+f.Name] != "" {
		return
	}
	if own := flagLines[name]; own != "" {
		base = own
	}
	given := "--" + f.Name
	if f.NoOptDefVal == "" || flagValues[f.Name] != "" && f.Value.Type() != "bool" {
		if flagValues[f.Name] == "" {
			t.Errorf("flagValues lacks a value for --%s of %q", f.Name, path)
			return
		}
		given += "=" + flagValues[f.Name]
	} else if flagValues[f.Name] != "" {
		given += "=" + flagValues[f.Name]
	}
	without, _ := transcript(t, dir, strings.ReplaceAll(base, " "+given, ""))
	verb, rest, _ := strings.Cut(base, " ")
	if path != "" {
		verb = path
		rest = strings.TrimPrefix(strings.TrimPrefix(base, path), " ")
	}
	with, _ := transcript(t, dir, strings.TrimSpace(verb+" "+given+" "+strings.ReplaceAll(rest, given, "")))
	if with == without {
		t.Errorf("octaskly %s: %s changes nothing and is not refused", base, given)
	}
	_ = os.Remove(filepath.Join(dir, "code"))
}

// TestFlagsAreTheDefaultsOfLines: every flag of submit is a default for the lines
// of --from, or refused with them; what a line names wins.
func TestFlagsAreTheDefaultsOfLines(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"env": "A=b\n", "secret": "s\n", "lines": "{\"command\":\"x\"}\n", "config": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := newEnvironment(Program{})
	defer env.close()
	without, _ := transcript(t, dir, "submit --from DIR/lines")
	childNamed(newRootCommand(env), "submit").LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		given := "--" + f.Name
		if f.NoOptDefVal == "" {
			given += "=" + flagValues[f.Name]
		}
		if f.Name == "from" || f.Name == "help" {
			return
		}
		if with, _ := transcript(t, dir, "submit --from DIR/lines "+given); with == without {
			t.Errorf("%s changes nothing with --from and is not refused", given)
		}
	})
	lines := `{"command":"a"}
{"command":"b","name":"own","env":{"A":"own"},"labels":{"os":"own"},"idempotency_key":"own","cpus":3,"tags":null}
`
	f := &fake{}
	s := newSession(f, "submit", "--from", "-", "--name", "n", "--env", "A=flag", "--env", "B=flag", "--os", "linux", "--cpus", "2", "--tag", "x", "--idempotency-key", "K")
	s.program.Stdin = strings.NewReader(lines)
	if code := s.run(); code != 0 || len(f.tasks) != 2 {
		t.Fatalf("code %d, %d tasks: %s", code, len(f.tasks), s.err.String())
	}
	for i, want := range []struct {
		key, name, a, os string
		cpu              task.Milli
	}{{"K:1", "n", "flag", "linux", 2000}, {"own", "own", "own", "own", 3000}} {
		got := f.tasks[i]
		if got.Key != want.key || got.Spec.Name != want.name || got.Spec.Env["A"] != want.a || got.Spec.Env["B"] != "flag" ||
			got.Spec.Need.Labels["os"] != want.os || got.Spec.Need.CPU != want.cpu || !slices.Equal(got.Spec.Tags, []string{"x"}) {
			t.Errorf("line %d: %+v", i+1, got)
		}
	}
}

// TestEverySettingIsRead: each setting has a field that the program reads
// somewhere, or it says at the start that it does nothing.
func TestEverySettingIsRead(t *testing.T) {
	read := map[string]bool{}
	for _, root := range []string{"../../node", ".."} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && (e.Name() == "nodetest" || e.Name() == "testdata"):
				return filepath.SkipDir
			case filepath.Ext(path) != ".go", strings.HasSuffix(path, "_test.go"):
				return nil
			case filepath.Base(filepath.Dir(path)) == "config" && slices.Contains([]string{"setting.go", "check.go", "default.go", "merge.go"}, e.Name()):
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					read[s.Sel.Name] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fields := reflect.TypeFor[config.Config]()
	silent := map[string]bool{}
	for _, key := range withoutEffect {
		silent[strings.ReplaceAll(key, "-", "")] = true
		value, ok := flagValues[key]
		if !ok || key == "secret-file" {
			value = "x"
		}
		s := newSession(&recorder{}, "worker", "--headless", "--"+key+"="+value)
		s.program.Serve = func(Serving) error { return nil }
		if code := s.run(); code != 0 || strings.Count(s.err.String(), "--"+key+" has no effect yet") != 1 {
			t.Errorf("--%s: code %d: %s", key, code, s.err.String())
		}
	}
	for i := range fields.NumField() {
		if name := fields.Field(i).Name; !read[name] && !silent[strings.ToLower(name)] {
			t.Errorf("nobody reads the setting %s", name)
		}
	}
}
