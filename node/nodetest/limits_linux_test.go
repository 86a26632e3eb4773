package nodetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// burdens are commands that take all they can get, each with a limit.
var burdens = []struct {
	name   string
	script string
	need   task.Need
	reason task.Reason
	says   string // of the limit, in the message
}{
	{"memory bomb", "x=$(head -c 800000000 /dev/zero | tr '\\0' x); echo ${#x}", task.Need{MemoryMB: 64}, "limit:memory", "64 MiB"},
	{"endless output", "exec yes", task.Need{Limits: task.Limits{OutputMB: 8}}, "limit:output", "8 MiB"},
	{"endless files", "i=0; while :; do echo x >f$i; i=$((i+1)); done", task.Need{DiskMB: 4}, "limit:disk", "4096 KiB"},
	{"sparse file of 1 TB", "truncate -s 1T big", task.Need{DiskMB: 4}, "limit:disk", "4096 KiB"},
	{"all processors", "for i in 1 2 3 4; do (while :; do :; done) & done; wait", task.Need{Limits: task.Limits{CPUTime: time.Second}}, "limit:cpu", "1s"},
	{"processes", "while :; do sleep 100 & done", task.Need{Limits: task.Limits{Processes: 24}}, "limit:processes", "24"},
}

// TestBurdens: while tasks take all memory, disk, output, processes and processors
// they can get, other tasks finish, the node answers, and each of the former ends
// by its limit, which is named with its value. Nothing of them is left.
func TestBurdens(t *testing.T) {
	u := newUser(t)
	u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off")
	u.start("w0", "worker", "--api", "off", "--max-jobs", "16", "--cpu-cores", "16")
	tasks := make([]control.NewTask, 0, len(burdens))
	for _, b := range burdens {
		tasks = append(tasks, control.NewTask{Spec: task.Spec{Name: b.name, Shell: b.script, Need: b.need}})
	}
	if os.Getenv("OCTASKLY_LONG") != "" {
		for name, script := range map[string]string{
			"10 GB of output":   "head -c 10000000000 /dev/zero",
			"a million files":   "seq 1000000 | split -l 1 -a 6 - f",
			"1 TB without room": "truncate -s 1T big",
		} {
			tasks = append(tasks, control.NewTask{Spec: task.Spec{Name: name, Shell: script}})
		}
	}
	ids := u.submit(tasks)
	others := make([]control.NewTask, 20)
	for i := range others {
		others[i].Spec = task.Spec{Shell: "echo fine", Need: task.Need{CPU: 100}}
	}
	begun := time.Now()
	fine := u.submit(others)
	find := func(id task.ID) task.Task {
		for _, x := range u.tasks() {
			if x.ID == id {
				return x
			}
		}
		return task.Task{}
	}
	for _, id := range fine {
		await(t, "the end of an ordinary task", func() bool { return find(id).State == task.Done })
	}
	t.Logf("%d ordinary tasks ended within %v", len(fine), time.Since(begun).Round(time.Millisecond))
	await(t, "the end of all", func() bool { all := u.tasks(); return ended(all) == len(all) })
	for i, b := range burdens {
		x := find(ids[i])
		if e := x.Last().Exit; x.State != task.Failed || e.Reason != b.reason || !strings.Contains(e.Message, b.says) || e.Code == 0 {
			t.Errorf("%s: %s, %+v; want %s with %q", b.name, x.State, e, b.reason, b.says)
		}
	}
	for i := len(burdens); i < len(ids); i++ {
		if x := find(ids[i]); x.State != task.Done {
			t.Errorf("%s: %s, %+v", tasks[i].Spec.Name, x.State, x.Last().Exit)
		}
	}
	await(t, "the removal of all files", func() bool {
		left, _ := filepath.Glob(filepath.Join(u.dir, "data", "octaskly", "nodes", "*", "work", "*", "*", "f*"))
		return len(left) == 0
	})
}

// TestOrphansAfterKill: the worker is killed while tasks run that do not want to
// end. Before it announces itself again nothing of them lives.
func TestOrphansAfterKill(t *testing.T) {
	rounds := testlength.Of(1, 3, 100)
	u := newUser(t)
	u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off")
	start := func() *process {
		return u.start("w0", "worker", "--api", "off", "--max-jobs", "4", "--cpu-cores", "4", "--sandbox-level", "none")
	}
	w := start()
	var longest time.Duration
	for round := range rounds {
		mark := fmt.Sprintf("octaskly-orphan-%d-%d", os.Getpid(), round)
		tree := fmt.Sprintf(`trap "" TERM HUP; for i in 1 2 3; do
setsid sh -c 'trap "" TERM; while :; do sleep 1; done' %[1]s &
(sh -c 'sh -c "while :; do sleep 1; done" %[1]s &' &)
done; while :; do sleep 1; done`, mark)
		var tasks []control.NewTask
		for _, level := range []string{"none", "basic", "strict"} {
			tasks = append(tasks, control.NewTask{Spec: task.Spec{Shell: tree, Delivery: task.AtMostOnce, Need: task.Need{Sandbox: level}}})
		}
		u.submit(tasks)
		await(t, "the processes of all tasks", func() bool { return marked(mark) >= 6*len(tasks) })
		w.kill()
		begun := time.Now()
		w = start()
		gone := time.Duration(0)
		await(t, "the worker to be back", func() bool {
			if gone == 0 && marked(mark) == 0 {
				gone = time.Since(begun)
			}
			all := u.tasks()
			return ended(all) == len(all)
		})
		if n := marked(mark); n > 0 {
			t.Fatalf("round %d: the worker is back, and %d processes of its earlier run live", round, n)
		}
		longest = max(longest, gone)
	}
	t.Logf("%d kills; after a restart the last process was gone within %v", rounds, longest.Round(time.Millisecond))
}
