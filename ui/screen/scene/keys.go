package scene

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"
)

// Ctx is a place where keys mean something; a set of them is where a binding
// holds.
type Ctx uint32

// The places. The first group is panes, the second overlays.
const (
	InOverview Ctx = 1 << iota
	InTasks
	InTask // one task's facts
	InOutput
	InNodes
	InNode
	InHeat
	InEvents
	InWelcome
	InDialog // choices
	InTyped  // a dialog that wants something typed
	InForm   // new task
	InPalette
	InHelp
	InFind // the filter line
	inEnd
)

const (
	panes    = InOverview | InTasks | InTask | InOutput | InNodes | InNode | InHeat | InEvents | InWelcome
	lists    = InTasks | InNodes | InHeat | InEvents
	SomeTask = InTasks | InTask | InOutput
	SomeNode = InNodes | InNode | InHeat
	typing   = InTyped | InForm | InPalette | InFind | InHelp
)

// Action is what a key means, by the name that the palette and the
// configuration use.
type Action string

// Binding is one named action and the keys that start it.
type Binding struct {
	Action Action
	Keys   []string
	In     Ctx
	Group  string // heading in the help
	Help   string
	Foot   string // words in the footer; empty leaves it out
}

// Keys is the key table. Footer, help and palette are printed from it.
type Keys struct {
	list []Binding
	find map[Ctx]map[string]Action
}

func b(action Action, keys string, in Ctx, group, help, foot string) Binding {
	return Binding{action, strings.Fields(keys), in, group, help, foot}
}

