package screen

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// newPromote makes this node the dispatcher, if there is none; says what is
// not possible yet, if there is one; warns, if there is one that is silent.
func newPromote(m *Model) overlay {
	s := m.view()
	self := s.Status.Self.Name
	if s.Link.State == Gone && s.Status.Dispatcher != "" {
		return newTakeOver(m)
	}
	if d := s.Status.Dispatcher; d != "" {
		q := &question{title: "Promote " + self + "?", wide: 64}
		q.lines = func(m *Model, w int) []string {
			return m.text(w, theme.Text, d+" is the dispatcher and is well. Handing a live dispatcher's queue to another node is not built yet.",
				"Until then: stop "+d+" first, and its queue stays on its disk.")
		}
		q.buttons = []choice{{label: "Close"}}
		return q
	}
	return promoteHere(self, s.Status.Cluster != "", nil)
}

// promoteHere asks to make this node the dispatcher; then goes on with what
// needed one.
func promoteHere(self string, member bool, then func(*Model)) overlay {
	q := &question{title: "Make " + self + " the dispatcher?", wide: 64, same: "octaskly promote"}
	q.lines = func(m *Model, w int) []string {
		s := m.view()
		out := m.text(w, theme.Text, self+" will keep the task queue and hand out the tasks.")
		out = append(out, part.NewLine(m.s, w).String())
		point := func(text string) {
			out = append(out, part.NewLine(m.s, w).Sp(1).T(theme.OK, m.s.Glyphs.Done).Sp(1).T(theme.Text, text).String())
		}
		point("the queue and the record of who did what stay here")
		point("it also runs tasks itself")
		if n := s.known() - 1; n > 0 {
			point(part.Plural(n, "other node") + " can be let in then (t)")
		} else {
			point("other machines can join at any time")
		}
		out = append(out, part.NewLine(m.s, w).String())
		if heard := s.heardDispatchers(); len(heard) > 0 {
			out = append(out, m.text(w, theme.Warn, part.Clean(heard[0])+" keeps a cluster on this network. This one will be apart from it; to join that one: "+m.keys.Of(InWelcome, "join")+".")...)
		} else {
			text := "No other dispatcher was heard."
			if member {
				text = "This node is a member of a cluster, whose dispatcher is not heard. Promoted, it begins a queue of its own."
			}
			out = append(out, m.text(w, theme.Muted, text)...)
		}
		return append(out, m.same(w, q.same))
	}
	q.buttons = []choice{{label: "Promote", action: "dialog.yes", do: func(m *Model) { m.promote(false, then) }}, {label: "Not now"}}
	if member { // a second queue in a cluster that has one is nothing to fall into
		q.focus = 1
	}
	return q
}

// newTakeOver forces this node to dispatch although the other may live.
func newTakeOver(m *Model) overlay {
	d := m.view().Status.Dispatcher
	return &typedDialog{
		title: "Take over from " + d + "?", label: "Type " + d + " to take over from it", want: d, same: "octaskly promote --force",
		lines: func(m *Model, w int) []string {
			return m.text(w, theme.Text, d+" does not answer from here. If it still works elsewhere, there will be two queues.",
				"Tasks that may have started there stay lost until their node reports, or you rerun them.")
		},
		do: func(m *Model) { m.promote(true, nil) },
	}
}

func (m *Model) promote(force bool, then func(*Model)) {
	m.do(Call{
		What: "promote", Harm: force,
		Do: func(ctx context.Context, c control.Control) (any, error) {
			return c.Promote(ctx, control.PromoteRequest{Force: force})
		},
		Then: func(m *Model, v any, err error) {
			if err != nil {
				m.fail("promote", err)
				return
			}
			m.say(theme.OK, "You are the dispatcher. n runs your first task.")
			if then != nil {
				then(m)
			}
		},
	})
	m.say(theme.Muted, "becoming the dispatcher …")
}

// needDispatcher runs do now, or after this node was made the dispatcher. While
// there is one that does not answer it does neither.
func (m *Model) needDispatcher(do func(*Model)) {
	if s := m.view(); s.Status.Dispatcher == "" && s.Link.State == Live {
		m.open(promoteHere(s.Status.Self.Name, s.Status.Cluster != "", do))
		return
	} else if s.Link.State == Gone {
		who := s.Status.Dispatcher
		if who == "" {
			who = "the node"
		}
		m.say(theme.Err, "nothing was sent: "+who+" does not answer")
		return
	}
	do(m)
}

func (m *Model) startAdmit() { m.needDispatcher(func(m *Model) { m.open(newAdmit(m)) }) }

func (m *Model) startInvite() { m.needDispatcher(func(m *Model) { m.invite() }) }

