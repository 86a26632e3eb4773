// Package account knows what a command may use and what it used: control groups that
// keep limits, the bytes of a tree on disk, the bytes a process wrote. It measures and
// limits; what follows from a limit that was hit is decided by who asks. It starts and
// ends no process.
package account
