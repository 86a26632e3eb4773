package dialog

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// TestFormReadsBackWhatItShows: a copy of a task asks for what the task asked for,
// whatever stands in its variables, tags and labels.
func TestFormReadsBackWhatItShows(t *testing.T) {
	want := task.Spec{
		Shell: "make", Name: "n m", Tags: []string{"a", "b c", "d,e"}, Priority: 60, Timeout: -1, Retries: 3, Dir: "/srv/a b",
		Env: map[string]string{"A": "x y", "B": `it's "so"`, "C": ""}, Backoff: task.BackoffFixed, RetryOn: []int32{75}, Grace: time.Minute,
		Need: task.Need{CPU: 2500, MemoryMB: 1536, GPUs: 1, On: "mill-02", Sandbox: "strict", Labels: map[string]string{"os": "linux", "disk": "ssd, fast"}},
	}
	f := newForm(&scene.Scene{}, &task.Task{ID: 7, Spec: want})
	want.RetryOf = 7
	if f.faulty || !reflect.DeepEqual(f.spec, want) {
		t.Errorf("a copy asks for %+v\nwant           %+v", f.spec, want)
		for _, field := range f.fields {
			t.Logf("%s: %q %s", field.Label, field.Value(), field.Fault)
		}
	}
}

// TestFormSizesAreThoseOfFlags: 2GB is the same everywhere.
func TestFormSizesAreThoseOfFlags(t *testing.T) {
	for in, want := range map[string]int64{"2GB": 1908, "2GiB": 2048, "2g": 2048, "512": 512, "": 0, "-": 0} {
		var s task.Spec
		if err := fieldReaders[fMemory](&s, in); err != nil || s.Need.MemoryMB != want {
			t.Errorf("%q is %d MiB, %v; want %d", in, s.Need.MemoryMB, err, want)
		}
	}
}

// TestTaskFile: a file of tasks is read as octaskly submit --from reads it. What
// asks for very-strict on another node must not run here at no level.
func TestTaskFile(t *testing.T) {
	list, err := readTasks(t.Context(), strings.NewReader("# a comment\n\nmake test\n"+
		`{"command":["echo","a b"],"name":"hi","priority":"high","timeout":30,"retry_count":2,"on":"no-such-node","sandbox_level":"very-strict"}`+"\n"))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if s := list[1].Spec; list[0].Spec.Shell != "make test" || len(s.Argv) != 2 || s.Priority != task.PriorityHigh || s.Timeout != 30*time.Second ||
		s.Retries != 2 || s.Need.On != "no-such-node" || s.Need.Sandbox != "very-strict" {
		t.Errorf("%+v", list)
	}
	for in, want := range map[string]string{
		"": "no commands", "ok\n{bad": "line 2", `{"name":"x"}`: "line 1", `{"command":"x","priority":"soon"}`: "priority",
		`{"command":"x","comand":"typo"}`: `no field "comand"`, `{"command":"x","retries":3}`: `no field "retries"`,
	} {
		if _, err := readTasks(t.Context(), strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestMeets(t *testing.T) {
	n := control.Node{Name: "a", Capacity: task.Capacity{CPU: 4000, MemoryMB: 1000, Labels: map[string]string{"os": "linux"}, Sandboxes: []string{"basic"}}}
	for _, c := range []struct {
		need task.Need
		want bool
	}{
		{task.Need{}, true},
		{task.Need{CPU: 4000}, true},
		{task.Need{CPU: 4001}, false},
		{task.Need{MemoryMB: 1001}, false},
		{task.Need{GPUs: 1}, false},
		{task.Need{On: "a"}, true},
		{task.Need{On: "b"}, false},
		{task.Need{Labels: map[string]string{"os": "linux"}}, true},
		{task.Need{Labels: map[string]string{"os": "windows"}}, false},
		{task.Need{Sandbox: "basic"}, true},
		{task.Need{Sandbox: "strict"}, false},
	} {
		if got := meets(&c.need, &n); got != c.want {
			t.Errorf("%+v: %v", c.need, got)
		}
	}
}
