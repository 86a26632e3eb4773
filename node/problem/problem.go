// Package problem finds what a person should know about a cluster. Find is pure: it
// is given what is known and asks nobody. Every face shows its problems; none
// judges by itself.
//
// Not here yet: why tasks wait, what failed lately, and a delay before a problem
// opens and closes, so that nothing flickers.
package problem

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/node/control"
)

// The kinds of problems, with which their ids begin.
const (
	NoDispatcher = "no-dispatcher" // alone also the id
	NoWorker     = "no-worker"
	QueueFull    = "queue-full"
	DiskFull     = "disk-full"
	NodeLost     = "node-lost"
	NodeSilent   = "node-silent"
	ClockWrong   = "clock-wrong"
	NodeAsks     = "node-asks"
	NodeRemark   = "node-remark" // what nodes say about themselves
	others       = "others"
)

const (
	wrongClock   = 2 * time.Second // a difference that times in lists show
	littleDisk   = 1024            // MiB
	noDisk       = 128             // MiB
	queueWarning = 90              // percent
)

// Picture is what is known of a cluster at one moment.
type Picture struct {
	Status *control.Status
	Nodes  []control.Node
}

// Find lists the problems of a cluster that has a dispatcher, the worst first, at
// most control.MaxProblems; the last one says how many were left out. Of two
// pictures that show the same trouble the problems have the same ids.
func Find(p Picture) []control.Problem {
	var all []control.Problem
	s := p.Status
	if s.Slots == 0 && s.Ready > 0 {
		all = append(all, control.Problem{
			ID: NoWorker, Level: control.LevelError, Count: s.Ready, Text: count(s.Ready, "task waits", "tasks wait") + ", and no node takes tasks",
			Cure: "add a worker: octaskly worker",
		})
	}
	switch {
	case s.QueueLimit > 0 && s.Ready >= s.QueueLimit:
		all = append(all, control.Problem{ID: QueueFull, Level: control.LevelError, Count: s.Ready, Text: fmt.Sprintf("the queue is full: %d tasks wait, and more are refused", s.Ready), Cure: "add workers, cancel tasks, or restart the dispatcher with a larger --max-queue-size"})
	case s.QueueLimit > 0 && s.Ready >= s.QueueLimit/100*queueWarning:
		all = append(all, control.Problem{ID: QueueFull, Level: control.LevelWarning, Count: s.Ready, Text: fmt.Sprintf("the queue is nearly full: %d of %d tasks", s.Ready, s.QueueLimit), Cure: "add workers, or cancel tasks"})
	}
	for i := range p.Nodes {
		all = append(all, ofNode(&p.Nodes[i])...)
	}
	return bounded(append(all, remarks(p.Nodes)...))
}

// Merge puts what else is known beside problems that were found; of two with one id
// the first stays.
func Merge(found, more []control.Problem) []control.Problem {
	all := slices.Clone(found)
	for _, p := range more {
		if p.ID == "" || !slices.ContainsFunc(all, func(o control.Problem) bool { return o.ID == p.ID }) {
			all = append(all, p)
		}
	}
	return bounded(all)
}

func ofNode(n *control.Node) []control.Problem {
	var all []control.Problem
	about := func(kind, level, text, cure string, actions ...control.Action) {
		all = append(all, control.Problem{ID: kind + "/" + string(n.ID), Level: level, Subjects: []string{n.Name}, Text: text, Cure: cure, Actions: actions})
	}
	switch n.State {
	case control.NodeLost:
		about(NodeLost, control.LevelError, n.Name+" does not answer, and its tasks were given up",
			"start it again, or take it out: octaskly nodes remove "+n.Name, control.Action{Method: control.RemoveMethod.Name, Node: n.Name})
		all[0].Since = n.Seen
		return all
	case control.NodeStale:
		about(NodeSilent, control.LevelWarning, n.Name+" does not answer; its tasks are waited for", "")
		all[0].Since = n.Seen
		return all
	case control.NodeAsks:
		about(NodeAsks, control.LevelInfo, n.Name+" asks to be let in", "octaskly nodes admit CODE, with the code that it shows")
		return all
	case control.NodeForeign, control.NodeAway:
		return nil
	}
	if n.Skew.Abs() >= wrongClock {
		side := "ahead of"
		if n.Skew < 0 {
			side = "behind"
		}
		about(ClockWrong, control.LevelWarning, fmt.Sprintf("the clock of %s is %s %s the dispatcher's", n.Name, n.Skew.Abs().Round(100*time.Millisecond), side), "set it, on whichever of the two is wrong")
	}
	switch free := n.Load.DiskFreeMB; {
	case free <= 0: // not known
	case free < noDisk:
		about(DiskFull, control.LevelError, fmt.Sprintf("%s has %d MiB of disk left", n.Name, free), "make room there")
	case free < littleDisk:
		about(DiskFull, control.LevelWarning, fmt.Sprintf("%s has %d MiB of disk left", n.Name, free), "make room there")
	}
	return all
}

// remarks are what nodes say about themselves; those of one text are one problem.
func remarks(nodes []control.Node) []control.Problem {
	var all []control.Problem
	for i := range nodes {
		for _, text := range nodes[i].Warnings {
			at := slices.IndexFunc(all, func(p control.Problem) bool { return p.Text == text })
			if at < 0 {
				at = len(all)
				all = append(all, control.Problem{Level: control.LevelInfo, Text: text})
			}
			all[at].Subjects = append(all[at].Subjects, nodes[i].Name)
		}
	}
	for i := range all {
		p := &all[i]
		p.ID, p.Count = NodeRemark+"/"+p.Text, len(p.Subjects)
		names := p.Subjects
		if len(names) > 3 {
			names = append(slices.Clone(names[:3]), strconv.Itoa(len(p.Subjects)-3)+" more")
		}
		p.Text = strings.Join(names, ", ") + ": " + p.Text
	}
	return all
}

// bounded sorts problems and folds those that are too many into one.
func bounded(all []control.Problem) []control.Problem {
	slices.SortStableFunc(all, byLevel)
	if len(all) <= control.MaxProblems {
		return all
	}
	rest := all[control.MaxProblems-1:]
	left := len(rest)
	for _, p := range rest {
		if p.ID == others {
			left += p.Count - 1
		}
	}
	return append(all[:control.MaxProblems-1:control.MaxProblems-1], control.Problem{ID: others, Level: rest[0].Level, Count: left, Text: count(left, "more problem", "more problems")})
}

func byLevel(a, b control.Problem) int { return cmp.Compare(rank(a.Level), rank(b.Level)) }

func rank(level string) int {
	return slices.Index([]string{control.LevelError, control.LevelWarning, control.LevelInfo}, level)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
