// Package quicnet is how equals on a LAN talk: one UDP socket on which a node
// listens and dials, mutual TLS that accepts members of its own cluster only,
// and sessions with typed streams.
//
// A peer counts as connected only after HELLO was answered with WELCOME. Until
// then it can cost no more than Limits say. The dialling side learns of a
// refused certificate only there: TLS 1.3 ends its handshake before the other
// side has judged.
package quicnet
