//go:build !octaskly_bugs

package worker

// bugs is never set in this build.
var bugs Bugs
