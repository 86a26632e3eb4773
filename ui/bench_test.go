package ui

import (
	"context"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

func million(b *testing.B) *driver {
	d := drive(b, setup{demo: demo.Options{Nodes: 1000, Tasks: 1_000_000}})
	d.m.Resize(200, 50)
	return d
}

// BenchmarkKeyToScreen is a key, what is fetched because of it, and the drawing, with
// 1,000 nodes and 1,000,000 tasks.
func BenchmarkKeyToScreen(b *testing.B) {
	for _, c := range []struct{ name, page, key string }{{"tasks", "2", "j"}, {"tasks-page", "2", "ctrl+d"}, {"heat", "3", "l"}, {"overview", "1", "j"}} {
		b.Run(c.name, func(b *testing.B) {
			d := million(b)
			d.keys(c.page)
			for b.Loop() {
				d.clk = d.clk.Add(time.Millisecond)
				d.press(c.key)
				d.m.See(d.col.Collect(context.Background(), d.m.Want()))
				_ = d.m.View()
			}
		})
	}
}

// BenchmarkDraw is the drawing alone.
func BenchmarkDraw(b *testing.B) {
	for _, c := range []struct{ name, page string }{{"overview", "1"}, {"tasks", "2"}, {"heat", "3"}, {"events", "4"}} {
		b.Run(c.name, func(b *testing.B) {
			d := million(b)
			d.keys(c.page)
			for b.Loop() {
				_ = d.m.View()
			}
		})
	}
}

// BenchmarkSnapshot is what the pump does four times a second.
func BenchmarkSnapshot(b *testing.B) {
	d := million(b)
	d.keys("2")
	var s *scene.Snapshot
	for b.Loop() {
		d.clk = d.clk.Add(time.Millisecond)
		s = d.col.Collect(context.Background(), d.m.Want())
	}
	d.m.See(s)
}

// BenchmarkFilter is the first page of a filter over 1,000,000 tasks, from the key
// that accepts it to the drawing; all-ms is until the last task was looked into.
func BenchmarkFilter(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"state", "state=failed"}, {"words", "ffmpeg"}, {"no-match", "zzzz-no-such-thing"}} {
		b.Run(c.name, func(b *testing.B) {
			d := million(b)
			d.keys("2")
			see := func() { d.m.See(d.col.Collect(context.Background(), d.m.Want())) }
			var all time.Duration
			for b.Loop() {
				begin := time.Now()
				d.press("/")
				for _, r := range c.text {
					d.press(string(r))
				}
				d.press("enter")
				see()
				_ = d.m.View()
				b.StopTimer()
				for d.col.find.working() {
					see()
					_ = d.m.View()
				}
				all += time.Since(begin)
				d.press("esc")
				see()
				b.StartTimer()
			}
			b.ReportMetric(float64(all.Milliseconds())/float64(b.N), "all-ms")
		})
	}
}
