// Package wire is what members of a cluster say to each other: the frame, the
// registry of kinds, the messages, and the checks that stand before any
// decoder. It knows no sockets beyond net.Conn.
//
// A stream carries frames, one after the other:
//
//	0        4      5                     4+length
//	+--------+------+---------- … --------+
//	| length | kind |  msgpack body       |
//	+--------+------+---------- … --------+
//
//	length  4 bytes, big-endian, counts the kind byte and the body; 1 to the
//	        stream's limit (LimitBefore until HELLO was answered, LimitAfter
//	        from then on) and never more than the kind's own maximum
//	kind    1 byte, see Kind; a kind that is not registered, does not belong on
//	        this kind of stream or comes from the wrong end is an error, and the
//	        stream is over
//	body    one msgpack value, a map with short keys; it passes Check before
//	        the msgpack library sees it, and Decode weighs it before it allocates
//
// Some kinds say in their description that raw bytes follow; then the rest of
// that direction is read and written with Read and Write.
//
// A reader skips keys that it does not know, and a missing key leaves its zero
// value, so fields may be added. They are never renamed or given a new type.
package wire