// defaults is the one key table. Where a key means two things in two places,
// both lines are here.
func defaults() []Binding { //nolint:funlen // a table, one line a key

	return []Binding{
		b("open", "enter", panes&^InWelcome, "Move", "open", "open"),
		b("up", "k up", panes|InDialog, "Move", "one row up", ""),
		b("down", "j down", panes&^InWelcome|InDialog, "Move", "one row down", ""),
		b("page.up", "ctrl+u pgup", panes, "Move", "half a page up", ""),
		b("page.down", "ctrl+d pgdown", panes, "Move", "half a page down", ""),
		b("first", "g home", panes, "Move", "first row", ""),
		b("last", "G end", panes, "Move", "last row", ""),
		b("left", "left", panes|InDialog, "Move", "sideways", ""),
		b("right", "right", panes|InDialog, "Move", "sideways", ""),
		b("left", "h", InTasks|InTask|InOutput, "Move", "scroll to the left", ""),
		b("right", "l", InTasks|InTask|InOutput|InHeat, "Move", "scroll to the right", ""),
		b("back", "esc", panes, "Move", "back, clear filter, clear marks", ""),

		b("task.new", "n", panes&^InOutput, "Tasks", "new task", "new task"),
		b("mark", "space", InTasks|InNodes|InHeat, "Tasks", "mark this one", "mark"),
		b("mark.range", "v", InTasks, "Tasks", "mark a range: v, then move", ""),
		b("mark.all", "a", InTasks, "Tasks", "mark all that the filter shows", ""),
		b("output", "L", SomeTask, "Tasks", "output, full screen", "output"),
		b("task.edit", "e", SomeTask, "Tasks", "edit a copy and submit it", "edit copy"),
		b("task.rerun", "r", SomeTask, "Tasks", "rerun as it was (finished ones)", "rerun"),
		b("task.cancel", "x c", SomeTask, "Tasks", "cancel (asks)", "cancel"),
		b("why", "w", SomeTask|SomeNode, "Tasks", "why does it wait, what happened", "why"),

		b("promote", "p", panes, "Nodes", "make this node the dispatcher", "promote"),
		b("admit", "t", SomeNode|InOverview|InWelcome, "Nodes", "admit a node by the code it shows", "admit"),
		b("invite", "i", SomeNode|InOverview|InWelcome, "Nodes", "show a code that lets a node in", "invite"),
		b("node.drain", "D", SomeNode|InOverview, "Nodes", "drain, undrain (asks)", "drain"),
		b("node.remove", "x", SomeNode, "Nodes", "remove a node (asks)", ""),
		b("heat", "h", InNodes|InHeat|InNode, "Nodes", "list or heat map", "heat map"),
		b("heat.metric", "M", InHeat, "Nodes", "heat map: cpu, mem, slots, failures", "metric"),
		b("heat.group", "b", InHeat, "Nodes", "heat map: group by label", "group"),
		b("demo", "d", InWelcome, "View", "look around in a fleet that does not exist", "demo"),
		b("join", "j", InWelcome, "Nodes", "how to join another cluster", "join"),

		b("follow", "f", InOutput, "Output", "follow on, off", "follow"),
		b("find", "/", InOutput, "Output", "find", "find"),
		b("match.next", "n", InOutput, "Output", "next match", ""),
		b("match.back", "N", InOutput, "Output", "previous match", ""),
		b("only", "&", InOutput, "Output", "show only matching lines", "only matches"),
		b("stream", "o", InOutput, "Output", "stdout, stderr, both", "stream"),
		b("wrap", "|", InOutput, "Output", "wrap on, off", "wrap"),
		b("times", "t", InOutput, "Output", "time stamps", "times"),
		b("write", "W", InOutput|InTask|InTasks, "Output", "write everything to a file", "write file"),

		b("filter", "/", lists|InOverview, "Find", "filter this list", ""),
		b("problems", "!", lists, "Find", "only problems", "problems"),
		b("sort", "s", InTasks|InNodes|InHeat, "Find", "next sort order", "sort"),
		b("sort.reverse", "S", InNodes, "Find", "reverse the order", ""),
		b("palette", ": ctrl+p", panes, "Find", "command palette", ""),

		b("pane.next", "tab", panes&^InWelcome|InDialog, "View", "next pane", "pane"),
		b("pane.back", "shift+tab", panes|InDialog, "View", "previous pane", ""),
		b("screen.overview", "1", panes, "View", "overview", ""),
		b("screen.tasks", "2", panes, "View", "tasks", ""),
		b("screen.nodes", "3", panes, "View", "nodes", ""),
		b("screen.events", "4", panes, "View", "events", ""),
		b("screen.back", "[", panes, "View", "screen before", ""),
		b("screen.next", "]", panes, "View", "next screen", ""),
		b("zoom", "z", panes, "View", "zoom this pane", ""),
		b("freeze", "P", panes, "View", "freeze, thaw the screen", ""),
		b("mouse", "m", panes, "View", "mouse on, off", ""),
		b("theme", "T", panes, "View", "theme", ""),
		b("refresh", "R", panes, "View", "ask again now, redraw", ""),
		b("copy", "y", panes, "View", "copy id or line", ""),
		b("copy.command", "Y", panes|InDialog, "View", "copy as a command", ""),
		b("help", "?", panes, "View", "keys of this screen", ""),
		b("quit", "q", panes, "View", "quit (asks if this node works)", "quit"),
		b("suspend", "ctrl+z", panes|InDialog, "View", "suspend", ""),

		b("dialog.enter", "enter", InDialog, "Dialog", "press the marked button", ""),
		b("dialog.yes", "y", InDialog, "Dialog", "do it", ""),
		b("dialog.now", "K", InDialog, "Dialog", "kill now", ""),
		b("dialog.toggle", "space", InDialog, "Dialog", "switch", ""),
		b("dialog.close", "esc q", InDialog, "Dialog", "close", ""),

		b("field.accept", "enter", typing, "Form", "accept", ""),
		b("field.close", "esc", typing, "Form", "close", ""),
		b("field.next", "tab", typing, "Form", "next field, complete", ""),
		b("field.back", "shift+tab", typing, "Form", "previous field", ""),
		b("field.older", "up", typing, "Form", "older, row up", ""),
		b("field.newer", "down", typing, "Form", "newer, row down", ""),
		b("field.copy", "ctrl+y", InForm|InTyped, "Form", "copy as a command", ""),
		b("field.again", "ctrl+o", InForm, "Form", "submit and keep the form open", ""),
	}
}