// newAdmit takes the code that another machine shows. Typing it is the
// consent: no key admits a node by itself.
func newAdmit(m *Model) overlay {
	name := ""
	if n := m.node(); n != nil && n.State == control.NodeAsks {
		name = n.Name
	}
	title := "Admit a node"
	if name != "" {
		title = "Admit " + name
	}
	d := &typedDialog{wait: "somebody at its screen may have to agree", title: title, label: "The code, then a name for it if you like", same: "octaskly nodes admit CODE"}
	d.lines = func(m *Model, w int) []string {
		var asks []string
		for i := range m.view().Nodes {
			if n := &m.view().Nodes[i]; n.State == control.NodeAsks {
				asks = append(asks, n.Name+" asks, at "+n.Addr)
			}
		}
		out := m.text(w, theme.Text, "The machine that wants to join shows a code like K7QM-3XPA on its screen (or: octaskly identity, there).")
		if len(asks) == 0 {
			return append(out, m.text(w, theme.Muted, "No node asks just now. One that does appears here.")...)
		}
		for i, who := range asks {
			if i == 3 && len(asks) > 4 {
				out = append(out, part.NewLine(m.s, w).T(theme.Muted, fmt.Sprintf("  and %d more", len(asks)-i)).String())
				break
			}
			out = append(out, part.NewLine(m.s, w).T(theme.Lost, m.s.Glyphs.Asks+" ").T(theme.Text, who).String())
		}
		return append(out, m.text(w, theme.Muted, "It becomes a worker: it may run tasks and submit some. Its code works once.")...)
	}
	d.take = func(m *Model, d *typedDialog, text string) {
		code, as, _ := strings.Cut(text, " ")
		norm, err := JoinCode(code)
		if err != nil {
			d.field.Fault = err.Error()
			return
		}
		d.busy = true
		d.same = "octaskly nodes admit " + norm
		m.admit(d, norm, strings.TrimSpace(as))
	}
	return d
}

