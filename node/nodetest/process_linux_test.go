package nodetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// binary builds the real program once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "octaskly-bin-")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "octaskly")
	args := []string{"build", "-o", out}
	if bugsBuilt {
		args = append(args, "-tags", "octaskly_bugs")
	}
	cmd := exec.Command("go", append(args, "../..")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, b)
	}
	return out, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built {
		if bin, err := binary(); err == nil {
			_ = os.RemoveAll(filepath.Dir(bin))
		}
	}
	os.Exit(code)
}

var built bool

// user is somebody with a home of their own who runs the real program.
type user struct {
	t   *testing.T
	bin string
	dir string
	env []string
}

func newUser(t *testing.T, env ...string) *user {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real processes")
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	built = true
	dir, err := os.MkdirTemp("", "octaskly-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.MkdirAll(filepath.Join(dir, "run"), 0o700); err != nil {
		t.Fatal(err)
	}
	u := &user{t: t, bin: bin, dir: dir}
	u.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "XDG_DATA_HOME=" + filepath.Join(dir, "data"),
		"XDG_STATE_HOME=" + filepath.Join(dir, "state"), "XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
		"OCTASKLY_ALLOW_ROOT_TASKS=1",
	}, env...)
	return u
}

func (u *user) paths() config.Paths {
	data := filepath.Join(u.dir, "data", "octaskly")
	return config.Paths{
		Data: data, Cluster: filepath.Join(data, "cluster"), Nodes: filepath.Join(data, "nodes"),
		State: filepath.Join(u.dir, "state", "octaskly"), Runtime: filepath.Join(u.dir, "run", "octaskly"),
	}
}

func (u *user) command(args ...string) *exec.Cmd {
	cmd := exec.Command(u.bin, args...)
	cmd.Env, cmd.Dir = u.env, u.dir
	return cmd
}

// run runs a verb to its end.
func (u *user) run(args ...string) (stdout, stderr string, code int) {
	cmd := u.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// process is a node that runs as a process.
type process struct {
	cmd *exec.Cmd
	log string
}

func (u *user) start(name string, args ...string) *process {
	u.t.Helper()
	p := &process{cmd: u.command(append([]string{"--headless"}, args...)...), log: filepath.Join(u.dir, name+".log")}
	f, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		u.t.Fatal(err)
	}
	defer f.Close()
	p.cmd.Stdout, p.cmd.Stderr = f, f
	if err := p.cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		p.kill()
		if u.t.Failed() {
			b, _ := os.ReadFile(p.log)
			u.t.Logf("the log of %s ends with\n%s", name, b[max(0, len(b)-3000):])
		}
	})
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
}

// await calls until it is true, for at most a minute and a half, or an hour of a long run.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	patience := 90 * time.Second
	if os.Getenv("OCTASKLY_LONG") != "" {
		patience = time.Hour // what is tried then may take long
	}
	for end := time.Now().Add(patience); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s does not come true", what)
		}
	}
}

// control reaches the node of this user, again and again until one answers.
func (u *user) control() (c control.Control, end func()) {
	u.t.Helper()
	var closer io.Closer
	await(u.t, "a node that answers", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		var err error
		cfg := config.Default()
		c, closer, err = client.Dial(ctx, &cfg, u.paths(), "test")
		return err == nil
	})
	return c, func() { _ = closer.Close() }
}

// submit submits until it is acknowledged.
func (u *user) submit(tasks []control.NewTask) (ids []task.ID) {
	u.t.Helper()
	await(u.t, "an acknowledgement", func() bool {
		c, end := u.control()
		defer end()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		r, err := c.Submit(ctx, control.SubmitRequest{Tasks: tasks})
		if err != nil {
			return false
		}
		ids = ids[:0]
		for _, x := range r.Results {
			if x.ID == 0 {
				return false
			}
			ids = append(ids, x.ID)
		}
		return true
	})
	return ids
}

