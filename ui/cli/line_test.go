package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
)

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

func TestJoinBools(t *testing.T) {
	a := newEnvironment(Program{})
	defer a.close()
	root := newRootCommand(a)
	for in, want := range map[string]string{
		"worker --gpu true --max-jobs 4":        "worker --gpu=true --max-jobs 4",
		"worker --gpu --max-jobs 4":             "worker --gpu --max-jobs 4",
		"dispatcher --p2p-enabled false":        "dispatcher --p2p-enabled=false",
		"dispatcher --require-auth=false --gpu": "dispatcher --require-auth=false --gpu",
		"--headless false worker":               "--headless=false worker",
		"--headless true run true":              "--headless=true run true",
		"run --solo true":                       "run --solo true",
		"run true":                              "run true",
		"submit -q false":                       "submit -q false",
		"submit -- prog --gpu true":             "submit -- prog --gpu true",
		"worker --name true --gpu FALSE":        "worker --name true --gpu=FALSE",
		"ps --json true --state done":           "ps --json=true --state done",
		"nodes --quiet true show mill":          "nodes --quiet=true show mill",
		"nodes show mill --json false":          "nodes show mill --json=false",
		"worker --no-such true":                 "worker --no-such true",
		"worker --gpu":                          "worker --gpu",
	} {
		got := strings.Join(joinBools(root, strings.Fields(in)), " ")
		if got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// TestNodeFlags runs the node's flags in every spelling of the original.
func TestNodeFlags(t *testing.T) {
	for _, line := range []string{
		"dispatcher",
		"dispatcher --port 8080",
		"dispatcher --port 8080 --bind 192.168.1.100 --require-auth true --secret 0a1b --verbose",
		"dispatcher --p2p-enabled false",
		"dispatcher --max-queue-size 50000 --max-workers 100",
		"dispatcher --discovery-port 5555 --task-timeout 600 --log-file LOG",
		"worker --name worker-01",
		"worker --cpu-cores 16 --memory 65536 --max-jobs 8",
		"worker --gpu true --max-jobs 4",
		"worker --dispatcher 192.168.1.100 --dispatcher-port 8080",
		"worker --dispatcher dispatcher.company.com --sandbox-level strict --max-jobs 8 --verbose",
		"worker --dispatcher localhost --port 7878",
		"worker --id w-12345 --log-file LOG",
		"worker --headless",
		"--headless worker",
		"--headless dispatcher --bind a --bind b --label k=v --label x=y --api off",
	} {
		var got Serving
		args := strings.Fields(strings.ReplaceAll(line, "LOG", t.TempDir()+"/log"))
		s := newSession(&fake{}, args...)
		s.program.Serve = func(n Serving) error {
			got = n
			return nil
		}
		if code := s.run(); code != 0 {
			t.Errorf("%s: code %d: %s", line, code, s.err.String())
			continue
		}
		if want := map[bool]task.Role{true: task.RoleWorker, false: task.RoleDispatcher}[strings.Contains(line, "worker ") || strings.HasSuffix(line, "worker")]; got.Role != want {
			t.Errorf("%s: role %q, want %q", line, got.Role, want)
		}
	}
}

func TestPortIsTheDispatchersWithAHint(t *testing.T) {
	var got Serving
	s := newSession(&fake{}, "worker", "--dispatcher", "localhost", "--port", "7000")
	s.program.Serve = func(n Serving) error { got = n; return nil }
	if code := s.run(); code != 0 || got.Config.DispatcherPort != 7000 || got.Config.Given("port") {
		t.Errorf("code %d, dispatcher's port %d, own port given %v", code, got.Config.DispatcherPort, got.Config.Given("port"))
	}
	has(t, "log", s.err.String(), "--dispatcher-port")
}

func TestSignalsOfANode(t *testing.T) {
	for name, c := range map[string]struct {
		signals []os.Signal
		cut     bool
	}{
		"one drains": {[]os.Signal{os.Interrupt}, false},
		"two cut":    {[]os.Signal{os.Interrupt, os.Interrupt}, true},
	} {
		s := newSession(&fake{}, "worker", "--headless")
		drained := make(chan bool, 1)
		ready := make(chan struct{})
		s.program.Serve = func(n Serving) error {
			close(ready)
			<-n.Drain.Done()
			if c.cut {
				<-n.Cut.Done()
			}
			drained <- n.Cut.Err() != nil
			return nil
		}
		codes := make(chan int, 1)
		go func() { codes <- s.run() }()
		<-ready
		for _, sig := range c.signals {
			s.signals <- sig
		}
		if code, cut := <-codes, <-drained; code != 0 || cut != c.cut {
			t.Errorf("%s: code %d, cut %v", name, code, cut)
		}
	}
}

func TestBulk(t *testing.T) { synctest.Test(t, testBulk) }

// testBulk answers a submit once the reader has gone as far ahead as it may.
func testBulk(t *testing.T) {
	var in strings.Builder
	for i := range 3500 {
		if i == 1700 {
			in.WriteString("\n  \n{\"command\":\"x\",\"priority\":200}\nnonsense\n")
		}
		fmt.Fprintf(&in, "{\"command\":\"echo %d\"}\n", i)
	}
	f := &fake{hold: synctest.Wait}
	s := newSession(f, "submit", "--from", "-")
	s.program.Stdin = strings.NewReader(strings.TrimSuffix(in.String(), "\n"))
	if code := s.run(); code != 8 {
		t.Errorf("code %d, want 8", code)
	}
	has(t, "talk", s.err.String(), "line 1703: field priority is 200", "line 1704: not valid JSON at byte", "3500 queued, 2 refused")
	ids := strings.Fields(s.out.String())
	if len(ids) != 3500 || ids[0] != "1" || ids[3499] != "3500" {
		t.Errorf("%d numbers were printed", len(ids))
	}
	keys := map[string]bool{}
	for i, v := range f.tasks {
		if v.Spec.Shell != fmt.Sprintf("echo %d", i) {
			t.Fatalf("task %d is %q", i, v.Spec.Shell)
		}
		keys[v.Key] = true
	}
	if len(keys) != 3500 {
		t.Errorf("%d keys for 3500 tasks", len(keys))
	}
	if n := len(f.calls); n > 1+(3500+2+task.MaxBatch-1)/task.MaxBatch {
		t.Errorf("%d submits for 3500 tasks", n)
	}
}

func TestBulkSaysWhatTheDispatcherRefuses(t *testing.T) {
	f := &fake{submit: func(r control.SubmitRequest) (control.SubmitReply, error) {
		reply := control.SubmitReply{Results: make([]control.Submitted, len(r.Tasks))}
		for i := range reply.Results {
			reply.Results[i] = control.Submitted{Kind: task.KindFull, Message: "the queue is full: 10 of 10", Hint: "wait"}
		}
		return reply, nil
	}}
	s := newSession(f, "submit", "--from", "-")
	s.program.Stdin = strings.NewReader(`{"command":"x"}`)
	if code := s.run(); code != 8 || s.out.String() != "" {
		t.Errorf("code %d, out %q", code, s.out.String())
	}
	has(t, "talk", s.err.String(), "line 1: the queue is full: 10 of 10", "0 queued, 1 refused")
	if code, _, stderr := try(t, f, "submit", "x"); code != 1 || !strings.Contains(stderr, "the queue is full") {
		t.Errorf("one alone: code %d, error %q", code, stderr)
	}
	if code, _, _ := try(t, f, "submit", "--from", "-"); code != 2 {
		t.Errorf("nothing at all: code %d, want 2", code)
	}
}

func TestBulkLongLine(t *testing.T) {
	s := newSession(&fake{}, "submit", "--from", "-")
	s.program.Stdin = strings.NewReader("{\"command\":\"" + strings.Repeat("x", text.MaxDocument) + "\"}\n{\"command\":\"y\"}\n")
	if code := s.run(); code != 8 {
		t.Errorf("code %d, want 8", code)
	}
	has(t, "talk", s.err.String(), "line 1: the line is longer than 96 MiB", "1 queued, 1 refused")
}

func TestParseIDs(t *testing.T) {
	for in, want := range map[string][]task.ID{
		"1": {1}, "#7": {7}, "3-5": {3, 4, 5}, "1 9-9": {1, 9},
		"18446744073709551615": {math.MaxUint64}, "18446744073709551614-18446744073709551615": {math.MaxUint64 - 1, math.MaxUint64},
	} {
		if got, err := parseIDs(strings.Fields(in)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"0", "x", "-1", "5-", "-", "5-3", "1-99999999", "1-500000 2-600000", "18446744073709551616", "1-18446744073709551615"} {
		if got, err := parseIDs(strings.Fields(in)); err == nil {
			t.Errorf("%q is %d numbers", in, len(got))
		}
	}
}

// A filter whose variable was not set once was no filter, and the rest of the
// line cancelled what it found.
func TestEmptyFiltersAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"cancel", "--yes", "--state", "queued", "--tag", ""},
		{"cancel", "--yes", "--state", "queued", "--match", ""},
		{"cancel", "--yes", "--tag=nightly,"},
		{"ps", "--tag", ""},
		{"ps", "--node", ""},
		{"cancel", "7", "--node", ""},
	} {
		if code, out, stderr := try(t, &fake{}, args...); code != exitUsage || out != "" || !strings.Contains(stderr, "is empty") {
			t.Errorf("%q: code %d, %q, %q", args, code, out, stderr)
		}
	}
}

