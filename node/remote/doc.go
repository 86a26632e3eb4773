// Package remote is both ends of one conversation: a Client is a
// control.Control that asks over streams, Serve answers a stream from a Control.
//
// One stream carries the ordinary calls of a client, any number at a time, since
// opening a stream costs more than a call. Follow, Events and PutBlob have a
// stream each, so that a slow reader holds up nobody but itself.
//
// A client that was connected once outlives the connection: calls that may be
// repeated are repeated, follows and event streams go on where they were. A
// submit may be repeated because every task in it carries an idempotency key;
// where the caller gave none the client makes one.
package remote
