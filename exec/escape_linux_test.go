package exec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// closedBy are the answers of a way out that is closed. Any other, success
// above all, is a breach: it means that something else stopped it, by luck.
var closedBy = map[string]bool{"EPERM": true, "EACCES": true, "ENOSYS": true, "EXDEV": true, "EBADF": true}

// closed reports whether an outcome is that of a closed way out. In a cage most
// of what is tried is not there at all, or read-only.
func closed(outcome string, c *confinement) bool {
	if c.caged {
		switch outcome {
		case "ENOENT", "EROFS", "ESRCH", "ECONNREFUSED", "EINVAL": // EINVAL: such a user does not exist there
			return true
		}
	}
	return closedBy[outcome]
}

// world is what the probes try to get at.
type world struct {
	probe string // the test binary
	name  string // of what they may leave in /tmp
	open  string // a file that everybody may write, which they may damage
	env   []string
}

// makeWorld puts up secrets, public files and sockets outside of commands.
func makeWorld(t *testing.T) world {
	t.Helper()
	public, err := os.MkdirTemp("/var/tmp", "octaskly-world-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(public) })
	w := world{probe: os.Args[0]}
	t.Setenv("OCTASKLY_TEST_SECRET", "text")
	r := testRunner(t)
	secret := filepath.Join(r.dirs.root, "secret")
	other := filepath.Join(r.levels[Basic].dirs.root, "other")
	open := filepath.Join(public, "public")
	for _, f := range []string{secret, other, open} {
		if err := os.WriteFile(f, []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(f, 0o666); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(f) })
	}
	if err := os.Chmod(public, 0o777); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(public)
	tcp := listen(t, "tcp", "127.0.0.1:0")
	sock := filepath.Join(public, "socket")
	listen(t, "unix", sock)
	listen(t, "unix", "@"+name)
	if err := os.Chmod(sock, 0o777); err != nil {
		t.Fatal(err)
	}
	w.name, w.open = name, open
	if os.Geteuid() == 0 {
		t.Setenv("OUT_ROOT", "1")
	}
	w.env = []string{
		probeEnv + "=1", "OUT_SECRET=" + secret, "OUT_OTHER=" + other, "OUT_PUBLIC=" + open, "OUT_NAME=" + name,
		"OUT_ROOT=" + os.Getenv("OUT_ROOT"), "OUT_TCP=" + tcp, "OUT_SOCKET=" + sock, fmt.Sprintf("OUT_WORKER=%d", os.Getpid()),
	}
	return w
}

func listen(t *testing.T, network, addr string) string {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// carried is a command that runs a program at any level: it comes as input, so
// that it is read by nobody but us.
func carried(t *testing.T, program string) Spec {
	t.Helper()
	f, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Shell: "cat > program && chmod 700 program && exec ./program < /dev/null", Stdin: f}
}

// outcomes runs all probes at a level.
func (w world) outcomes(t *testing.T, l Level) map[string]string {
	t.Helper()
	if err := os.WriteFile(w.open, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.open, 0o666); err != nil {
		t.Fatal(err)
	}
	spec := carried(t, w.probe)
	spec.Env, spec.Level = w.env, l
	res, c := do(t, spec)
	_ = os.Remove(filepath.Join("/tmp", w.name))
	got := make(map[string]string)
	for s := bufio.NewScanner(strings.NewReader(c.out.String())); s.Scan(); {
		name, outcome, _ := strings.Cut(s.Text(), "\t")
		got[name] = outcome
	}
	if len(got) < 60 || res.Code != 0 {
		t.Fatalf("at %s only %d probes ran: %+v\n%s%s", l, len(got), res, c.out.String(), c.err.String())
	}
	return got
}

// breaches are the probes that a level should have stopped and did not.
func breaches(got map[string]string, c *confinement) (open []string) {
	for _, p := range probes() {
		if c.level >= p.from && !closed(got[p.name], c) && got[p.name] != "ENOENT" && !c.mayGet(p.name) {
			open = append(open, fmt.Sprintf("%s: %s", p.name, got[p.name]))
		}
	}
	return open
}

// mayGet reports whether a probe may succeed: in a cage on what belongs to the
// command alone, and at basic without scopes on what that level does not promise.
func (c *confinement) mayGet(name string) bool {
	noScopes := landlockABI() < 6
	if c.caged {
		return slices.Contains(ofItsOwn[c.level], name) || noScopes && slices.Contains(ofItsOwnUnscoped[c.level], name)
	}
	return noScopes && c.level == Basic && slices.Contains(ofScopes, name)
}

// missing are probes that prove nothing here, because what they try to reach
// does not exist on this machine.
func missing(got map[string]string, c *confinement) (names []string) {
	for _, p := range probes() {
		if c.level >= p.from && !c.caged && got[p.name] == "ENOENT" {
			names = append(names, p.name)
		}
	}
	return names
}