// Values that were read as if they had not been given.
func TestOddValuesAreRefused(t *testing.T) {
	for want, args := range map[string][]string{
		"--idempotency-key is empty": {"submit", "--idempotency-key", "", "true"},
		"--count -1 is below 0":      {"top", "-n", "-1"},
		`dir "." is relative`:        {"submit", "--dir", ".", "true"},
	} {
		if code, out, stderr := try(t, &fake{}, args...); code != exitUsage || out != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: code %d, %q, %q", args, code, out, stderr)
		}
	}
}

// What ended a task was told twice in one line.
func TestAnEventSaysThingsOnce(t *testing.T) {
	e := &control.Event{Task: 7, From: task.Running, To: task.Timeout, Text: "too long", Exit: &task.Exit{Code: 143, Reason: task.ReasonTimeout, Message: "too long"}}
	if got := eventText(e); strings.Count(got, "too long") != 1 {
		t.Error(got)
	}
}

// A folder given for a file was line 1 of it.
func TestAFolderIsNoFileOfTasks(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := try(t, &fake{}, "submit", "--from", dir); code != exitUsage || !strings.Contains(stderr, dir+" is a directory") {
		t.Errorf("code %d, %q", code, stderr)
	}
}

// TestAFullDiskUnderHelp: what could not be printed is a failure, also of help.
func TestAFullDiskUnderHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"ps", "--help"}, {"help", "submit"}, {"version"}, {"completion", "bash"}} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip("there is no /dev/full here")
		}
		var talk strings.Builder
		code := Main(Program{Args: args, Stdout: full, Stderr: &talk, Stdin: strings.NewReader(""), Environ: []string{}})
		full.Close()
		if code != exitFailed || !strings.Contains(talk.String(), "no space left") {
			t.Errorf("%q: code %d, %q", args, code, talk.String())
		}
	}
}

