// Package local is how programs of one user on one machine reach a running node:
// a Unix socket, on Windows a named pipe.
//
// Two things are asked of whoever connects. The system must say that the
// other process runs as the same user. That is not enough, because the commands
// that a worker runs have the same user too; so both sides also prove, without
// showing it, that they can read the user's key file, which a sandboxed command
// cannot.
//
// After that a connection is one wire.Stream for one purpose: to ask a Control
// (Ask), or to become a member of the cluster (Join).
package local
