package config

import "time"

// Default is the configuration of a node that was told nothing.
func Default() Config {
	return Config{
		Port:            DefaultPort,
		DiscoveryPort:   DefaultDiscoveryPort,
		P2PEnabled:      true,
		MaxQueueSize:    1_000_000,
		TaskTimeout:     time.Hour,
		OutputQuota:     10 << 10,
		TaskOutputQuota: 1 << 10,
		MaxJobs:         MaxJobsAuto,
		SandboxLevel:    "basic",
		RequireAuth:     true,
		API:             "127.0.0.1:3000",
		DrainTimeout:    30 * time.Second,
		LogLevel:        "info",
		LogFormat:       "text",
	}
}
