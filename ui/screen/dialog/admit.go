package dialog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

func startAdmit(view *scene.Scene) {
	needDispatcher(view, func(view *scene.Scene) { view.Open(newAdmit(view)) })
}

// newAdmit takes the code that another machine shows. Typing it is the
// consent: no key admits a node by itself.
func newAdmit(view *scene.Scene) scene.Dialog {
	name := ""
	if n := view.Node(); n != nil && n.State == control.NodeAsks {
		name = n.Name
	}
	title := "Admit a node"
	if name != "" {
		title = "Admit " + name
	}
	d := &typedDialog{wait: "somebody at its screen may have to agree", title: title, label: "The code, then a name for it if you like", same: "octaskly nodes admit CODE"}
	d.lines = func(view *scene.Scene, w int) []string {
		var asks []string
		for i := range view.Facts().Nodes {
			if n := &view.Facts().Nodes[i]; n.State == control.NodeAsks {
				asks = append(asks, n.Name+" asks, at "+n.Addr)
			}
		}
		out := view.Text(w, theme.Text, "The machine that wants to join shows a code like K7QM-3XPA on its screen (or: octaskly identity, there).")
		if len(asks) == 0 {
			return append(out, view.Text(w, theme.Muted, "No node asks just now. One that does appears here.")...)
		}
		for i, who := range asks {
			if i == 3 && len(asks) > 4 {
				out = append(out, part.NewLine(view.Styles, w).T(theme.Muted, fmt.Sprintf("  and %d more", len(asks)-i)).String())
				break
			}
			out = append(out, part.NewLine(view.Styles, w).T(theme.Lost, view.Styles.Glyphs.Asks+" ").T(theme.Text, who).String())
		}
		return append(out, view.Text(w, theme.Muted, "It becomes a worker: it may run tasks and submit some. Its code works once.")...)
	}
	d.take = func(view *scene.Scene, d *typedDialog, text string) {
		code, as, _ := strings.Cut(text, " ")
		norm, err := JoinCode(code)
		if err != nil {
			d.field.Fault = err.Error()
			return
		}
		d.busy = true
		d.same = "octaskly nodes admit " + norm
		admit(view, d, norm, strings.TrimSpace(as))
	}
	return d
}

func admit(view *scene.Scene, d *typedDialog, code, name string) {
	scene.Do(view, scene.About{What: "admit", Wait: 3 * time.Minute}, func(ctx context.Context, c control.Control) (control.Node, error) { return c.Admit(ctx, code, name) }, func(n control.Node, err error) {
		if d != nil {
			d.busy = false
		}
		if err != nil {
			if d != nil && view.IsOpen(d) {
				d.field.Fault = err.Error() + scene.HintText(task.HintOf(err))
				return
			}
			view.Fail("admit", err)
			return
		}
		if d != nil {
			view.Close(d)
		}
		text := n.Name + " is in."
		if n.Capacity.Slots > 0 {
			text += " It offers " + part.Plural(int(n.Capacity.Slots), "slot") + "."
		}
		view.Say(theme.OK, text)
	})
}

// JoinCode reads a join code as people type it: letters of Crockford's base
// 32 in two groups; O counts as 0, I and L as 1, case and hyphens do not count.
func JoinCode(s string) (string, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch {
		case r == '-' || r == ' ':
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		if !strings.ContainsRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", r) {
			return "", fmt.Errorf("%q is not in a code; a code looks like K7QM-3XPA", r)
		}
		b.WriteRune(r)
	}
	c := b.String()
	if len(c) != 8 {
		return "", fmt.Errorf("a code has 8 letters, like K7QM-3XPA; this has %d", len(c))
	}
	return c[:4] + "-" + c[4:], nil
}