// tasks lists everything.
func (u *user) tasks() (all []task.Task) {
	u.t.Helper()
	await(u.t, "a complete list", func() bool {
		c, end := u.control()
		defer end()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		all = all[:0]
		q := control.Query{Oldest: true, Limit: 500}
		for {
			p, err := c.List(ctx, q)
			if err != nil {
				return false
			}
			if all = append(all, p.Tasks...); !p.More {
				return true
			}
			q.After = all[len(all)-1].ID
		}
	})
	return all
}

func ended(all []task.Task) (n int) {
	for i := range all {
		if all[i].State.Terminal() {
			n++
		}
	}
	return n
}

func (u *user) witnessed(file string) []task.Event {
	u.t.Helper()
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		u.t.Fatal(err)
	}
	defer f.Close()
	h, err := ReadWitness(f)
	if err != nil {
		u.t.Fatal(err)
	}
	return h
}

// TestKills: while many short tasks run, the dispatcher is killed five times and
// workers five times. What was acknowledged ends once, what may run once runs
// at most once, and an idempotent submit that is repeated over kills is one task.
func TestKills(t *testing.T) {
	count, length := testlength.Of(240, 600, 2000), testlength.Of("0.02", "0.02", "0.05")
	u := newUser(t)
	if vs := u.kills(count, length); len(vs) > 0 {
		t.Errorf("%d violations\n%s", len(vs), Report(vs))
	}
}

func (u *user) kills(count int, length string) []Violation {
	t := u.t
	file := filepath.Join(u.dir, "witness")
	disp := u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--sandbox-level", "none")
	workers := []*process{u.start("w0", "worker", "--max-jobs", "4", "--api", "off", "--sandbox-level", "none"), u.start("w1", "worker", "--max-jobs", "4", "--api", "off", "--sandbox-level", "none")}
	h := &History{}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := g; i < count/10; i += 4 {
				u.submitNoted(h, i, file, length)
			}
		})
	}
	// A kill after each eleventh of the runs, in turn.
	for k := range 10 {
		await(t, "the next kill", func() bool { return len(u.witnessed(file)) >= count*(k+1)/12 })
		if k%2 == 0 {
			disp.kill()
			disp = u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--sandbox-level", "none")
		} else {
			w := k / 2 % 2
			workers[w].kill()
			workers[w] = u.start(fmt.Sprint("w", w), "worker", "--max-jobs", "4", "--api", "off", "--sandbox-level", "none")
		}
	}
	wg.Wait()
	var all []task.Task
	await(t, "the end of all tasks", func() bool { all = u.tasks(); return ended(all) == len(all) })
	events := h.Events()
	slices.SortFunc(events, func(a, b task.Event) int { return int(a.Seq) - int(b.Seq) })
	events = append(events, task.Event{Kind: task.EvCrash}, task.Event{Kind: task.EvReadCall, Read: 1})
	for i := range all {
		events = append(events, task.Event{Kind: task.EvSeen, Read: 1, Task: all[i].ID, State: all[i].State})
	}
	events = append(append(events, task.Event{Kind: task.EvReadOK, Read: 1}), u.witnessed(file)...)
	found := Check(events, CheckOptions{Witnessed: true, Complete: true, Lossy: true})
	if len(all) != count {
		found = append(found, Violation{Invariant: "I3", Text: fmt.Sprintf("%d tasks of %d submits", len(all), count)})
	}
	lost := 0
	for i := range all {
		switch x := &all[i]; {
		case x.State == task.Lost && x.Spec.Delivery == task.AtMostOnce:
			lost++
		case x.State != task.Done:
			found = append(found, Violation{Invariant: "I5", Task: x.ID, Text: "it is " + x.State.String()})
		}
	}
	t.Logf("%d tasks, %d runs, %d lost", len(all), len(u.witnessed(file)), lost)
	return found
}

