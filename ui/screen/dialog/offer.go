package dialog

import (
	"context"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// Calm is how long no key may have been pressed before a dialog that came up by
// itself takes one: what is typed at that moment was meant for something else.
const Calm = 1500 * time.Millisecond

// OfferDialog asks whether this node may join.
type OfferDialog struct {
	question
	Offer control.Offer
}

// Unbidden marks a dialog that came up by itself.
func (d *OfferDialog) Unbidden() {}

func offerLeft(view *scene.Scene, o control.Offer) string {
	return part.Dur(max(0, time.UnixMilli(o.Until).Sub(view.Latest.Now)).Truncate(time.Second))
}

// NewOffer asks whether this node may join the cluster that wants it. No answer
// is a no.
func NewOffer(o control.Offer) scene.Dialog {
	by := part.Clean(o.By)
	d := &OfferDialog{Offer: o}
	d.title, d.wide = by+" wants to run commands here", 68
	d.lines = func(view *scene.Scene, w int) []string {
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
	answer := func(yes bool) func(view *scene.Scene) {
		return func(view *scene.Scene) { decide(view, o, yes) }
	}
	d.buttons = []choice{{label: "Not now", do: answer(false)}, {label: "Let it join", action: "dialog.yes", harm: true, do: answer(true)}}
	d.self = d
	d.closed = answer(false)
	return d
}

func shortID(s string) string { return s[:min(8, len(s))] }

func decide(view *scene.Scene, o control.Offer, yes bool) {
	scene.Do(view, scene.About{What: "answer " + o.By}, func(ctx context.Context, c control.Control) (struct{}, error) {
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
