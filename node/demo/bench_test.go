package demo

import (
	"context"
	"testing"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// A second of the large fleet, with its events told: what a dashboard on it
// pays for the simulation itself.
func BenchmarkSecond(b *testing.B) {
	now := time.UnixMilli(1_700_000_000_000)
	f := New(Options{Nodes: 1000, Tasks: 1_000_000, Seed: 7, Now: func() time.Time { return now }})
	st, err := f.Events(context.Background(), control.EventsRequest{Kinds: []control.EventKind{control.EventTask, control.EventNode, control.EventNotice, control.EventLoad}})
	if err != nil {
		b.Fatal(err)
	}
	told := 0
	for b.Loop() {
		for range 10 {
			now = now.Add(gather)
			told += len(st.(*stream).Now())
		}
	}
	b.ReportMetric(float64(told)/float64(b.N), "events/op")
}
