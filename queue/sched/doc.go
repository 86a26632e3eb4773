// Package sched decides which worker runs what. It is pure: a plan is a function
// of the ready tasks and the workers as they stand, the same input gives the
// same plan, and nothing here reads a clock, sleeps or keeps a task.
//
// What a plan promises:
//
//   - Priority is strict: a task is placed only after every task of a higher
//     priority that fits somewhere was placed.
//   - Within a priority the class with the oldest task goes first. A class is
//     served as a whole within one plan, so that two classes can be out of order
//     by at most what one plan places; the next plan sets that right.
//   - Among the workers that fit, the least loaded gets the task: the largest
//     share of its CPUs free, then the lowest measured load, then the name.
//   - No worker is ever given more than it has free.
//   - Nothing waits while a worker that fits it is free, with one exception: a
//     class that was passed over for HoldAfter holds one worker back from
//     everything behind it, so that large tasks do not starve behind small ones.
//     At most a quarter of the workers (at least one) are held at a time.
//   - A worker may be given a short backlog beyond what it can run now, so that
//     its next start does not wait for the network, but never in a way that lets
//     a task overtake one that goes before it on that worker.
//
// Every refusal is data (Term), so that "why does it wait" has one answer, the
// same that the plan used.
package sched