func (m *Model) admit(d *typedDialog, code, name string) {
	m.do(Call{
		What: "admit", Wait: 3 * time.Minute, // a person there may be asked
		Do: func(ctx context.Context, c control.Control) (any, error) { return c.Admit(ctx, code, name) },
		Then: func(m *Model, v any, err error) {
			if d != nil {
				d.busy = false
			}
			if err != nil {
				if d != nil && m.isOpen(d) {
					d.field.Fault = err.Error() + hintText(task.HintOf(err))
					return
				}
				m.fail("admit", err)
				return
			}
			if d != nil {
				m.closeIt(d)
			}
			n, _ := v.(control.Node)
			text := n.Name + " is in."
			if n.Capacity.Slots > 0 {
				text += " It offers " + part.Plural(int(n.Capacity.Slots), "slot") + "."
			}
			m.say(theme.OK, text)
		},
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

func (m *Model) invite() {
	m.say(theme.Muted, "making a code …")
	m.do(Call{
		What: "invite",
		Do: func(ctx context.Context, c control.Control) (any, error) {
			return c.Invite(ctx, control.InviteRequest{})
		},
		Then: func(m *Model, v any, err error) {
			if err != nil {
				m.fail("invite", err)
				return
			}
			inv, _ := v.(control.Invite)
			m.note = note{}
			m.open(newInvite(inv))
		},
	})
}

// newInvite shows a code that lets one node in.
func newInvite(inv control.Invite) overlay {
	q := &question{title: "Let a machine in", wide: 62, same: "octaskly invite"}
	q.lines = func(m *Model, w int) []string {
		left := time.UnixMilli(inv.Expires).Sub(m.now()).Truncate(time.Second)
		big := part.NewLine(m.s, w).Sp(max(0, (w-len(inv.Code)*2-3)/2)).B(theme.Accent, spread(part.Clean(inv.Code))).String()
		out := m.text(w, theme.Text, "On the other machine run:")
		out = append(out, part.NewLine(m.s, w).Sp(2).B(theme.Text, "octaskly join "+inv.Code).String(), part.NewLine(m.s, w).String(), big, part.NewLine(m.s, w).String())
		uses := "It works once"
		if inv.Uses > 1 {
			uses = fmt.Sprintf("It works %d times", inv.Uses)
		}
		if left <= 0 {
			return append(out, m.text(w, theme.Warn, "It has expired. i makes another.")...)
		}
		return append(out, m.text(w, theme.Muted, uses+", for another "+part.Dur(left)+". Whoever has it can run commands here: say it, do not post it.")...)
	}
	q.buttons = []choice{{label: "Done"}}
	return q
}

func spread(s string) string { return strings.Join(strings.Split(s, ""), " ") }

// newJoin says how this computer becomes part of another cluster.
func newJoin() overlay {
	q := &question{title: "Join another cluster", wide: 66, same: "octaskly join CODE"}
	q.lines = func(m *Model, w int) []string {
		id := m.view().Status.Self
		out := m.text(w, theme.Text, "On the dashboard of the dispatcher press t and type this code:")
		if id.Code == "" {
			out = append(out, m.text(w, theme.Muted, "(this node shows no code: it belongs to a cluster already)")...)
		} else {
			out = append(out, part.NewLine(m.s, w).String(), part.NewLine(m.s, w).Sp(max(0, (w-len(id.Code)*2)/2)).B(theme.Accent, spread(part.Clean(id.Code))).String(), part.NewLine(m.s, w).String())
		}
		out = append(out, m.text(w, theme.Text, "Or press i there, and run here with the code that it shows:")...)
		out = append(out, part.NewLine(m.s, w).Sp(2).B(theme.Text, "octaskly join CODE").String())
		if len(id.Addrs) > 0 {
			out = append(out, m.text(w, theme.Muted, "This node listens at "+strings.Join(id.Addrs, ", ")+". Fingerprint "+id.Fingerprint)...)
		}
		return out
	}
	q.buttons = []choice{{label: "Close"}}
	return q
}

// drawWelcome is the page of a computer that is alone.
func (m *Model) drawWelcome(w, h int) []string {
	s := m.view()
	var out []string
	line := func() *part.Line { return part.NewLine(m.s, w).Sp(3) }
	add := func(l *part.Line) { out = append(out, l.String()) }
	gap := func() {
		if h >= 16 {
			add(line())
		}
	}
	check := func(tok theme.Token, glyph, what, is string) {
		add(line().Sp(2).T(tok, glyph+" ").Cell(theme.Text, what, 16, false).T(theme.Muted, is))
	}
	fit := func(long, short string) string { // whichever has room
		if w < 80 {
			return short
		}
		return long
	}
	g := &m.s.Glyphs
	gap()
	add(line().B(theme.Text, "Welcome. This computer is now one Octaskly node."))
	gap()
	check(theme.OK, g.Done, "this node", m.selfWords())
	others := len(s.Nodes) - 1
	if others > 0 {
		check(theme.OK, g.Done, "other nodes", part.Plural(others, "node")+" heard on this network")
	} else {
		check(theme.Muted, g.Queued, "other nodes", fit("none yet; start octaskly on another machine", "none yet"))
	}
	heard := s.heardDispatchers()
	if len(heard) == 0 {
		check(theme.Warn, g.Failed, "dispatcher", "none on this network")
	} else {
		check(theme.OK, g.Done, "dispatcher", part.Clean(strings.Join(heard, ", ")))
	}
	if s.Status.Self.Code != "" {
		check(theme.Lost, g.Lock, "joining code", s.Status.Self.Code+fit("   to let this node into another cluster", "  to join another cluster"))
	}
	gap()
	about := fit("One node must be the dispatcher: it keeps the queue and hands out the tasks.", "One node, the dispatcher, keeps the queue of tasks.")
	keys := [][2]string{{"promote", "make this node the dispatcher"}, {"join", "join a cluster that is there already"}, {"admit", fit("admit a node by its code (makes this one the dispatcher first)", "admit a node by its code")}}
	if len(heard) > 0 {
		about = fit("A cluster is here already. To join it, somebody there types the code above.", "To join, somebody there types the code.")
		keys[0], keys[1] = [2]string{"join", "how to join " + part.Clean(heard[0])}, [2]string{"promote", fit("make this node the dispatcher of a cluster of its own", "begin a cluster of its own")}
	}
	add(line().T(theme.Text, about))
	gap()
	for _, k := range keys {
		add(line().Sp(5).B(theme.Accent, m.keys.Of(InWelcome, k[0])).Sp(2).T(theme.Text, k[1]))
	}
	gap()
	add(line().T(theme.Text, fit("Then press ", "Then ")).B(theme.Accent, m.keys.Of(InWelcome, "task.new")).
		T(theme.Text, fit(", type a command, press enter. Its output appears right here.", ", a command, enter: its output appears here.")))
	add(line().T(theme.Muted, fit("To add a server:       ", "Servers:  ")+"ssh server octaskly --headless worker"))
	add(line().T(theme.Muted, fit("To look around first:  ", "To look:  ")).B(theme.Accent, m.keys.Of(InWelcome, "demo")).T(theme.Muted, "  a fleet that does not exist"))
	return part.Tall(out, w, h)
}

func (m *Model) selfWords() string {
	n := m.selfNode()
	if n == nil {
		return m.view().Status.Self.Name
	}
	if n.Capacity.CPU == 0 { // nobody has asked it for work yet
		return strings.Join(append([]string{n.Name}, m.view().Status.Self.Addrs...), "  ")
	}
	return fmt.Sprintf("%g cores, %s, %s", float64(n.Capacity.CPU)/1000, part.Bytes(n.Capacity.MemoryMB<<20), part.Plural(int(n.Capacity.Slots), "task slot"))
}
