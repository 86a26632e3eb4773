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

// offerDialog asks whether this node may join.
type offerDialog struct {
	question
	offer control.Offer
}

func (d *offerDialog) Unbidden() {}

func offerLeft(view *Scene, o control.Offer) string {
	return part.Dur(max(0, time.UnixMilli(o.Until).Sub(view.Latest.Now)).Truncate(time.Second))
}

func newOffer(o control.Offer) Dialog {
	by := part.Clean(o.By)
	d := &offerDialog{offer: o}
	d.title, d.wide = by+" wants to run commands here", 68
	d.lines = func(view *Scene, w int) []string {
		line := func() *part.Line { return part.NewLine(view.Styles, w) }
		var out []string
		gap := func() {
			if view.Height >= 20 {
				out = append(out, line().String())
			}
		}
		out = view.Text(w, theme.Text, "Somebody there typed the code of this node. Once it has joined, whoever may submit tasks there runs commands on this computer.")
		gap()
		out = append(out, line().Sp(2).T(theme.Muted, "cluster    ").B(theme.Text, part.Clean(shortID(o.Cluster))).String(),
			line().Sp(2).T(theme.Muted, "asks from  ").T(theme.Text, part.Clean(o.Addr)).String())
		gap()
		return append(out, view.Text(w, theme.Muted, "No answer within "+offerLeft(view, o)+" is a no.")...)
	}
	answer := func(yes bool) func(view *Scene) {
		return func(view *Scene) { decide(view, o, yes) }
	}
	d.buttons = []choice{{label: "Not now", do: answer(false)}, {label: "Let it join", action: "dialog.yes", harm: true, do: answer(true)}}
	d.self = d
	d.closed = answer(false)
	return d
}

func shortID(s string) string { return s[:min(8, len(s))] }

func decide(view *Scene, o control.Offer, yes bool) {
	Do(view, About{What: "answer " + o.By}, func(ctx context.Context, c control.Control) (struct{}, error) {
		return struct{}{}, c.Decide(ctx, o.ID, yes)
	}, func(_ struct{}, err error) {
		switch {
		case err != nil:
			view.Fail("answer "+o.By, err)
		case yes:
			view.Say(theme.OK, "this node joins the cluster of "+part.Clean(o.By))
		default:
			view.Say(theme.Muted, "this node does not join; "+part.Clean(o.By)+" is told so")
		}
	})
}
