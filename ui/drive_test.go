package ui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/node/demo"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	if childMain() {
		return
	}
	m.Run()
}

// watched is a control that counts calls which end or take away something,
// and that can be made to fail.
type watched struct {
	control.Control
	harm atomic.Int64
	fail atomic.Bool
	said []bool // answers to offers
}

func (w *watched) Decide(_ context.Context, _ uint64, yes bool) error {
	w.said = append(w.said, yes)
	return nil
}

var errCut = errors.New("no answer from mill-01")

func (w *watched) Status(ctx context.Context) (control.Status, error) {
	if w.fail.Load() {
		return control.Status{}, errCut
	}
	return w.Control.Status(ctx)
}

func (w *watched) Cancel(ctx context.Context, r control.CancelRequest) ([]control.CancelReply, error) {
	w.harm.Add(1)
	return w.Control.Cancel(ctx, r)
}

func (w *watched) Remove(ctx context.Context, n string) (control.Node, error) {
	w.harm.Add(1)
	return w.Control.Remove(ctx, n)
}

func (w *watched) Drain(ctx context.Context, n string) (control.Node, error) {
	w.harm.Add(1)
	return w.Control.Drain(ctx, n)
}

func (w *watched) Stop(ctx context.Context, now bool) error {
	w.harm.Add(1)
	return w.Control.Stop(ctx, now)
}

func (w *watched) Promote(ctx context.Context, r control.PromoteRequest) (control.Status, error) {
	if r.Force {
		w.harm.Add(1)
	}
	return w.Control.Promote(ctx, r)
}

// driver is a person at the keyboard, in a time that moves by hand. Nothing
// in it runs in the background.
type driver struct {
	t    testing.TB
	clk  time.Time
	ctl  *watched
	col  *Collector
	m    *screen.Model
	logs map[task.ID]*part.LogBuffer
	gone bool // the person has left
	left scene.Leaving
	clip string
	seen uint64
}

type setup struct {
	demo  demo.Options
	theme string
	depth theme.Depth
	ascii bool
	opt   scene.Options
	keys  map[string][]string
	warm  time.Duration // how long the fleet is watched before the first key
}

func drive(t testing.TB, s setup) *driver {
	t.Helper()
	d := &driver{t: t, clk: time.Date(2026, 11, 23, 14, 0, 3, 0, time.UTC), logs: map[task.ID]*part.LogBuffer{}}
	s.demo.Now = func() time.Time { return d.clk }
	if s.demo.Seed == 0 {
		s.demo.Seed = 7
	}
	d.ctl = &watched{Control: demo.New(s.demo)}
	d.col = NewCollector(d.ctl, func() time.Time { return d.clk })
	if s.theme == "" {
		s.theme, s.depth = "dark", theme.TrueDeep
	}
	th, err := theme.Builtin(s.theme, true)
	if err != nil {
		t.Fatal(err)
	}
	k, err := scene.NewKeys(s.keys)
	if err != nil {
		t.Fatal(err)
	}
	d.m = screen.New(theme.NewStyles(th, s.depth, s.ascii), k, s.opt)
	d.m.Resize(80, 24)
	d.look()
	for end := d.clk.Add(s.warm); d.clk.Before(end); {
		d.pass(2 * time.Second)
	}
	return d
}

// look brings everything up to date, as the pump does at rest.
func (d *driver) look() {
	for range 2 { // what was seen may change what is wanted
		w := d.m.Want()
		if ev, err := d.ctl.Events(context.Background(), control.EventsRequest{From: d.seen + 1}); err == nil {
			d.drain(ev)
		}
		d.m.See(d.col.Collect(context.Background(), w))
		d.readLog(w.Output)
	}
}

// drain takes the events that are there now.
func (d *driver) drain(st control.EventStream) {
	defer st.Close()
	for {
		status, _ := d.ctl.Control.Status(context.Background())
		_ = status
		list, more := nextNow(st)
		if !more {
			return
		}
		d.col.Saw(list)
		d.col.stream = false // nodes are read each time
		if n := len(list); n > 0 {
			d.seen = list[n-1].Position
		}
		if len(list) < 100 {
			return
		}
	}
}

// nextNow is the next events without waiting for any.
func nextNow(st control.EventStream) ([]control.Event, bool) {
	type taker interface{ Now() []control.Event }
	if t, ok := st.(taker); ok {
		list := t.Now()
		return list, len(list) > 0
	}
	return nil, false
}

func (d *driver) readLog(id task.ID) {
	if id == 0 {
		d.m.SeeLog(0, part.NewLogBuffer())
		return
	}
	buf := part.NewLogBuffer()
	buf.End(errorText(pour(context.Background(), d.ctl, id, buf, true)))
	d.m.SeeLog(id, buf)
}

// pass lets time go by.
func (d *driver) pass(t time.Duration) {
	d.clk = d.clk.Add(t)
	d.look()
}

// keys presses keys, each half a second after the one before. "type:abc"
// types letters; "pass:2s" waits.
func (d *driver) keys(keys ...string) *driver {
	d.t.Helper()
	for _, k := range keys {
		if text, ok := strings.CutPrefix(k, "type:"); ok {
			for _, r := range text {
				d.press(string(r))
			}
			continue
		}
		if text, ok := strings.CutPrefix(k, "pass:"); ok {
			dur, err := time.ParseDuration(text)
			if err != nil {
				d.t.Fatal(err)
			}
			d.pass(dur)
			continue
		}
		d.clk = d.clk.Add(500 * time.Millisecond)
		d.press(k)
		d.look()
	}
	return d
}

// press is one key and what follows from it, at once.
func (d *driver) press(k string) {
	d.m.Key(keyMsg(k), d.clk)
	d.effects()
}

func (d *driver) effects() {
	for _, e := range d.m.TakeEffects() {
		switch v := e.(type) {
		case scene.Call:
			r, err := v.Do(context.Background(), d.ctl)
			v.Then(r, err)
			d.effects()
		case scene.Quit:
			d.gone, d.left = true, v.How
		case scene.Copy:
			d.clip = v.Text
		}
	}
}

var namedKeys = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	"backspace": tea.KeyBackspace, "ctrl+c": tea.KeyCtrlC, "ctrl+d": tea.KeyCtrlD, "ctrl+u": tea.KeyCtrlU, "ctrl+p": tea.KeyCtrlP,
	"ctrl+z": tea.KeyCtrlZ, "ctrl+y": tea.KeyCtrlY, "ctrl+o": tea.KeyCtrlO, "ctrl+j": tea.KeyCtrlJ, "space": tea.KeySpace, " ": tea.KeySpace, "delete": tea.KeyDelete,
}

func keyMsg(k string) tea.KeyMsg {
	if ty, ok := namedKeys[k]; ok {
		m := tea.KeyMsg{Type: ty}
		if ty == tea.KeySpace {
			m.Runes = []rune{' '}
		}
		return m
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

// view is the screen at a size, checked for its shape.
func (d *driver) view(w, h int) []string {
	d.t.Helper()
	d.m.Resize(w, h)
	d.look()
	lines := d.m.View()
	if err := shape(lines, w, h); err != nil {
		d.t.Fatalf("%dx%d: %v", w, h, err)
	}
	return lines
}

var _ io.Writer = (*strings.Builder)(nil)
