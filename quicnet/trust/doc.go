// Package trust is who is who: a node's key and the id made of it, the cluster's
// own certificate authority, the certificates it issues, where they lie on disk,
// and the TLS settings that accept nothing else.
//
// A node is its Ed25519 key. A cluster is its root key: the cluster id is the
// hash of that key, so it cannot be claimed by another. A member is a node that
// holds a certificate from the cluster's authority; what it may do stands in the
// certificate and nowhere else. System roots, host names and addresses play no
// part.
package trust
