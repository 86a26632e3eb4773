//go:build !unix

package raftq

import "io/fs"

func allocated(fi fs.FileInfo) int64 { return fi.Size() }
