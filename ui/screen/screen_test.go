package screen

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
)

// Panes cover the content exactly: no cell twice, none left out.
func TestArrangeTiles(t *testing.T) {
	for page := Overview; page < pageCount; page++ {
		for deep := NoDeep; deep <= DeepNode; deep++ {
			for _, heat := range []bool{false, true} {
				for w := SmallestW; w < 260; w += 7 {
					for h := SmallestH - 4; h < 80; h++ {
						tile(t, fmt.Sprintf("%s deep %d heat %v %dx%d", pageNames[page], deep, heat, w, h), Arrange(page, deep, heat, w, h), w, h)
					}
				}
			}
		}
	}
}

func tile(t *testing.T, name string, list []Placed, w, h int) {
	t.Helper()
	area := 0
	for i, p := range list {
		if p.X < 0 || p.Y < 0 || p.X+p.W > w || p.Y+p.H > h || p.W < 4 || p.H < 2 {
			t.Fatalf("%s: pane %d at %+v", name, p.Pane, p.Rect)
		}
		area += p.W * p.H
		for _, q := range list[i+1:] {
			if p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H {
				t.Fatalf("%s: panes %d and %d overlap", name, p.Pane, q.Pane)
			}
		}
	}
	if area != w*h {
		t.Fatalf("%s: %d of %d cells are covered", name, area, w*h)
	}
}

func TestFrameIsTheWholeScreen(t *testing.T) {
	for h := SmallestH; h < 100; h++ {
		f := FrameOf(80, h)
		if f.Content.H < 1 || f.Content.Y+f.Content.H != f.NoteY || f.FootY != h-1 {
			t.Errorf("%d: %+v", h, f)
		}
	}
}

