package queue

import "github.com/adauldev/octaskly/queue/internal/bugs"

// Bugs are deliberate faults, which only a build with octaskly_bugs can have.
type Bugs = bugs.Set