// KeyError is a change of the key table that cannot be made.
type KeyError struct {
	Action string // whose keys were changed, or clash
	Other  string // the action it clashes with; empty if there is no such action
	Text   string
}

// Error says what is wrong in one line.
func (e *KeyError) Error() string { return "keys: " + e.Text }

// unknown says that no action is called so, and what may have been meant.
func (k *Keys) unknown(name string) string {
	names := make([]string, 0, len(k.list))
	for _, bd := range k.list {
		names = append(names, string(bd.Action))
	}
	text := fmt.Sprintf("there is no action %q", name)
	if near := fuzzy.Find(name, names); len(near) > 0 {
		return text + fmt.Sprintf("; did you mean %q?", near[0].Str)
	}
	if _, last, ok := strings.Cut(name, "."); ok {
		if near := fuzzy.Find(last, names); len(near) > 0 {
			return text + fmt.Sprintf("; did you mean %q?", near[0].Str)
		}
	}
	return text + "; ':' on the dashboard lists the names"
}

// NewKeys makes the key table, with some actions on other keys. Unknown
// actions and clashes are a *KeyError that names both sides.
func NewKeys(remap map[string][]string) (*Keys, error) {
	k := &Keys{list: defaults(), find: map[Ctx]map[string]Action{}}
	names := make([]string, 0, len(remap))
	for name := range remap {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		found := false
		for i := range k.list {
			if k.list[i].Action == Action(name) {
				k.list[i].Keys = remap[name]
				if found {
					k.list[i].Keys = nil // its second line has no keys of its own any more
				}
				found = true
			}
		}
		if !found {
			return nil, &KeyError{Action: name, Text: k.unknown(name)}
		}
		for _, key := range remap[name] {
			if !isKey(key) {
				return nil, &KeyError{Action: name, Text: fmt.Sprintf("no key is called %q; write one character, or a name such as ctrl+r, alt+x, f5, enter, space", key)}
			}
		}
	}
	return k, k.index()
}

// keyNames are what a terminal's keys are called that are no characters.
var keyNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"space": true}
	for t := tea.KeyType(-128); t < 128; t++ {
		names[t.String()] = true
	}
	delete(names, "")
	return names
})

// isKey reports whether a key may be called so: only such can ever be pressed.
func isKey(name string) bool {
	if rest, ok := strings.CutPrefix(name, "alt+"); ok {
		name = rest
	}
	r, n := utf8.DecodeRuneInString(name)
	return n > 0 && n == len(name) && unicode.IsGraphic(r) || keyNames()[name]
}

func (k *Keys) index() error {
	for in := Ctx(1); in < inEnd; in <<= 1 {
		k.find[in] = map[string]Action{}
		for _, bd := range k.list {
			if bd.In&in == 0 {
				continue
			}
			for _, key := range bd.Keys {
				if other, taken := k.find[in][key]; taken && other != bd.Action {
					return &KeyError{Action: string(bd.Action), Other: string(other), Text: fmt.Sprintf("%q is both %s and %s on the same screen", key, other, bd.Action)}
				}
				k.find[in][key] = bd.Action
			}
		}
	}
	return nil
}

// Action is what a key means in a place; empty is nothing.
func (k *Keys) Action(in Ctx, key string) Action {
	if key == " " {
		key = "space"
	}
	return k.find[in][key]
}

// In lists the bindings of a place, in the order of the table.
func (k *Keys) In(in Ctx) []Binding {
	var out []Binding
	for _, bd := range k.list {
		if bd.In&in != 0 && len(bd.Keys) > 0 {
			out = append(out, bd)
		}
	}
	return out
}

// All lists every binding.
func (k *Keys) All() []Binding { return slices.Clone(k.list) }

// Of is the first key of an action in a place, as people write it.
func (k *Keys) Of(in Ctx, action Action) string {
	for _, bd := range k.list {
		if bd.Action == action && bd.In&in != 0 && len(bd.Keys) > 0 {
			return bd.Keys[0]
		}
	}
	return ""
}
