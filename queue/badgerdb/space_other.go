//go:build !linux && !darwin && !freebsd && !windows

package badgerdb

import "errors"

var errNoSpaceInfo = errors.New("this system does not say how much space is free")

func freeBytes(string) (int64, error)  { return 0, errNoSpaceInfo }
func totalBytes(string) (int64, error) { return 0, errNoSpaceInfo }
