//go:build unix

package node

import "os"

func userID() int { return os.Getuid() }
