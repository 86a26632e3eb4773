package screen

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// calm is how long no key may have been pressed before a dialog that came up by
// itself takes one: what is typed at that moment was meant for something else.
const calm = 1500 * time.Millisecond

// unbidden dialogs were not asked for by a key.
type unbidden interface{ unbidden() }

// offerDialog asks whether this node may join.
type offerDialog struct {
	question
	offer control.Offer
}

func (d *offerDialog) unbidden() {}

// Offered tells which cluster wants this node; the zero Offer says that it is
// over. The question comes up as soon as nothing else takes keys.
func (m *Model) Offered(o control.Offer, at time.Time) {
	old := m.offer
	m.offer = o
	if old.ID != 0 && old.ID != o.ID && m.closeOffer(old.ID) {
		words := "the question of " + part.Clean(old.By) + " is over: it gave up, or was answered elsewhere"
		if at.UnixMilli() >= old.Until-time.Second.Milliseconds() {
			words = "nobody answered " + part.Clean(old.By) + ": that is a no, and it was told so"
		}
		m.say(theme.Warn, words)
	}
	m.raise(at)
}

// closeOffer takes away the dialog about an offer, if it is there.
func (m *Model) closeOffer(id uint64) bool {
	for _, o := range m.overlays {
		if d, ok := o.(*offerDialog); ok && d.offer.ID == id {
			m.closeIt(d)
			return true
		}
	}
	return m.raised != id
}

// raise opens the dialog about an offer unless something else takes keys.
func (m *Model) raise(at time.Time) {
	if m.offer.ID == 0 || m.raised == m.offer.ID || len(m.overlays) > 0 || m.find != nil {
		return
	}
	m.raised, m.openedAt = m.offer.ID, at
	m.open(newOffer(m.offer))
}

// waitingOffer says whose offer cannot come up yet.
func (m *Model) waitingOffer() (string, bool) {
	if m.offer.ID == 0 || m.raised == m.offer.ID {
		return "", false
	}
	return part.Clean(m.offer.By), true
}

func (m *Model) offerLeft(o control.Offer) string {
	return part.Dur(max(0, time.UnixMilli(o.Until).Sub(m.snap.Now)).Truncate(time.Second))
}

func newOffer(o control.Offer) overlay {
	by := part.Clean(o.By)
	d := &offerDialog{offer: o}
	d.title, d.wide = by+" wants to run commands here", 68
	d.lines = func(m *Model, w int) []string {
		line := func() *part.Line { return part.NewLine(m.s, w) }
		var out []string
		gap := func() {
			if m.h >= 20 {
				out = append(out, line().String())
			}
		}
		out = m.text(w, theme.Text, "Somebody there typed the code of this node. Once it has joined, whoever may submit tasks there runs commands on this computer.")
		gap()
		out = append(out, line().Sp(2).T(theme.Muted, "cluster    ").B(theme.Text, part.Clean(shortID(o.Cluster))).String(),
			line().Sp(2).T(theme.Muted, "asks from  ").T(theme.Text, part.Clean(o.Addr)).String())
		gap()
		return append(out, m.text(w, theme.Muted, "No answer within "+m.offerLeft(o)+" is a no.")...)
	}
	answer := func(yes bool) func(m *Model) {
		return func(m *Model) { m.decide(o, yes) }
	}
	d.buttons = []choice{{label: "Not now", do: answer(false)}, {label: "Let it join", action: "dialog.yes", harm: true, do: answer(true)}}
	d.self = d
	d.closed = answer(false)
	return d
}

func shortID(s string) string { return s[:min(8, len(s))] }

func (m *Model) decide(o control.Offer, yes bool) {
	m.do(Call{
		What: "answer " + o.By,
		Do:   func(ctx context.Context, c control.Control) (any, error) { return nil, c.Decide(ctx, o.ID, yes) },
		Then: func(m *Model, _ any, err error) {
			switch {
			case err != nil:
				m.fail("answer "+o.By, err)
			case yes:
				m.say(theme.OK, "this node joins the cluster of "+part.Clean(o.By))
			default:
				m.say(theme.Muted, "this node does not join; "+part.Clean(o.By)+" is told so")
			}
		},
	})
}
