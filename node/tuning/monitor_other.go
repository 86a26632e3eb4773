//go:build !linux

package tuning

func CalmMonitor() {}
