package ui

// childMain is the program that terminal tests start.
func childMain() bool { return false }
