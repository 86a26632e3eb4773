//go:build linux || darwin || freebsd

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// person is somebody at a terminal on which a program runs.
type person struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	got  chan string
	seen string
}

func sit(t *testing.T, env []string, program string, args ...string) *person {
	t.Helper()
	p := &person{t: t, cmd: exec.Command(program, args...), got: make(chan string, 1024)}
	p.cmd.Env = append(os.Environ(), append(env, "TERM=xterm-256color", "COLORFGBG=15;0", "NO_COLOR=")...)
	tty, err := pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Skipf("there is no pseudo-terminal: %v", err)
	}
	p.tty = tty
	go func() {
		defer close(p.got)
		buf := make([]byte, 32<<10)
		for {
			n, err := tty.Read(buf)
			p.got <- string(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = tty.Close()
	})
	return p
}

// sees waits until the terminal got a text after the last key.
func (p *person) sees(want string) {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for !strings.Contains(p.text(), want) {
		select {
		case s, ok := <-p.got:
			if !ok {
				p.t.Fatalf("it ended before %q was seen: %q", want, p.tail())
			}
			p.seen += s
		case <-limit:
			p.t.Fatalf("%q was not seen in %q", want, p.tail())
		}
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// text is what the terminal got, without colours and movements.
func (p *person) text() string { return escapes.ReplaceAllString(p.seen, "") }

func (p *person) tail() string { t := p.text(); return t[max(0, len(t)-4000):] }

func (p *person) press(key string) {
	p.seen = ""
	_, _ = io.WriteString(p.tty, key)
}

// ends waits for the program's end and gives what it said.
func (p *person) ends() string {
	p.t.Helper()
	late := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	for s := range p.got {
		p.seen += s
	}
	_ = p.cmd.Wait() // the code is told by what it says
	if !p.cmd.ProcessState.Exited() {
		p.t.Fatalf("it did not end: %q", p.tail())
	}
	return p.tail()
}

// What a person sets up in the configuration file, and what the dashboard
// remembers from one time to the next.
func TestScreenRemembers(t *testing.T) {
	program, home := build(t, "."), t.TempDir()
	env := []string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_DATA_HOME=" + home, "OCTASKLY_THEME=", "OCTASKLY_CONFIG="}
	dir := filepath.Join(home, "octaskly")
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("config.toml", "[keys]\nquit = \"Q\"\ntask.new = \"N\"\n")
	put("themes/dusk.toml", "background = \"dark\"\n[tokens]\n")

	p := sit(t, env, program, "demo")
	p.sees("mill-02")
	p.sees(" Q quit") // the footer tells the new key
	p.press("T")
	p.sees("dusk")
	p.press("k") // from dark upwards is auto, and before that the last one
	p.press("k")
	p.press("\r")
	p.sees("theme: dusk")
	p.press("N")
	p.sees("New task")
	p.press("echo remember-this")
	p.sees("remember-this")
	p.press("\r")
	p.sees("was submitted")
	p.press("Q")
	p.ends()
	if b, err := os.ReadFile(filepath.Join(dir, "theme")); err != nil || string(b) != "dusk\n" {
		t.Errorf("the theme that is remembered: %q %v", b, err)
	}

	p = sit(t, env, program, "demo")
	p.sees("mill-02")
	p.press("N")
	p.sees("New task")
	p.press("\x1b[A")
	p.sees("remember-this")
	p.press("\x1b")
	p.sees("Q quit") // the footer of the page again
	p.press("Q")
	p.ends()

	put("config.toml", "[keys]\n\ntask.new = \"q\"\n")
	for _, verb := range []string{"demo", "worker"} {
		p = sit(t, env, program, verb)
		if said := p.ends(); !strings.Contains(said, "config.toml:3: keys: \"q\" is both task.new and quit") {
			t.Errorf("%s says about a clash: %q", verb, said)
		}
	}
	put("config.toml", "[keys]\ntask.knew = \"q\"\n")
	p = sit(t, env, program, "demo")
	if said := p.ends(); !strings.Contains(said, "config.toml:2: keys: there is no action \"task.knew\"; did you mean \"task.new\"?") {
		t.Errorf("it says about an unknown action: %q", said)
	}
	put("config.toml", "theme = \"dusk\"\n")
	put("themes/dusk.toml", "[tokens]\nfocus = \"blurple\"\n")
	p = sit(t, env, program, "demo")
	if said := p.ends(); !strings.Contains(said, "dusk.toml") || !strings.Contains(said, "dusk:2:") {
		t.Errorf("it says about a wrong theme: %q", said)
	}
}

// agreesUntil says yes to the open dialog, which takes no answer in its first
// moment, until somebody else sees what came of it.
func (p *person) agreesUntil(other *person, want string) {
	p.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		p.press("y")
		p.press("\r")
		for wait := time.After(time.Second); wait != nil; {
			select {
			case s := <-other.got:
				other.seen += s
			case <-p.got:
			case <-wait:
				wait = nil
			}
			if strings.Contains(other.text(), want) {
				return
			}
		}
	}
	p.t.Fatalf("%q did not come of it: %q", want, other.tail())
}

// Two nodes of one cluster, each with its dashboard: both show the same, and
// what one person does the other sees.
func TestTwoDashboardsOverTheNetwork(t *testing.T) {
	program, home := build(t, "."), t.TempDir()
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + run, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"XDG_DATA_HOME=" + filepath.Join(home, "data"), "OCTASKLY_THEME=", "OCTASKLY_CONFIG=",
	}
	flags := []string{"--bind", "127.0.0.1", "--port", "0", "--api", "off", "--max-jobs", "1"}
	desk := sit(t, env, program, append([]string{"dispatcher", "--name", "desk"}, flags...)...)
	desk.sees("DISPATCHER")
	bench := sit(t, env, program, append([]string{"worker", "--name", "bench"}, flags...)...)
	desk.sees("bench")
	bench.sees("live") // until then it has heard of a dispatcher, and is no member

	bench.press("n")
	bench.sees("New task")
	for range 40 {
		bench.press("\x7f") // what is there for a first task
	}
	bench.press("sleep 600")
	bench.press("\r")
	bench.sees("task 1")
	desk.press("2")
	desk.sees("sleep 600")
	desk.press("x")
	desk.sees("Cancel")
	desk.agreesUntil(bench, "cancelled")

	bench.press("3")
	bench.sees("NAME")
	bench.press("/")
	bench.sees("part of a name")
	bench.press("bench\r") // there may be others on this network
	bench.sees(" / bench") // what changed of the title
	bench.press("D")
	bench.sees("Drain bench?")
	desk.press("3")
	bench.agreesUntil(desk, "drained")
}
