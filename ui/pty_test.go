//go:build linux

package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
)

const childEnv = "OCTASKLY_UI_CHILD"

// bomb panics where it is told to.
type bomb struct {
	control.Control
	where string
}

func (b bomb) Invite(context.Context, control.InviteRequest) (control.Invite, error) {
	if b.where == "call" {
		panic("bomb in a call")
	}
	return control.Invite{}, nil
}

func (b bomb) Get(ctx context.Context, id task.ID) (task.Task, error) {
	if b.where == "pump" {
		panic("bomb in the pump")
	}
	return b.Control.Get(ctx, id)
}

// childMain is the program that the terminal tests start: the dashboard on
// the terminal it was given.
func childMain() bool {
	mode := os.Getenv(childEnv)
	if mode == "" {
		return false
	}
	th, _ := theme.Builtin("dark", true)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if mode == "context" { // as the program does it
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
	}
	left, err := Run(ctx, Options{
		Control: bomb{demo.New(demo.Options{Seed: 7, Tasks: 300}), mode}, In: os.Stdin, Out: os.Stdout,
		Styles: theme.NewStyles(th, theme.ANSI256, false), Demo: true, StateDir: os.TempDir(),
	})
	var crash *CrashError
	if errors.As(err, &crash) {
		fmt.Printf("crash report: %v\n", crash.Value)
		_ = os.Remove(crash.Path)
		os.Exit(70)
	}
	fmt.Printf("left %d %v\n", left, err)
	return true
}

// terminal is a pseudo-terminal with the dashboard on it.
type terminal struct {
	t    *testing.T
	f    *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	done chan error
	was  *unix.Termios
}

func open(t *testing.T, mode string) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("there is no pseudo-terminal: %v", err)
	}
	_ = pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80})
	x := &terminal{t: t, f: master, done: make(chan error, 1)}
	if x.was, err = unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS); err != nil {
		t.Fatal(err)
	}
	x.cmd = exec.Command(os.Args[0])
	x.cmd.Env = append(os.Environ(), childEnv+"="+mode, "TERM=xterm-256color")
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = slave, slave, slave
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := master.Read(buf)
			x.mu.Lock()
			x.out.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { x.done <- x.cmd.Wait() }()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = slave.Close()
		_ = master.Close()
	})
	x.await("octaskly")
	x.await("mill-02")
	return x
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.out.String()
}

// await waits until the terminal has got some text.
func (x *terminal) await(want string) {
	x.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !strings.Contains(x.text(), want) {
		select {
		case <-tick.C:
		case <-limit:
			x.t.Fatalf("%q did not appear in %q", want, x.text())
		}
	}
}

func (x *terminal) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.out.Reset()
}

func (x *terminal) press(s string) { _, _ = io.WriteString(x.f, s) }

// ends waits for the program's end and checks that the terminal is as it was.
func (x *terminal) ends(code int) {
	x.t.Helper()
	select {
	case <-x.done:
	case <-time.After(30 * time.Second):
		x.t.Fatalf("it does not end: %q", x.text())
	}
	if got := x.cmd.ProcessState.ExitCode(); got != code {
		x.t.Errorf("exit code %d, want %d: %q", got, code, x.text())
	}
	now, err := unix.IoctlGetTermios(int(x.f.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	if *now != *x.was {
		x.t.Errorf("the terminal's settings changed: %+v, were %+v", *now, *x.was)
	}
	out := x.text()
	for on, off := range map[string]string{
		"\x1b[?1049h": "\x1b[?1049l", "\x1b[?25l": "\x1b[?25h", "\x1b[?1002h": "\x1b[?1002l",
		"\x1b[?1006h": "\x1b[?1006l", "\x1b[?1004h": "\x1b[?1004l", "\x1b[?2004h": "\x1b[?2004l",
	} {
		if i := strings.LastIndex(out, on); i >= 0 && strings.LastIndex(out, off) < i {
			x.t.Errorf("mode %q was left on", on)
		}
	}
}

func TestTerminalQuit(t *testing.T) {
	x := open(t, "run")
	x.press("q")
	x.ends(0)
}

func TestTerminalResize(t *testing.T) {
	x := open(t, "run")
	for _, s := range []pty.Winsize{{Rows: 1, Cols: 1}, {Rows: 50, Cols: 200}, {Rows: 3, Cols: 500}, {Rows: 24, Cols: 80}} {
		if err := pty.Setsize(x.f, &s); err != nil {
			t.Fatal(err)
		}
	}
	x.forget()
	x.press("2")
	x.await("COMMAND")
	x.press("q")
	x.ends(0)
}

func TestTerminalSuspend(t *testing.T) {
	x := open(t, "run")
	x.forget()
	x.press("\x1a")
	x.await("\x1b[?1049l")
	x.forget()
	// A session's first process is never stopped by the terminal, so nothing
	// tells when it listens for the signal; it is sent until it is heard.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; n < 600 && !strings.Contains(x.text(), "octaskly"); n++ {
		if err := x.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		<-tick.C
	}
	x.await("octaskly")
	x.press("q")
	x.ends(0)
}

func TestTerminalSIGTERM(t *testing.T) {
	for _, mode := range []string{"run", "context"} {
		x := open(t, mode)
		if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		x.ends(0)
	}
}

func TestTerminalPanic(t *testing.T) {
	for mode, key := range map[string]string{"call": "i", "pump": "2"} {
		x := open(t, mode)
		x.press(key)
		if mode == "pump" {
			x.await("COMMAND")
			x.press("\r")
		}
		x.await("crash report: bomb in")
		x.ends(70)
	}
}
