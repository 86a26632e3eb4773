package quicnet_test

import (
	"context"
	"testing"
	"time"
)

// A person has minutes to agree; when the other side gives up, nobody is asked
// any longer.
func TestJoinWaitsForAPerson(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newJoinWorld(t)
		a := &applicant{code: newCode(t, false)}
		w.reg.add(a.code, 9, time.Hour)
		n, id := w.node(t, "10.0.0.2:7878", a)
		asked := make(chan error, 1)
		a.ask = func(ctx context.Context) error {
			<-ctx.Done()
			asked <- ctx.Err()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := w.d.Admit(ctx, n.Addr, a.code, w.reg); err == nil || a.member() != nil {
			t.Errorf("it joined: %v", err)
		}
		<-asked
		if d := time.Since(begin); d > 12*time.Second {
			t.Errorf("asked for %s after the other side had given up", d)
		}
		a.ask = func(context.Context) error { time.Sleep(2 * time.Minute); return nil }
		if who, err := w.d.Admit(t.Context(), n.Addr, a.code, w.reg); err != nil || who.ID != id.ID() || a.member() == nil {
			t.Errorf("after a late yes: %v", err)
		}
	})
}
