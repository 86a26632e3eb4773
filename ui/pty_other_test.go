//go:build !linux

package ui

// childMain is for the terminal tests, which are for Linux.
func childMain() bool { return false }
