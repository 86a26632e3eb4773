//go:build !octaskly_bugs

package queue

// bugs is never set in this build.
var bugs Bugs
