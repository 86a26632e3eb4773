package dialog

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// palette is every action by its name, and commands with arguments.
type palette struct {
	field  *part.Field
	items  []item
	shown  []item
	at     int
	chosen bool // by an arrow, not by what was typed
	fault  string
}

// item is one line of the palette. Verb is set for those that take arguments.
type item struct {
	name, help, key string
	action          scene.Action
	verb            string
}

// verbs take arguments; what they do is the same as the action they name.
var verbs = []item{
	{verb: "run", name: "run COMMAND", help: "submit a command"},
	{verb: "from", name: "from FILE", help: "submit every line of a file"},
	{verb: "goto", name: "goto ID", help: "open a task"},
	{verb: "why", name: "why ID", help: "why does it wait, what happened"},
	{verb: "cancel", name: "cancel ID…", help: "cancel tasks (asks)"},
	{verb: "filter", name: "filter TEXT", help: "filter the tasks: state=failed node=… words"},
	{verb: "drain", name: "drain NODE…", help: "no new tasks there (asks)"},
	{verb: "undrain", name: "undrain NODE…", help: "give it tasks again"},
	{verb: "remove", name: "remove NODE", help: "take away its membership (asks)"},
	{verb: "admit", name: "admit CODE [NAME]", help: "let in the node that shows this code"},
	{verb: "theme", name: "theme NAME", help: "change the colours"},
}

func newPalette(view *scene.Scene) scene.Dialog {
	p := &palette{field: part.NewField("", "", "", task.MaxCommandBytes)}
	p.field.Multiline = true // run takes a command as it was pasted
	for _, bd := range view.Keys.In(view.Context()) {
		switch bd.Action {
		case "palette", "up", "down", "page.up", "page.down", "first", "last", "left", "right", "back":
			continue
		}
		if view.Can(bd.Action) {
			p.items = append(p.items, item{name: string(bd.Action), help: bd.Help, key: bd.Keys[0], action: bd.Action})
		}
	}
	for _, v := range verbs {
		if !view.Options.ReadOnly || v.verb == "goto" || v.verb == "why" || v.verb == "filter" || v.verb == "theme" {
			p.items = append(p.items, v)
		}
	}
	p.filter()
	return p
}

func (p *palette) In() scene.Ctx { return scene.InPalette }

func (p *palette) Key(_ *scene.Scene, k tea.KeyMsg) {
	if p.field.Key(k) {
		p.fault = ""
		p.filter()
	}
}

// itemSource is what fuzzy matching looks at.
type itemSource []item

func (s itemSource) String(i int) string { return s[i].name + " " + s[i].help }

func (s itemSource) Len() int { return len(s) }

// begins reports that a word of the item's name begins with what was typed. A
// likeness is offered, but never run.
func (it item) begins(typed string) bool {
	word, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(typed, " ")), " ")
	if it.verb != "" && word != "" {
		return strings.HasPrefix(it.verb, word)
	}
	if strings.HasPrefix(it.name, word) {
		return true
	}
	_, last, _ := strings.Cut(it.name, ".")
	return last != "" && strings.HasPrefix(last, word)
}

func (p *palette) filter() {
	p.at, p.chosen = 0, false
	text := strings.TrimSpace(p.field.Value())
	if text == "" {
		p.shown = p.items
		return
	}
	verb, _, args := strings.Cut(text, " ")
	p.shown = nil
	for _, it := range p.items {
		if it.verb != "" && it.verb == verb {
			p.shown = append(p.shown, it)
		}
	}
	if args && len(p.shown) > 0 {
		return
	}
	add := func(it item) {
		if !slices.Contains(p.shown, it) {
			p.shown = append(p.shown, it)
		}
	}
	for _, hay := range []func(item) string{func(it item) string { return it.name }, func(it item) string { return it.help }} {
		for _, it := range p.items { // the very letters go before a likeness
			if strings.Contains(strings.ToLower(hay(it)), strings.ToLower(text)) {
				add(it)
			}
		}
	}
	for _, mt := range fuzzy.FindFrom(text, itemSource(p.items)) {
		add(p.items[mt.Index])
	}
}

func (p *palette) Act(view *scene.Scene, action scene.Action) {
	n := max(1, len(p.shown))
	switch action {
	case "field.close":
		view.Close(p)
	case "field.newer", "field.back":
		p.at, p.chosen = (p.at+1)%n, true
	case "field.older":
		p.at, p.chosen = (p.at+n-1)%n, true
	case "field.next":
		if p.at < len(p.shown) {
			p.complete(p.shown[p.at])
		}
	case "field.accept":
		p.accept(view)
	}
}

func (p *palette) complete(it item) {
	text := string(it.action)
	if it.verb != "" {
		text = it.verb + " "
	}
	p.field.Set(text)
	p.filter()
}

func (p *palette) accept(view *scene.Scene) {
	if p.at >= len(p.shown) {
		p.fault = "there is no such command"
		return
	}
	it := p.shown[p.at]
	if !p.chosen && !it.begins(p.field.Value()) {
		p.fault = "no command is called that; the nearest is " + it.name + ": tab takes it"
		return
	}
	if it.verb == "" {
		view.Close(p)
		view.Router.Perform(it.action)
		return
	}
	verb, args, _ := strings.Cut(strings.TrimLeft(p.field.Value(), " "), " ")
	if it.verb != "run" || strings.TrimSpace(args) == "" { // a command is the text that was typed
		verb, args = strings.TrimSpace(verb), strings.TrimSpace(args)
	}
	if verb != it.verb || args == "" {
		p.complete(it)
		return
	}
	if err := runVerb(view, p, it.verb, args); err != nil {
		p.fault = err.Error()
	}
}

