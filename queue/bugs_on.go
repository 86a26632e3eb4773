//go:build octaskly_bugs

package queue

import "github.com/adauldev/octaskly/queue/internal/bugs"

// SetBugs plants bugs. Call it before anything is opened.
func SetBugs(b Bugs) { bugs.Plant(b) }