// TestHostileNames shows that no name or message can act on the terminal.
func TestHostileNames(t *testing.T) {
	const evil = "x\x1b]0;owned\x07\u202e\n"
	f := &fake{nodes: []control.Node{{ID: "id", Name: evil, Addr: evil, Doing: []string{evil}, Warnings: []string{evil}, Version: evil}}}
	for _, args := range [][]string{{"nodes"}, {"nodes", "--plain"}, {"nodes", "-q"}, {"nodes", "show", evil}, {"nodes", "show", "y" + evil}} {
		_, out, stderr := try(t, f, args...)
		for _, text := range []string{out, stderr} {
			if strings.ContainsAny(text, "\x1b\x07\u202e") {
				t.Errorf("%q shows %q", args, text)
			}
		}
	}
}

// TestEveryVerbHasItsPage calls for help where nothing could be done.
func TestEveryVerbHasItsPage(t *testing.T) {
	a := newEnvironment(Program{})
	defer a.close()
	root := newRootCommand(a)
	for _, c := range root.Commands() {
		code, out, stderr := try(t, nil, c.Name(), "--help")
		if code != 0 || stderr != "" || !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: code %d, error %q", c.Name(), code, stderr)
		}
		if c.Short == "" {
			t.Errorf("%s does not say what it does", c.Name())
		}
	}
	if len(firstVerbs) > 12 {
		t.Errorf("the first page has %d verbs", len(firstVerbs))
	}
}

func FuzzParseIDs(f *testing.F) {
	f.Add("1-5")
	f.Add("#3")
	f.Add("18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		if ids, err := parseIDs([]string{s}); err == nil && (len(ids) == 0 || len(ids) > maxRange) {
			t.Errorf("%q is %d numbers", s, len(ids))
		}
	})
}

// A very long command line is refused without being said back.
func TestHugeCommandIsNotEchoed(t *testing.T) {
	var talk strings.Builder
	big := strings.Repeat("a", 1<<20)
	code := Main(Program{Args: append([]string{"submit"}, big, big, big, big, big, big, big, big, big, big), Stdout: io.Discard, Stderr: &talk, Stdin: strings.NewReader(""), Environ: []string{}})
	if code != exitUsage || talk.Len() > 2000 || !strings.Contains(talk.String(), "10 words") {
		t.Errorf("code %d and %d bytes: %.300s", code, talk.Len(), talk.String())
	}
}
