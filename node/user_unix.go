//go:build unix

package node

import (
	"os"
	"strconv"
)

// userID is the number of the user that this process runs as.
func userID() string { return strconv.Itoa(os.Getuid()) }
