package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// found searches to the end and returns the rows, and in how many rounds.
func found(t *testing.T, d *driver, w scene.TaskWant) (scene.Rows, int) {
	t.Helper()
	for n := 1; ; n++ {
		s := d.col.Collect(t.Context(), scene.Want{Tasks: w})
		if s.Rows.Err != "" || n > 1000 {
			t.Fatalf("after %d rounds: %q", n, s.Rows.Err)
		}
		if !s.Rows.Working {
			return s.Rows, n
		}
		if s.Rows.Searched == 0 {
			t.Fatal("it works and has looked into nothing")
		}
	}
}

func idsOf(list []task.Task) (ids []task.ID) {
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids
}

func TestSearchFindsWhatIsFarAway(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 160_000}})
	var want []task.ID // a convert command says its number, so 00077 is in task 77 or in none
	q := control.Query{Text: "photos/0007"}
	for after := task.ID(0); ; {
		q.After, q.Limit = after, 1000
		p, err := d.ctl.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, idsOf(p.Tasks)...)
		if after = p.Onward(); after == 0 {
			break
		}
	}
	if len(want) < 2 || want[0] > 79 {
		t.Fatalf("the fleet has %v, which tests nothing", want)
	}
	q = control.Query{Text: q.Text}
	rows, _ := found(t, d, scene.TaskWant{Query: q, Below: 50})
	if got := idsOf(rows.Tasks); !slices.Equal(got, want) || rows.Total != len(want) || rows.First != 0 {
		t.Errorf("from the top: %v of %d after %d, want %v", got, rows.Total, rows.First, want)
	}
	rows, _ = found(t, d, scene.TaskWant{Query: q, Anchor: want[1], Above: 50, Below: 50})
	if got := idsOf(rows.Tasks); !slices.Equal(got, want) {
		t.Errorf("around %d: %v, want %v", want[1], got, want)
	}
	rows, _ = found(t, d, scene.TaskWant{Query: q, End: true, Above: 1})
	if got := idsOf(rows.Tasks); !slices.Equal(got, want[len(want)-1:]) {
		t.Errorf("from the end: %v, want the last of %v", got, want)
	}
	rows, _ = found(t, d, scene.TaskWant{Query: control.Query{Text: "nobody-says-this"}, Below: 50})
	if len(rows.Tasks) != 0 || rows.Total != 0 {
		t.Errorf("found %d of %d where nothing is", len(rows.Tasks), rows.Total)
	}
}

func TestSearchSeesWhatComesLater(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 160_000}})
	w := scene.TaskWant{Query: control.Query{Text: "needle"}, Below: 50}
	if rows, _ := found(t, d, w); len(rows.Tasks) != 0 {
		t.Fatal("there is a needle already")
	}
	rep, err := d.ctl.Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: task.Spec{Shell: "sleep 2 # needle"}}}})
	if err != nil {
		t.Fatal(err)
	}
	id := rep.Results[0].ID
	for range 20 {
		rows, rounds := found(t, d, w)
		if rounds > 1 {
			t.Fatal("it looked through everything again for one new task")
		}
		if got := idsOf(rows.Tasks); !slices.Equal(got, []task.ID{id}) {
			t.Fatalf("found %v, want %v", got, id)
		}
		if rows.Tasks[0].State == task.Done {
			return
		}
		d.clk = d.clk.Add(time.Second)
	}
	t.Error("the row does not follow the task to its end")
}

// What is searched is on the screen until it is searched to the end.
func TestSearchTellsHowFarItIs(t *testing.T) {
	d := drive(t, setup{demo: demo.Options{Nodes: 4, Tasks: 160_000}})
	d.keys("2", "/", "type:nobody-says-this", "enter")
	for range 1000 {
		d.look()
		text := strings.Join(d.view(80, 24), "\n")
		if strings.Contains(text, "match. esc clears") {
			return
		}
		if !strings.Contains(text, "searched") {
			t.Fatalf("neither an end nor how far it is:\n%s", text)
		}
	}
	t.Error("the search does not end")
}