// submitNoted submits ten tasks with keys, and each second time once more.
func (u *user) submitNoted(h *History, batch int, file, length string) {
	tasks := make([]control.NewTask, 10)
	for k := range tasks {
		spec := task.Spec{Shell: WitnessLine(file) + "; sleep " + length}
		if k%5 == 0 {
			spec.Delivery = task.AtMostOnce
		}
		tasks[k] = control.NewTask{Spec: spec, Key: fmt.Sprintf("%d-%d", batch, k)}
		h.Record(task.Event{Kind: task.EvSubmitCall, Key: tasks[k].Key, Hash: spec.Delivery.String(), By: "me"})
	}
	for range 1 + batch%2 {
		for k, id := range u.submit(tasks) {
			h.Record(task.Event{Kind: task.EvSubmitOK, Key: tasks[k].Key, Hash: tasks[k].Spec.Delivery.String(), By: "me", Task: id, Delivery: tasks[k].Spec.Delivery})
		}
	}
}

// TestShortAbsenceRerunsNothing: the dispatcher is away while tasks run and end; all
// results reach it later, and each task ran once.
func TestShortAbsenceRerunsNothing(t *testing.T) {
	u := newUser(t)
	file, ends := filepath.Join(u.dir, "witness"), filepath.Join(u.dir, "ends")
	disp := u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--sandbox-level", "none")
	u.start("w0", "worker", "--max-jobs", "8", "--api", "off", "--sandbox-level", "none")
	u.start("w1", "worker", "--max-jobs", "8", "--api", "off", "--sandbox-level", "none")
	tasks := make([]control.NewTask, 32)
	for i := range tasks {
		tasks[i].Spec = task.Spec{Shell: WitnessLine(file) + "; sleep 2; echo >>" + ends, Need: task.Need{CPU: 100}}
	}
	u.submit(tasks)
	await(t, "the first runs", func() bool { return len(u.witnessed(file)) >= 8 })
	disp.kill()
	before, _ := os.ReadFile(ends) // not there yet if nothing has ended
	await(t, "ends that the dispatcher does not hear of", func() bool {
		now, _ := os.ReadFile(ends)
		return len(now) >= len(before)+4
	})
	u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--sandbox-level", "none")
	var all []task.Task
	await(t, "the end of all tasks", func() bool { all = u.tasks(); return ended(all) == len(tasks) })
	runs := map[task.ID]int{}
	for _, e := range u.witnessed(file) {
		runs[e.Task]++
	}
	for i := range all {
		if all[i].State != task.Done || runs[all[i].ID] != 1 {
			t.Errorf("task %d is %s after %d runs", all[i].ID, all[i].State, runs[all[i].ID])
		}
	}
}

// TestThreeProcesses: files of a package of Go's library are hashed, each by a
// task, and the results are those of this process.
func TestThreeProcesses(t *testing.T) {
	u := newUser(t)
	file := filepath.Join(u.dir, "witness")
	u.start("dispatcher", "dispatcher", "--api", "off", "--sandbox-level", "none")
	u.start("w0", "worker", "--api", "off", "--sandbox-level", "none")
	u.start("w1", "worker", "--api", "off", "--sandbox-level", "none")
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "net", "*.go"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	files = files[:min(len(files), testlength.Of(40, 1000, 1000))]
	tasks := make([]control.NewTask, len(files))
	for i, f := range files {
		tasks[i].Spec = task.Spec{Shell: WitnessLine(file) + "; sha256sum " + f}
	}
	ids := u.submit(tasks)
	await(t, "the end of all tasks", func() bool { return ended(u.tasks()) == len(files) })
	c, end := u.control()
	defer end()
	for i, id := range ids {
		b, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		x, err := c.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x  %s\n", sha256.Sum256(b), files[i]); x.State != task.Done || !strings.Contains(string(x.Last().Output.Inline), want) {
			t.Errorf("task %d is %s and wrote %q, want %q", id, x.State, x.Last().Output.Inline, want)
		}
	}
	runs := map[task.ID]int{}
	for _, e := range u.witnessed(file) {
		runs[e.Task]++
	}
	for _, id := range ids {
		if runs[id] != 1 {
			t.Errorf("task %d ran %d times", id, runs[id])
		}
	}
}
