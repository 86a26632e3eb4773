//go:build !unix

package cli

// cpuSeconds is not measured on this system.
func cpuSeconds() float64 { return 0 }

// maxRSS is not measured on this system.
func maxRSS() int64 { return 0 }
