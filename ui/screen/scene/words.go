package scene

import (
	"fmt"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/theme"
	"github.com/adauldev/octaskly/ui/part"
)

// EndText is how an attempt ended, in words.
func EndText(a *task.Attempt) string {
	s := strings.ReplaceAll(string(a.Exit.Reason), "_", " ")
	switch a.Exit.Reason {
	case task.ReasonExit:
		s = fmt.Sprintf("exit %d", a.Exit.Code)
	case task.ReasonSignal:
		s = fmt.Sprintf("ended by signal %d", a.Exit.Signal)
	case task.ReasonTimeout:
		s = "time limit reached"
	case task.ReasonNotFound:
		s = "command not found on the worker (127)"
	case task.ReasonNodeLost:
		s = "the node was lost"
	}
	switch {
	case strings.HasPrefix(a.Exit.Message, s):
		s = a.Exit.Message
	case a.Exit.Message != "":
		s += ", " + a.Exit.Message
	}
	return s
}

// PriorityName is a priority in words.
func PriorityName(p uint8) string {
	switch p {
	case task.PriorityLow:
		return "low"
	case task.PriorityNormal:
		return "normal"
	case task.PriorityHigh:
		return "high"
	case task.PriorityCritical:
		return "critical"
	}
	return fmt.Sprintf("priority %d", p)
}

// SeenText is how long ago a node was heard.
func SeenText(view *Scene, n *control.Node) string {
	if n.Seen == 0 {
		return "-"
	}
	d := view.Now().Sub(time.UnixMilli(n.Seen))
	if d < 3*time.Second {
		return "now"
	}
	return part.Age(d)
}

// Speaks reports that what is known of a node's load is of now.
func Speaks(n *control.Node) bool {
	switch n.State {
	case control.NodeUp, control.NodeDraining, control.NodeDrained:
		return true
	}
	return false
}

// SlotsUsed is how many slots are taken, and how many tasks wait on the node
// for one of them: a worker is given a few ahead.
func SlotsUsed(n *control.Node) (used, wait int) {
	used = min(int(n.Used.Tasks), int(n.Capacity.Slots))
	return used, int(n.Used.Tasks) - used
}

// SlotsOf is the slots in few cells: taken/all+waiting.
func SlotsOf(n *control.Node) string {
	if n.Capacity.Slots == 0 {
		return "-"
	}
	used, wait := SlotsUsed(n)
	text := fmt.Sprintf("%d/%d", used, n.Capacity.Slots)
	if wait > 0 {
		text += fmt.Sprintf("+%d", wait)
	}
	return text
}

// RttText is how long a node takes to answer, in few cells.
func RttText(n *control.Node) string {
	switch ms := n.RTT.Milliseconds(); {
	case ms < 1:
		return "<1ms"
	case ms < 1000:
		return fmt.Sprintf("%dms", ms)
	default:
		return part.Dur(n.RTT)
	}
}

// UsageOf is what a task uses now, or what it used: of one CPU in the mean, and
// the most memory.
func UsageOf(t *task.Task) (cpu, mem string, live bool) {
	a := t.Last()
	if a == nil {
		return "-", "-", false
	}
	if v := a.Live; v != nil {
		return fmt.Sprintf("%.0f%%", v.CPUPercent), part.Bytes(v.MemoryMB << 20), true
	}
	cpu, mem = "-", "-"
	if ms := a.Ended - a.Started; a.Started > 0 && ms > 0 && a.Usage.CPU > 0 {
		cpu = fmt.Sprintf("%.0f%%", 100*float64(a.Usage.CPU.Milliseconds())/float64(ms))
	}
	if a.Usage.MaxRSS > 0 {
		mem = part.Bytes(a.Usage.MaxRSS)
	}
	return cpu, mem, false
}

// Lower is text in small letters.
func Lower(s string) string { return strings.ToLower(s) }

// StateToken and stateGlyph are how a task's state looks.
func StateToken(s task.State) theme.Token {
	switch s {
	case task.Assigned, task.Running:
		return theme.Run
	case task.Retry, task.Cancelled:
		return theme.Warn
	case task.Done:
		return theme.OK
	case task.Failed, task.Timeout:
		return theme.Err
	case task.Lost:
		return theme.Lost
	}
	return theme.Muted
}

// StateGlyph is the mark of a task's state.
func StateGlyph(view *Scene, s task.State) string {
	g := &view.Styles.Glyphs
	switch s {
	case task.Assigned:
		return g.Assigned
	case task.Running:
		return g.Running
	case task.Retry:
		return g.Retry
	case task.Done:
		return g.Done
	case task.Failed:
		return g.Failed
	case task.Timeout:
		return g.Timeout
	case task.Cancelled:
		return g.Cancelled
	case task.Lost:
		return g.Lost
	}
	return g.Queued
}

