// Package node is one Octaskly instance: an identity, a socket, and the roles
// it plays now. It puts the packages below it together and is the only place
// where they meet: sessions reach the dispatcher and the worker as streams,
// programs reach the cluster through a Control, whichever node dispatches.
package node
