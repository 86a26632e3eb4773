package member

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet"
)

var mill = quicnet.Offer{Cluster: "abc", Name: "mill-01"}

// next is what a screen hears after at most a moment; nothing is the zero Offer
// and false.
func next(t *testing.T, s control.OfferStream) control.Offer {
	t.Helper()
	o, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Without a screen nobody is asked. With one the node joins after a yes only,
// and each other end of the question says in words what it was.
func TestConfirm(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(t *testing.T, a *Consent, s control.OfferStream, o control.Offer)
		took  time.Duration
		words string // of the refusal; empty is a yes
	}{
		{"yes", func(t *testing.T, a *Consent, _ control.OfferStream, o control.Offer) {
			time.Sleep(time.Minute)
			if err := a.Decide(o.ID, true); err != nil {
				t.Error(err)
			}
		}, time.Minute, ""},
		{"no", func(t *testing.T, a *Consent, _ control.OfferStream, o control.Offer) {
			if err := a.Decide(o.ID, false); err != nil {
				t.Error(err)
			}
		}, 0, "said no"},
		{"nobody answers", func(*testing.T, *Consent, control.OfferStream, control.Offer) {}, askFor, "nobody there agreed within 2m0s"},
		{"the answer to another question", func(t *testing.T, a *Consent, _ control.OfferStream, o control.Offer) {
			if err := a.Decide(o.ID+1, true); task.KindOf(err) != task.KindConflict {
				t.Errorf("got %v", err)
			}
		}, askFor, "nobody there agreed"},
		{"asked again", func(t *testing.T, a *Consent, s control.OfferStream, o control.Offer) {
			go func() { _ = a.Confirm(t.Context(), mill) }()
			if again := next(t, s); again.ID == o.ID || again.By != o.By {
				t.Errorf("asked again: %+v", again)
			} else if err := a.Decide(again.ID, true); err != nil {
				t.Error(err)
			}
		}, 0, "asked again"},
		{"the screen is closed", func(_ *testing.T, _ *Consent, s control.OfferStream, _ control.Offer) {
			time.Sleep(time.Second)
			_ = s.Close()
		}, time.Second, "closed without an answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a Consent
				if err := a.Confirm(t.Context(), mill); err != nil {
					t.Error("without a screen:", err)
				}
				s := a.Watch(t.Context())
				defer s.Close()
				if o := next(t, s); o.ID != 0 {
					t.Errorf("before the question: %+v", o)
				}
				begin := time.Now()
				done := make(chan error, 1)
				go func() { done <- a.Confirm(t.Context(), mill) }()
				o := next(t, s)
				if o.ID == 0 || o.By != "mill-01" || o.Cluster != "abc" || o.Until != begin.Add(askFor).UnixMilli() {
					t.Errorf("the question: %+v", o)
				}
				if err := a.Confirm(t.Context(), quicnet.Offer{Cluster: "other"}); task.KindOf(err) != task.KindNotAllowed {
					t.Errorf("another cluster at the same time: %v", err)
				}
				c.do(t, &a, s, o)
				err := <-done
				if got := time.Since(begin); got != c.took {
					t.Errorf("it took %s", got)
				}
				if c.words == "" && err != nil || c.words != "" && (task.KindOf(err) != task.KindNotAllowed || !strings.Contains(err.Error(), c.words)) {
					t.Errorf("got %v", err)
				}
				if o, err := s.Next(); o.ID != 0 || err != nil && !errors.Is(err, io.EOF) {
					t.Errorf("after the question: %+v, %v", o, err)
				}
				if err := a.Decide(o.ID, true); task.KindOf(err) != task.KindConflict {
					t.Errorf("an answer that is too late: %v", err)
				}
			})
		})
	}
}

// A question ends when the other side gives up, and a screen that comes later
// hears the one that is open.
func TestConfirmIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Consent
		s := a.Watch(t.Context())
		defer s.Close()
		next(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Confirm(ctx, mill) }()
		next(t, s)
		late := a.Watch(t.Context())
		defer late.Close()
		if o := next(t, late); o.By != "mill-01" {
			t.Errorf("a screen that comes later hears %+v", o)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if a, b := next(t, s), next(t, late); a.ID != 0 || b.ID != 0 {
			t.Errorf("after the end: %+v, %+v", a, b)
		}
	})
}