// mayBeMissing are things not every machine has.
var mayBeMissing = map[string]bool{
	"read root's home": true, "write to a disk": true, "read the kernel's log": true, "read memory": true,
	"write to a control group": true, "make a machine socket": true, "read /etc/shadow": true,
}

// needLevels skips a test where a level is not there, as haveLevel has it.
func needLevels(t *testing.T, levels ...Level) {
	t.Helper()
	for _, l := range levels {
		if !haveLevel(t, l) {
			t.SkipNow()
		}
	}
}

// haveLevel reports whether a level is there. In CI a missing one is a failure
// unless OCTASKLY_MISSING_LEVELS says why: "very-strict=no user namespaces".
func haveLevel(t *testing.T, l Level) bool {
	t.Helper()
	info := testRunner(t).Capabilities().Levels[l]
	switch listed := listedMissing(os.Getenv("OCTASKLY_MISSING_LEVELS"), l); {
	case info.Available:
		return true
	case os.Getenv("CI") != "" && !listed:
		t.Errorf("level %s is not there and OCTASKLY_MISSING_LEVELS gives no reason: %s", l, info.Reason)
	default:
		t.Logf("level %s is not there: %s", l, info.Reason)
	}
	return false
}

// listedMissing reports whether a list of levels with reasons names a level.
func listedMissing(list string, l Level) bool {
	for entry := range strings.SplitSeq(list, ",") {
		if name, reason, _ := strings.Cut(entry, "="); strings.TrimSpace(name) == l.String() && strings.TrimSpace(reason) != "" {
			return true
		}
	}
	return false
}

func TestListedMissing(t *testing.T) {
	for _, tt := range []struct {
		list string
		l    Level
		want bool
	}{
		{"", Basic, false},
		{"very-strict=no namespaces", VeryStrict, true},
		{"very-strict=no namespaces", Strict, false},
		{"strict=old, very-strict=old", VeryStrict, true},
		{"strict=", Strict, false},
	} {
		if got := listedMissing(tt.list, tt.l); got != tt.want {
			t.Errorf("%q lists %s: %v", tt.list, tt.l, got)
		}
	}
}

func TestEveryWayOutIsClosed(t *testing.T) {
	w := makeWorld(t)
	for _, l := range []Level{Basic, Strict, VeryStrict} {
		if !haveLevel(t, l) {
			continue
		}
		got := w.outcomes(t, l)
		c := testRunner(t).levels[l]
		for _, b := range breaches(got, c) {
			t.Errorf("%s does not stop: %s", l, b)
		}
		for _, name := range missing(got, c) {
			if !mayBeMissing[name] {
				t.Errorf("%s: the probe %q finds nothing to probe", l, name)
			}
		}
	}
}

// foreignCalls are programs that make a namespace by another numbering of the
// system calls than the machine's own: that of 32-bit programs, in which unshare is
// 310, and that of programs with short pointers.
var foreignCalls = map[string]string{
	"int 0x80": `int main(void){int r;__asm__ volatile("int $0x80":"=a"(r):"a"(310),"b"(0x4000000));return r<0?-r:0;}`,
	"x32":      `int main(void){long r;__asm__ volatile("syscall":"=a"(r):"a"(0x40000000L|272),"D"(0x4000000L):"rcx","r11","memory");return r<0?-r:0;}`,
}

func TestForeignArchitectureIsKilled(t *testing.T) {
	needLevels(t, Basic)
	cc, err := osexec.LookPath("gcc")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no C compiler to make a program with foreign calls, or none such here")
	}
	for name, prog := range foreignCalls {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "foreign")
			cmd := osexec.Command(cc, "-x", "c", "-", "-o", bin)
			cmd.Stdin = strings.NewReader(prog)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("no such program can be made: %v %s", err, bytes.TrimSpace(out))
			}
			var bare *osexec.ExitError
			if errors.As(osexec.Command(bin).Run(), &bare) && bare.Sys().(syscall.WaitStatus).Signal() == syscall.SIGSEGV {
				t.Skip("this machine has no such calls, contained or not")
			}
			for l := Basic; l <= VeryStrict; l++ {
				spec := carried(t, bin)
				spec.Level = l
				if res, _ := do(t, spec); res.Signal != int(unix.SIGSYS) {
					t.Errorf("%s: %+v", l, res)
				}
			}
		})
	}
}

