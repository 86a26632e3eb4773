// Package exec runs one command, contained.
//
// A Runner starts commands described by a Spec and gives back a Run for each.
// It captures both output streams, enforces the wall-clock timeout, and when
// the command ends, for whatever reason, it makes sure that nothing the
// command started is left behind: a descendant never outlives its command.
//
// The package knows nothing of tasks, queues or nodes. What may be promised on
// which platform, and by which mechanism, is in DESIGN.md.
package exec
