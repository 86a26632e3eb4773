package scene

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// Panes cover the content exactly: no cell twice, none left out.
func TestArrangeTiles(t *testing.T) {
	for page := Overview; page < PageCount; page++ {
		for deep := NoDeep; deep <= DeepNode; deep++ {
			for _, heat := range []bool{false, true} {
				for w := SmallestW; w < 260; w += 7 {
					for h := SmallestH - 4; h < 80; h++ {
						tile(t, fmt.Sprintf("%s deep %d heat %v %dx%d", PageNames[page], deep, heat, w, h), Arrange(page, deep, heat, w, h), w, h)
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

func TestListOrder(t *testing.T) {
	rows := []task.Task{{ID: 9}, {ID: 7}, {ID: 4}, {ID: 2}}
	for id, want := range map[task.ID]int{0: 0, 9: 0, 8: 1, 7: 1, 5: 2, 2: 3, 1: 3} {
		l := TaskList{Cursor: id}
		if got := l.Find(rows); got != want {
			t.Errorf("cursor %d is at %d, want %d", id, got, want)
		}
	}
	l := TaskList{Oldest: true, Cursor: 5}
	if got := l.Find([]task.Task{{ID: 2}, {ID: 4}, {ID: 7}}); got != 2 {
		t.Errorf("oldest first: %d", got)
	}
}