func TestKeysDoNotClash(t *testing.T) {
	k, err := NewKeys(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range k.All() {
		for _, key := range b.Keys {
			for _, kept := range []string{"ctrl+c", "ctrl+s", "ctrl+q", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m"} {
				if key == kept {
					t.Errorf("%s takes %s, which belongs to the terminal", b.Action, key)
				}
			}
			if strings.HasPrefix(key, "ctrl+") && writes[b.Action] {
				t.Errorf("%s changes something and is on %s", b.Action, key)
			}
		}
	}
}

func TestRemap(t *testing.T) {
	k, err := NewKeys(map[string][]string{"task.cancel": {"X"}})
	if err != nil {
		t.Fatal(err)
	}
	if k.Action(InTasks, "X") != "task.cancel" || k.Action(InTasks, "x") != "" {
		t.Error("the key did not move")
	}
	if _, err := NewKeys(map[string][]string{"task.cancel": {"n"}}); err == nil || !strings.Contains(err.Error(), "task.cancel") || !strings.Contains(err.Error(), "task.new") {
		t.Errorf("a clash must name both: %v", err)
	}
	if _, err := NewKeys(map[string][]string{"task.explode": {"n"}}); err == nil || !strings.Contains(err.Error(), "task.explode") {
		t.Errorf("an unknown action must be named: %v", err)
	}
	for _, key := range []string{"ctlr+x", "Enter", "xx", "ctrl+", "", "\x1b", "alt+", "f99"} {
		if _, err := NewKeys(map[string][]string{"task.cancel": {key}}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", key)) {
			t.Errorf("%q is no key: %v", key, err)
		}
	}
	for _, key := range []string{"ctrl+x", "f5", "alt+x", "alt+enter", "Ü", "shift+up", "delete"} {
		if _, err := NewKeys(map[string][]string{"task.cancel": {key}}); err != nil {
			t.Errorf("%q is a key: %v", key, err)
		}
	}
	for _, b := range defaults() {
		for _, key := range b.Keys {
			if !isKey(key) {
				t.Errorf("%s is on %q, which is no key", b.Action, key)
			}
		}
	}
}

func TestParseFilter(t *testing.T) {
	now := time.UnixMilli(1_000_000_000)
	q, err := ParseFilter("ffmpeg state=failed,lost node=mill-02 tag=ci s01 id=4,5 since=10m state=", now)
	if err != nil {
		t.Fatal(err)
	}
	if q.Text != "ffmpeg s01" || fmt.Sprint(q.States) != "[failed lost]" || q.Nodes[0] != "mill-02" || q.Tags[0] != "ci" || len(q.IDs) != 2 || q.Since != 1_000_000_000-600_000 {
		t.Errorf("%+v", q)
	}
	for in, want := range map[string]string{"state=x": "not a state", "id=x": "not a task number", "since=x": "not a time", "colour=red": "not one of"} {
		if _, err := ParseFilter(in, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("ffmpeg state=failed,lost since=10m =x a= id=1")
	f.Fuzz(func(t *testing.T, s string) { _, _ = ParseFilter(s, time.Unix(0, 0)) })
}

func TestJoinCode(t *testing.T) {
	for in, want := range map[string]string{"k7qm-3xpa": "K7QM-3XPA", "K7QM3XPA": "K7QM-3XPA", "kOqm-ilpa": "K0QM-11PA", " k7 qm 3x pa": "K7QM-3XPA"} {
		if got, err := JoinCode(in); err != nil || got != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{"", "K7QM", "K7QM-3XPU", "K7QM-3XPA-1", "名前名前"} {
		if _, err := JoinCode(in); err == nil {
			t.Errorf("%q passed", in)
		}
	}
}

// TestFormReadsBackWhatItShows: a copy of a task asks for what the task asked for,
// whatever stands in its variables, tags and labels.
func TestFormReadsBackWhatItShows(t *testing.T) {
	want := task.Spec{
		Shell: "make", Name: "n m", Tags: []string{"a", "b c", "d,e"}, Priority: 60, Timeout: -1, Retries: 3, Dir: "/srv/a b",
		Env: map[string]string{"A": "x y", "B": `it's "so"`, "C": ""}, Backoff: task.BackoffFixed, RetryOn: []int32{75}, Grace: time.Minute,
		Need: task.Need{CPU: 2500, MemoryMB: 1536, GPUs: 1, On: "mill-02", Sandbox: "strict", Labels: map[string]string{"os": "linux", "disk": "ssd, fast"}},
	}
	f := newForm(&Scene{}, &task.Task{ID: 7, Spec: want})
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

// Repeated events become one line; ten seconds later a new one begins.
func TestFold(t *testing.T) {
	th, _ := theme.Builtin("dark", true)
	view := &Scene{Styles: theme.NewStyles(th, theme.Plain, false)}
	var list []control.Event
	for i := range 118 {
		list = append(list, control.Event{Position: uint64(i), Time: int64(i) * 50, Kind: control.EventTask, Task: task.ID(i + 1), To: task.Failed, Node: "node-118", Exit: &task.Exit{Code: 2}})
	}
	list = append(list, control.Event{Position: 200, Time: 20_000, Kind: control.EventTask, Task: 500, To: task.Failed, Node: "node-118", Exit: &task.Exit{Code: 2}})
	got := fold(view, list)
	if len(got) != 2 || got[1].count != 118 || got[0].count != 1 {
		t.Fatalf("%+v", got)
	}
	if w := got[1].words(); w != "118 tasks failed on node-118, the last is 118" {
		t.Errorf("%q", w)
	}
}

func TestListOrder(t *testing.T) {
	rows := []task.Task{{ID: 9}, {ID: 7}, {ID: 4}, {ID: 2}}
	for id, want := range map[task.ID]int{0: 0, 9: 0, 8: 1, 7: 1, 5: 2, 2: 3, 1: 3} {
		l := TaskList{cursor: id}
		if got := l.find(rows); got != want {
			t.Errorf("cursor %d is at %d, want %d", id, got, want)
		}
	}
	l := TaskList{oldest: true, cursor: 5}
	if got := l.find([]task.Task{{ID: 2}, {ID: 4}, {ID: 7}}); got != 2 {
		t.Errorf("oldest first: %d", got)
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
