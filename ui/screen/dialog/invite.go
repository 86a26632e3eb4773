package dialog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

func startInvite(view *scene.Scene) { needDispatcher(view, func(view *scene.Scene) { invite(view) }) }

func invite(view *scene.Scene) {
	view.Say(theme.Muted, "making a code …")
	scene.Do(view, scene.About{What: "invite"}, func(ctx context.Context, c control.Control) (control.Invite, error) {
		return c.Invite(ctx, control.InviteRequest{})
	}, func(invite control.Invite, err error) {
		if err != nil {
			view.Fail("invite", err)
			return
		}
		view.Note = scene.Note{}
		view.Open(newInvite(invite))
	})
}

// newInvite shows a code that lets one node in.
func newInvite(inv control.Invite) scene.Dialog {
	q := &question{title: "Let a machine in", wide: 62, same: "octaskly invite"}
	q.lines = func(view *scene.Scene, w int) []string {
		left := time.UnixMilli(inv.Expires).Sub(view.Now()).Truncate(time.Second)
		big := part.NewLine(view.Styles, w).Sp(max(0, (w-len(inv.Code)*2-3)/2)).B(theme.Accent, spread(part.Clean(inv.Code))).String()
		out := view.Text(w, theme.Text, "On the other machine run:")
		out = append(out, part.NewLine(view.Styles, w).Sp(2).B(theme.Text, "octaskly join "+inv.Code).String(), part.NewLine(view.Styles, w).String(), big, part.NewLine(view.Styles, w).String())
		uses := "It works once"
		if inv.Uses > 1 {
			uses = fmt.Sprintf("It works %d times", inv.Uses)
		}
		if left <= 0 {
			return append(out, view.Text(w, theme.Warn, "It has expired. i makes another.")...)
		}
		return append(out, view.Text(w, theme.Muted, uses+", for another "+part.Dur(left)+". Whoever has it can run commands here: say it, do not post it.")...)
	}
	q.buttons = []choice{{label: "Done"}}
	return q
}

func spread(s string) string { return strings.Join(strings.Split(s, ""), " ") }

// newJoin says how this computer becomes part of another cluster.
func newJoin() scene.Dialog {
	q := &question{title: "Join another cluster", wide: 66, same: "octaskly join CODE"}
	q.lines = func(view *scene.Scene, w int) []string {
		id := view.Facts().Status.Self
		out := view.Text(w, theme.Text, "On the dashboard of the dispatcher press t and type this code:")
		if id.Code == "" {
			out = append(out, view.Text(w, theme.Muted, "(this node shows no code: it belongs to a cluster already)")...)
		} else {
			out = append(out, part.NewLine(view.Styles, w).String(), part.NewLine(view.Styles, w).Sp(max(0, (w-len(id.Code)*2)/2)).B(theme.Accent, spread(part.Clean(id.Code))).String(), part.NewLine(view.Styles, w).String())
		}
		out = append(out, view.Text(w, theme.Text, "Or press i there, and run here with the code that it shows:")...)
		out = append(out, part.NewLine(view.Styles, w).Sp(2).B(theme.Text, "octaskly join CODE").String())
		if len(id.Addrs) > 0 {
			out = append(out, view.Text(w, theme.Muted, "This node listens at "+strings.Join(id.Addrs, ", ")+". Fingerprint "+id.Fingerprint)...)
		}
		return out
	}
	q.buttons = []choice{{label: "Close"}}
	return q
}