func TestOrdinaryProgramsWork(t *testing.T) {
	needLevels(t, Basic, Strict)
	programs := []string{
		"echo a b | sort | tr a-z A-Z > f && cat f && mkdir d && mv f d/ && rm -r d",
		"sleep 0.01 & wait $!",
		"seq 100 | xargs -n 10 -P 4 echo > /dev/null",
		"python3 -c 'import subprocess, tempfile, threading; t = threading.Thread(target=print); t.start(); t.join(); tempfile.TemporaryFile(); subprocess.check_call([\"true\"])'",
		"git init -q . && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && git log --oneline",
		"printf 'int main(void){return 0;}' | gcc -x c - -o a && ./a",
		"head -c 100000 /dev/urandom | xz -0 | xz -d | wc -c",
		"java -version",
		"printf 'module m\\n' > go.mod; printf 'package main\\nfunc main() { println(1) }\\n' > m.go; GOFLAGS=-mod=mod GOTOOLCHAIN=local go run .",
	}
	path := pathOf(testRunner(t).levels[Basic].env)
	for _, l := range []Level{Basic, Strict, VeryStrict} {
		if !haveLevel(t, l) {
			continue
		}
		for _, p := range programs {
			name := strings.Fields(p)[0]
			if strings.HasPrefix(p, "printf 'int") {
				name = "gcc"
			} else if strings.HasPrefix(p, "printf 'mod") {
				name = "go"
			}
			if file, err := searchPath(name, path); err != nil {
				t.Logf("%s is not installed", name)
				continue
			} else if name == "go" && os.Getenv("OCTASKLY_LONG") == "" {
				t.Logf("%s takes long and is left out", file)
				continue
			}
			if res, c := do(t, Spec{Shell: p, Level: l}); res.Code != 0 {
				t.Errorf("%s: %s: %d %s\n%s%s", l, p, res.Code, res.Message, c.out.String(), c.err.String())
			}
		}
	}
}

// TestNetworkOfEachLevel has curl, if it is there, fetch a page of this machine's.
func TestNetworkOfEachLevel(t *testing.T) {
	if _, err := searchPath("curl", defaultPath); err != nil {
		t.Skip(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }))
	defer srv.Close()
	for l, want := range map[Level]string{None: "page", Basic: "page", Strict: "", VeryStrict: ""} {
		if !haveLevel(t, l) {
			continue
		}
		if res, c := do(t, Spec{Argv: []string{"curl", "-sS", "--max-time", "20", srv.URL}, Level: l}); c.out.String() != want || (res.Code == 0) != (want != "") {
			t.Errorf("%s: %+v %q %s", l, res, c.out.String(), c.err.String())
		}
	}
}

func TestDirectoryGivenAtALevel(t *testing.T) {
	needLevels(t, Basic)
	dir, err := os.MkdirTemp("/var/tmp", "octaskly-given-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if res, c := do(t, Spec{Shell: "pwd && touch here && ! touch ../there", Dir: dir, Level: Basic}); res.Code != 0 {
		t.Errorf("%+v %s", res, c.err.String())
	}
	link := dir + "-link"
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	for l := None; l.Valid(); l++ {
		if haveLevel(t, l) {
			if res, c := do(t, Spec{Shell: "touch " + l.String(), Dir: link, Level: l}); res.Code != 0 {
				t.Errorf("by a link at %s: %+v %s", l, res, c.err.String())
			}
		}
	}
	secret := dir + "-secret"
	if err := os.Symlink(testRunner(t).dirs.root, secret); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(secret)
	for _, bad := range []string{"/", testRunner(t).dirs.root, secret} {
		if _, err := testRunner(t).Start(t.Context(), Spec{Shell: "true", Dir: bad, Level: Basic}); err == nil {
			t.Errorf("%s was opened to a contained command", bad)
		}
	}
}

// fenceFiles is how many files the rules hold open, one for each name in the folders
// that are open in part: /tmp, where other programs work too, is one of them.
func fenceFiles(t *testing.T) (n int) {
	t.Helper()
	for _, c := range testRunner(t).levels {
		if c != nil {
			c.fence.mu.Lock()
			n += len(c.fence.rules)
			for _, rules := range c.fence.stale {
				n += len(rules)
			}
			c.fence.mu.Unlock()
		}
	}
	return n
}

// settle waits for what goes on after the end of a command: cages are made for the
// next ones, and directories removed that take long.
func settle(t *testing.T) {
	t.Helper()
	r := testRunner(t)
	for _, c := range r.levels {
		if c != nil {
			c.cages.filling.Wait()
		}
	}
	r.dirs.clear.done.Wait()
}

func TestLevelsLeaveNothingBehind(t *testing.T) {
	needLevels(t, Basic)
	commands := []string{"true", "touch a; mkdir b; chmod 0 b", "sleep 1000 & setsid sleep 1000 &", "no-such-program", "mkdir -p x/y/z; chmod 0 x; chmod 0 ."}
	for _, cmd := range commands { // afterwards every thread that is kept is there
		do(t, Spec{Shell: cmd, Level: Basic})
	}
	settle(t)
	fds := openFiles(t) - fenceFiles(t)
	for _, cmd := range commands {
		res, c := do(t, Spec{Shell: "pwd;" + cmd, Level: Basic})
		settle(t)
		if left, _ := os.ReadDir(strings.TrimSpace(c.out.String())); len(left) > 0 {
			t.Errorf("%s: left %v (%+v)", cmd, left, res)
		}
	}
	if n := openFiles(t) - fenceFiles(t); n > fds {
		t.Errorf("%d files open, %d before", n, fds)
	}
	if left := sleepers(); len(left) > 0 {
		t.Errorf("still alive: %v", left)
	}
}