// StateLook is the token and the words of a task's state in a list.
func StateLook(view *Scene, t *task.Task) (theme.Token, string) {
	word := t.State.String()
	switch {
	case t.Cancelling && !t.State.Terminal():
		return theme.Warn, view.Styles.Glyphs.Cancelled + " ending"
	case t.State == task.Failed && t.Last() != nil && t.Last().Exit.Code > 0:
		word = fmt.Sprintf("failed:%d", t.Last().Exit.Code)
	case t.State == task.Retry:
		word = fmt.Sprintf("retry %d/%d", len(t.Attempts), t.Spec.Retries)
	}
	return StateToken(t.State), StateGlyph(view, t.State) + " " + word
}

// NodeLook is the token and the words of a node's state in a list.
func NodeLook(view *Scene, n *control.Node) (theme.Token, string) {
	g := &view.Styles.Glyphs
	switch n.State {
	case control.NodeUp:
		if len(n.Doing) == 0 {
			return theme.Muted, g.Idle + " idle"
		}
		return theme.OK, g.Up + " up"
	case control.NodeDraining:
		return theme.Warn, g.Draining + " draining"
	case control.NodeDrained:
		return theme.Warn, g.Draining + " drained"
	case control.NodeStale:
		return theme.Warn, g.Stale + " stale"
	case control.NodeLost:
		return theme.Lost, g.Lost + " lost"
	case control.NodeAsks:
		return theme.Lost, g.Asks + " asks"
	case control.NodeForeign:
		return theme.Muted, g.Lock + " foreign"
	}
	return theme.Muted, g.Idle + " " + string(n.State)
}

// Role is what a node does, in one word.
func Role(n *control.Node) string {
	if len(n.Doing) == 0 {
		return "-"
	}
	for _, d := range n.Doing {
		if d == "dispatcher" {
			return d
		}
	}
	return n.Doing[0]
}

// CommandOf is the command as a shell reads it, line breaks and all.
func CommandOf(spec *task.Spec) string {
	switch {
	case spec.Shell != "":
		return spec.Shell
	case len(spec.Argv) > 0:
		return text.QuoteShell(spec.Argv...)
	case spec.Null:
		return "(nothing)"
	}
	return ""
}

// CommandLine is the command on one line, with a mark for each line break.
func CommandLine(view *Scene, spec *task.Spec) string {
	return part.OneLine(strings.TrimRight(CommandOf(spec), "\n"), view.Styles.Glyphs.Break)
}

// Sideways drops the first cells of text that is scrolled.
func Sideways(text string, skip int) string {
	if skip == 0 {
		return text
	}
	return part.Cut(part.Clean(text), skip, 1<<16)
}

// TaskTimes is how long a task ran or has been running.
func TaskTimes(t *task.Task, now time.Time) string {
	a := t.Last()
	if a == nil || a.Started == 0 {
		return "-"
	}
	end := now.UnixMilli()
	if a.Ended > 0 {
		end = a.Ended
	} else if t.State.Terminal() {
		end = t.Finished
	}
	d := time.Duration(max(0, end-a.Started)) * time.Millisecond
	if !t.State.Terminal() {
		d = d.Truncate(time.Second)
	}
	return part.Dur(d)
}

// ShownTotal is a number of things, where the number may not be known.
func ShownTotal(n int, one string) string {
	if n < 0 {
		return "matching " + one + "s"
	}
	return part.Plural(n, one)
}

// ClockOf is a time of day.
func ClockOf(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Format("15:04:05")
}

// MemPercent is how much of a node's memory is in use, in percent.
func MemPercent(l task.Load) float64 {
	if l.MemTotalMB <= 0 {
		return 0
	}
	return 100 * float64(l.MemUsedMB) / float64(l.MemTotalMB)
}

// LostIn is how long a stale node still has.
func LostIn(n *control.Node, now time.Time) (time.Duration, bool) {
	if n.State != control.NodeStale || n.LostAt == 0 {
		return 0, false
	}
	return max(0, time.UnixMilli(n.LostAt).Sub(now)).Truncate(time.Second), true
}

// RunsUntilLost says what becomes of a stale node if it stays silent.
func RunsUntilLost(runs int, left time.Duration) string {
	what := "it becomes lost"
	switch {
	case runs == 1:
		what = "its task becomes lost"
	case runs > 1:
		what = "its " + part.Count(runs) + " tasks become lost"
	}
	return "silent: " + what + " in " + part.Dur(left)
}

// clocksDiffer is from which difference on a clock is worth a word.
const clocksDiffer = 2 * time.Second

// ClockWords says that a node's clock is wrong; empty where it is not.
func ClockWords(n *control.Node) string {
	if n.Skew.Abs() < clocksDiffer {
		return ""
	}
	side := "ahead of"
	if n.Skew < 0 {
		side = "behind"
	}
	return "its clock is " + part.Dur(n.Skew.Abs().Truncate(100*time.Millisecond)) + " " + side + " the dispatcher's"
}
