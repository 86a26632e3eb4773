package ui

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	tasktext "github.com/adauldev/octaskly/queue/task/text"
)

// paste is text that a terminal brings in one piece.
func (d *driver) paste(text string) *driver {
	d.m.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true}, d.clk)
	d.effects()
	return d
}

// newest is the task that was submitted last.
func (d *driver) newest() task.Task {
	d.t.Helper()
	page, err := d.ctl.List(d.t.Context(), control.Query{Limit: 1})
	if err != nil || len(page.Tasks) == 0 {
		d.t.Fatalf("no newest task: %v", err)
	}
	return page.Tasks[0]
}

func randomCommand(random *rand.Rand) string {
	pieces := []string{"echo first # one", "\n", "\n", "\t", " ", "'", `"`, `\`, "$(date)", "日本", "e\u0301\u0301\u0301", "👨\u200d👩", "x", "\u2028", ";", "\u00a0", "\U000F0000"}
	var b strings.Builder
	b.WriteString("x")
	for range 1 + random.IntN(14) {
		b.WriteString(pieces[random.IntN(len(pieces))])
	}
	return b.String()
}

// A command is the text that was typed or pasted: in the queue, in a copy, by
// the palette, and in the command line that does the same.
func TestCommandsAreKeptAsTyped(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 20}})
	random := rand.New(rand.NewPCG(3, 4))
	same := func(way, command string) {
		t.Helper()
		if got := d.newest().Spec; got.Shell != command || got.Argv != nil {
			t.Fatalf("%s: %q was submitted as %q %q", way, command, got.Shell, got.Argv)
		}
	}
	for i := range 150 {
		command := randomCommand(random)
		pasted := command
		if i%2 == 0 {
			pasted = strings.ReplaceAll(command, "\n", "\r") // as most terminals paste line breaks
		}
		d.keys("2", "n").paste(pasted).keys("enter")
		same("form", command)
		before := d.newest().ID
		if d.keys("e", "enter"); d.newest().ID == before {
			t.Fatalf("a copy of %q was not submitted", command)
		}
		same("copy", command)
		d.keys(":").paste("run " + pasted).keys("enter")
		same("palette", command)
		if runtime.GOOS == "windows" || i%5 != 0 {
			continue
		}
		line := tasktext.SubmitCommand(&task.Spec{Shell: command, Priority: task.PriorityNormal, Env: map[string]string{"A": "x y"}})
		out, err := exec.Command("sh", "-c", `octaskly() { shift $(($#-1)); printf %s "$1"; }; `+line).Output()
		if err != nil || string(out) != command {
			t.Fatalf("same as: a shell reads %q of %q: %v", out, line, err)
		}
	}
}

// The form, the page of a task and lists show that a command has several lines.
func TestLinesOfACommandAreSeen(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 20}})
	d.keys("n").paste("echo first # one\necho second").keys("ctrl+j", "type:echo third")
	for _, want := range []string{"1 echo first # one", "2 echo second", "3 echo third"} {
		if s := text(d.view(80, 24)); !strings.Contains(s, want) {
			t.Errorf("the form does not show %q:\n%s", want, s)
		}
	}
	d.keys("up", "type:X", "enter") // up goes through the lines
	if got := d.newest().Spec.Shell; got != "echo first # one\necho seconXd\necho third" {
		t.Errorf("submitted %q", got)
	}
	s := text(d.view(120, 35))
	if !strings.Contains(s, "2 echo seconXd") {
		t.Errorf("the page of the task does not show its second line:\n%s", s)
	}
	d.keys("esc", "2")
	if s := text(d.view(109, 35)); !strings.Contains(s, "echo first # one ↵ echo seconXd ↵ ec") {
		t.Errorf("the list shows no line breaks:\n%s", s)
	}
}

// A copy keeps what no field of the form can show, and arguments stay apart.
func TestCopyKeepsWhatIsNotEdited(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 20}})
	spec := task.Spec{
		Argv: []string{"printf", "%s|", "a b", "c\nd"}, Priority: task.PriorityNormal,
		Env: map[string]string{"A": "x y", "B": "1\n2"}, Name: " blank ",
	}
	reply, err := d.ctl.Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: spec}}})
	if err != nil {
		t.Fatal(err)
	}
	open := fmt.Sprintf("type:goto %d", reply.Results[0].ID)
	d.keys(":", open, "enter", "e", "enter")
	got := d.newest().Spec
	if got.RetryOf == 0 || strings.Join(got.Argv, "\x00") != strings.Join(spec.Argv, "\x00") || got.Env["A"] != "x y" || got.Env["B"] != "1\n2" {
		t.Errorf("the copy is %q with %q", got.Argv, got.Env)
	}
	d.keys(":", open, "enter", "e", "end", "type: z", "enter")
	if got := d.newest().Spec; got.Shell != "printf '%s|' 'a b' 'c\nd' z" {
		t.Errorf("the edited copy runs %q", got.Shell)
	}
}

// A command that is longer than can be submitted is refused whole, never cut.
func TestLongCommandIsNotCut(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 20}})
	long := "x" + strings.Repeat("y", 100_000)
	d.keys("n").paste(long).keys("enter")
	if got := d.newest().Spec.Shell; got != long {
		t.Errorf("%d of %d characters were submitted", len(got), len(long))
	}
	d.keys("n").paste(strings.Repeat("z", task.MaxCommandBytes+1))
	if s := text(d.view(80, 24)); !strings.Contains(s, "nothing was added") {
		t.Errorf("nothing says that the paste was refused:\n%s", s)
	}
}
