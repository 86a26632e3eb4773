// Package document is what a cluster says about itself as JSON: nodes, the state of
// everything, events, and why a task waits. The command line and REST print the
// same objects. Within one schema number a field never changes its meaning; new
// fields may appear; what is absent or not known is null. Times are RFC 3339, UTC,
// with milliseconds. A task as JSON is in package text.
package document