// runVerb does a palette command. An error leaves the palette open.
func runVerb(view *scene.Scene, p *palette, verb, args string) error {
	switch verb {
	case "run":
		view.Close(p)
		needDispatcher(view, func(view *scene.Scene) {
			submit(view, task.Spec{Shell: args, Priority: task.PriorityNormal}, true, func(err error) {
				if err != nil { // what was typed is in the form
					f := newForm(view, nil)
					f.fields[fCommand].Set(args)
					f.check()
					view.Open(f)
					f.answered(view, true, err)
				}
			})
		})
	case "from":
		view.Close(p)
		needDispatcher(view, func(view *scene.Scene) { submitFile(view, args) })
	case "filter":
		if _, err := scene.ParseFilter(args, view.Now()); err != nil {
			return err
		}
		view.Close(p)
		view.GoPage(scene.Tasks)
		return view.Tasks.SetFilter(args, view.Now())
	case "goto", "why", "cancel":
		return verbTasks(view, p, verb, strings.Fields(args))
	case "drain", "undrain", "remove":
		return verbNodes(view, p, verb, strings.Fields(args))
	case "admit":
		code, name, _ := strings.Cut(args, " ")
		norm, err := JoinCode(code)
		if err != nil {
			return err
		}
		view.Close(p)
		needDispatcher(view, func(view *scene.Scene) { admit(view, nil, norm, strings.TrimSpace(name)) })
	case "theme":
		b, _ := newThemes(view).(*themesBox)
		for i, n := range b.names {
			if n == args {
				view.Close(p)
				b.show(view, i)
				view.Emit(scene.SaveTheme{Name: n})
				return nil
			}
		}
		return fmt.Errorf("there is no theme %q; there are %s", args, strings.Join(b.names, ", "))
	}
	return nil
}

func verbTasks(view *scene.Scene, p *palette, verb string, words []string) error {
	var ids []task.ID
	for _, w := range words {
		id, err := task.ParseID(w)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	view.Close(p)
	switch verb {
	case "goto":
		view.OpenTask(ids[0], scene.DeepTask)
	case "why":
		view.Open(newWhy(ids[0]))
	case "cancel":
		clear(view.Tasks.Marks)
		view.Tasks.All = false
		for _, id := range ids {
			view.Tasks.Marks[id] = task.Queued
		}
		view.Open(newCancel(view))
	}
	return nil
}

func verbNodes(view *scene.Scene, p *palette, verb string, names []string) error {
	clear(view.Nodes.Marks)
	for _, name := range names {
		n := view.Facts().Named(name)
		if n == nil {
			return fmt.Errorf("there is no node %q", name)
		}
		if verb == "remove" {
			view.Close(p)
			clear(view.Nodes.Marks)
			view.Open(newRemove(n))
			return nil
		}
		view.Nodes.Marks[n.ID] = true
	}
	view.Close(p)
	view.Open(newDrain(drainTargets(view)))
	return nil
}

func (p *palette) Draw(view *scene.Scene, w, h int) []string {
	w = min(w, 84)
	iw := max(0, w-4)
	row := part.NewLine(view.Styles, iw).B(theme.Accent, ": ")
	p.field.Draw(row, iw-2, true)
	lines := []string{row.String(), part.NewLine(view.Styles, iw).T(theme.Faint, strings.Repeat(view.Styles.Glyphs.Rule, iw)).String()}
	room := max(1, min(h-8, 18))
	from := min(max(0, p.at-room+1), max(0, len(p.shown)-room))
	for i := from; i < len(p.shown) && i < from+room; i++ {
		it := p.shown[i]
		l := part.NewLine(view.Styles, iw)
		if i == p.at {
			l.B(theme.Focus, view.Styles.Glyphs.Cursor+" ")
		} else {
			l.Sp(2)
		}
		l.Cell(theme.Text, it.name, 20, false).Sp(1).Cell(theme.Muted, it.help, max(0, iw-30), false).Cell(theme.Accent, it.key, 7, true)
		if i == p.at {
			lines = append(lines, view.Styles.Row(l.String()))
			continue
		}
		lines = append(lines, l.String())
	}
	if len(p.shown) == 0 {
		lines = append(lines, part.NewLine(view.Styles, iw).T(theme.Muted, "no command is called that").String())
	}
	lines = part.Tall(lines, iw, room+2)
	if p.fault != "" {
		lines = append(lines, view.Text(iw, theme.Err, p.fault)...)
	}
	return part.Dialog{Title: "Commands", Lines: lines, Focus: -1}.Draw(view.Styles, w, h)
}

func (p *palette) Foot(*scene.Scene) []scene.Hint {
	return []scene.Hint{{Key: "enter", Text: "run"}, {Key: "tab", Text: "complete"}, {Key: "up down", Text: "choose"}, {Key: "esc", Text: "close"}, {Key: "", Text: "arguments work: drain mill-02, cancel 1042, filter state=failed"}}
}
