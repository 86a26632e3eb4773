//go:build !linux

package node

func calmMonitor() {}
