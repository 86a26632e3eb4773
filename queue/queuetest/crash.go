package queuetest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// childEnv names the part that a child process plays; see Child and Playing.
const childEnv = "OCTASKLY_QUEUETEST_CHILD"

// Playing is the part that this process was started to play by Child, or
// empty in the test itself. A test begins with
//
//	if part := queuetest.Playing(); part != "" { play(part); return }
func Playing() string { return os.Getenv(childEnv) }

// Process is a copy of the test binary that plays a part, to be killed.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	ended chan error
}

// Child starts the test that is running once more, in a process of its own,
// to play a part. Its standard output is read by Line.
func Child(t testing.TB, part string, env ...string) *Process {
	t.Helper()
	p := &Process{t: t, lines: make(chan string, 1<<16), ended: make(chan error, 1)}
	test := strings.Split(t.Name(), "/")[0]
	p.cmd = exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	p.cmd.Env = append(append(os.Environ(), childEnv+"="+part), env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		s := bufio.NewScanner(out)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			p.lines <- s.Text()
		}
		close(p.lines)
		p.ended <- p.cmd.Wait()
	}()
	t.Cleanup(p.Kill)
	return p
}

// Pid is the child's.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Line is the next line the child prints; ok is false after the last.
func (p *Process) Line() (line string, ok bool) {
	line, ok = <-p.lines
	return line, ok
}

// Lines is where its lines come, as they come.
func (p *Process) Lines() <-chan string { return p.lines }

// Kill ends the child at once, as kill -9 does, and returns when it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	if p.ended == nil {
		return
	}
	go func() {
		for range p.lines { // so that it can end
		}
	}()
	_ = <-p.ended
	p.ended = nil
}
