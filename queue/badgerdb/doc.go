// Package badgerdb is how the queue keeps records on disk: it opens the two stores
// of a dispatcher, checks them before Badger does, watches the space that they need
// and pauses their compactions when there is little. It knows bytes, not tasks.
package badgerdb
