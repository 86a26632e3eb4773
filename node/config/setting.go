package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task/text"
)

// Setting is one thing that can be set: its name in the file (max-jobs), and
// from that its flag (--max-jobs) and its variable (OCTASKLY_MAX_JOBS). Every
// source gives text, and one function reads it, so that a value means the same
// wherever it is written.
type Setting struct {
	Key   string
	Group string // heading it stands under in help
	Arg   string // what the value is called in help; empty for a boolean
	Help  string // one line
	List  bool   // may be given several times
	Bool  bool
	// Secret values are never printed.
	Secret bool

	set func(c *Config, text string) error
	get func(c *Config) []string
	// reset empties a list before a stronger source fills it.
	reset func(c *Config)
}

// Flag is the setting's flag without the dashes.
func (s *Setting) Flag() string { return s.Key }

// Env is the variable that sets it.
func (s *Setting) Env() string {
	return "OCTASKLY_" + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// Set reads text into c. For a list it adds one entry.
func (s *Setting) Set(c *Config, text string) error { return s.set(c, text) }

// Text is the value as it would be written; a list has several.
func (s *Setting) Text(c *Config) []string { return s.get(c) }

// The headings of help.
const (
	GroupNetwork    = "Networking"
	GroupDispatcher = "Dispatcher connection"
	GroupWorkers    = "Worker management"
	GroupTasks      = "Task settings"
	GroupP2P        = "P2P network"
	GroupResources  = "Resource declaration"
	GroupSecurity   = "Security"
	GroupIdentity   = "Identification"
	GroupRunning    = "Running"
	GroupLogging    = "Logging"
)

// Settings lists every setting in the order of help.
func Settings() []*Setting { return settings }

// Find is the setting with this key, or nil.
func Find(key string) *Setting {
	for _, s := range settings {
		if s.Key == key {
			return s
		}
	}
	return nil
}

var settings = []*Setting{
	plain("name", GroupIdentity, "NAME", "name of this node, unique in the cluster", func(c *Config) *string { return &c.Name }),
	plain("id", GroupIdentity, "LABEL", "a label of your own; the identity is the node's key", func(c *Config) *string { return &c.ID }),

	number("port", GroupNetwork, "PORT", "UDP port of this node", func(c *Config) *int { return &c.Port }),
	list("bind", GroupNetwork, "ADDRESS", "address or interface to listen on; all without it", func(c *Config) *[]string { return &c.Bind }),
	number("discovery-port", GroupNetwork, "PORT", "UDP port for finding other nodes", func(c *Config) *int { return &c.DiscoveryPort }),
	boolean("p2p-enabled", GroupP2P, "nodes may move data directly between each other", func(c *Config) *bool { return &c.P2PEnabled }),

	plain("dispatcher", GroupDispatcher, "HOST[:PORT]", "where the dispatcher is, instead of looking for it", func(c *Config) *string { return &c.Dispatcher }),
	number("dispatcher-port", GroupDispatcher, "PORT", "its port, when --dispatcher names none", func(c *Config) *int { return &c.DispatcherPort }),

	number("max-workers", GroupWorkers, "COUNT", "most workers to admit; 0 is no limit", func(c *Config) *int { return &c.MaxWorkers }),
	number("max-queue-size", GroupTasks, "SIZE", "most unfinished tasks; more are refused", func(c *Config) *int { return &c.MaxQueueSize }),
	duration("task-timeout", GroupTasks, "timeout of tasks that name none; 0 is none", func(c *Config) *time.Duration { return &c.TaskTimeout }),

	size("output-quota", GroupTasks, "most output kept on this node; the oldest makes room", func(c *Config) *int64 { return &c.OutputQuota }),
	size("task-output-quota", GroupTasks, "most output kept of one task; beyond it, its beginning and end", func(c *Config) *int64 { return &c.TaskOutputQuota }),

	cores("cpu-cores", GroupResources, "COUNT", "CPUs to offer; 0 is what this process may use", func(c *Config) *float64 { return &c.CPUCores }),
	size("memory", GroupResources, "memory to offer, in MiB or with a unit; 0 is all", func(c *Config) *int64 { return &c.Memory }),
	boolean("gpu", GroupResources, "offer the GPUs of this machine", func(c *Config) *bool { return &c.GPU }),
	number("gpus", GroupResources, "COUNT", "how many GPUs to offer", func(c *Config) *int { return &c.GPUs }),
	jobs("max-jobs", GroupResources, "COUNT", "most tasks at once; 0 takes none (default one a CPU)"),
	labels("label", GroupResources, "K=V", "a label that tasks may ask for; may be repeated"),

	plain("sandbox-level", GroupSecurity, "LEVEL", "weakest level for tasks here: none, basic, strict, very-strict", func(c *Config) *string { return &c.SandboxLevel }),
	boolean("require-auth", GroupSecurity, "REST asks for a token", func(c *Config) *bool { return &c.RequireAuth }),
	secret("secret", GroupSecurity, "KEY", "signs REST tokens; better in a file: it shows in ps", func(c *Config) *string { return &c.Secret }),
	plain("secret-file", GroupSecurity, "PATH", "file that holds the secret", func(c *Config) *string { return &c.SecretFile }),
	plain("task-user", GroupSecurity, "NAME|UID", "whom tasks run as when the node is root (default nobody)", func(c *Config) *string { return &c.TaskUser }),
	list("allow-dir", GroupSecurity, "PATH", "folder that the --dir of tasks may name; may be repeated", func(c *Config) *[]string { return &c.AllowDir }),
	list("allow-read", GroupSecurity, "PATH", "what tasks at level basic may read of homes; may be repeated", func(c *Config) *[]string { return &c.AllowRead }),
	boolean("allow-root-tasks", GroupSecurity, "tasks at level none may run as root", func(c *Config) *bool { return &c.AllowRootTasks }),

	boolean("headless", GroupRunning, "no screen; log lines on standard error", func(c *Config) *bool { return &c.Headless }),
	plain("api", GroupRunning, "ADDR|off", "address of the REST interface", func(c *Config) *string { return &c.API }),
	plain("node-dir", GroupRunning, "PATH", "where this node keeps its state", func(c *Config) *string { return &c.NodeDir }),
	duration("drain-timeout", GroupRunning, "how long running tasks may go on after the first signal", func(c *Config) *time.Duration { return &c.DrainTimeout }),

	boolean("verbose", GroupLogging, "log level debug", func(c *Config) *bool { return &c.Verbose }),
	plain("log-level", GroupLogging, "LEVEL", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }),
	plain("log-format", GroupLogging, "FORMAT", "text or json", func(c *Config) *string { return &c.LogFormat }),
	plain("log-file", GroupLogging, "PATH", "log to a file instead of standard error", func(c *Config) *string { return &c.LogFile }),
}

func plain(key, group, arg, help string, at func(*Config) *string) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: arg, Help: help,
		set: func(c *Config, t string) error { *at(c) = t; return nil },
		get: func(c *Config) []string { return []string{*at(c)} },
	}
}

func secret(key, group, arg, help string, at func(*Config) *string) *Setting {
	s := plain(key, group, arg, help, at)
	s.Secret = true
	return s
}

func number(key, group, arg, help string, at func(*Config) *int) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: arg, Help: help,
		set: func(c *Config, t string) error {
			n, err := strconv.Atoi(strings.ReplaceAll(t, "_", ""))
			if err != nil {
				return fmt.Errorf("%q is not a whole number", t)
			}
			*at(c) = n
			return nil
		},
		get: func(c *Config) []string { return []string{strconv.Itoa(*at(c))} },
	}
}

func jobs(key, group, arg, help string) *Setting {
	s := number(key, group, arg, help, func(c *Config) *int { return &c.MaxJobs })
	plain := s.set
	s.set = func(c *Config, t string) error {
		if t == "auto" {
			c.MaxJobs = MaxJobsAuto
			return nil
		}
		if strings.HasPrefix(t, "-") {
			return fmt.Errorf("%q is below 0", t)
		}
		return plain(c, t)
	}
	s.get = func(c *Config) []string {
		if c.MaxJobs == MaxJobsAuto {
			return []string{"auto"}
		}
		return []string{strconv.Itoa(c.MaxJobs)}
	}
	return s
}

func boolean(key, group, help string, at func(*Config) *bool) *Setting {
	return &Setting{
		Key: key, Group: group, Help: help, Bool: true,
		set: func(c *Config, t string) error {
			b, err := strconv.ParseBool(strings.ToLower(t))
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", t)
			}
			*at(c) = b
			return nil
		},
		get: func(c *Config) []string { return []string{strconv.FormatBool(*at(c))} },
	}
}

func duration(key, group, help string, at func(*Config) *time.Duration) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: "DURATION", Help: help,
		set: func(c *Config, t string) error {
			d, err := ParseDuration(t)
			if err != nil {
				return err
			}
			*at(c) = d
			return nil
		},
		get: func(c *Config) []string { return []string{at(c).String()} },
	}
}

func cores(key, group, arg, help string, at func(*Config) *float64) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: arg, Help: help,
		set: func(c *Config, t string) error {
			n, err := strconv.ParseFloat(t, 64)
			if err != nil {
				return fmt.Errorf("%q is not a number", t)
			}
			*at(c) = n
			return nil
		},
		get: func(c *Config) []string { return []string{strconv.FormatFloat(*at(c), 'f', -1, 64)} },
	}
}

func size(key, group, help string, at func(*Config) *int64) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: "MB", Help: help,
		set: func(c *Config, t string) error {
			n, err := text.ParseMiB(t)
			if err != nil {
				return err
			}
			*at(c) = n
			return nil
		},
		get: func(c *Config) []string { return []string{strconv.FormatInt(*at(c), 10)} },
	}
}

func list(key, group, arg, help string, at func(*Config) *[]string) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: arg, Help: help, List: true,
		set:   func(c *Config, t string) error { *at(c) = append(*at(c), t); return nil },
		get:   func(c *Config) []string { return slices.Clone(*at(c)) },
		reset: func(c *Config) { *at(c) = nil },
	}
}

func labels(key, group, arg, help string) *Setting {
	return &Setting{
		Key: key, Group: group, Arg: arg, Help: help, List: true,
		set: func(c *Config, t string) error {
			k, v, ok := strings.Cut(t, "=")
			if !ok || k == "" {
				return fmt.Errorf("%q is not of the form name=value", t)
			}
			if c.Labels == nil {
				c.Labels = map[string]string{}
			}
			c.Labels[k] = v
			return nil
		},
		get: func(c *Config) []string {
			out := make([]string, 0, len(c.Labels))
			for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
				out = append(out, k+"="+c.Labels[k])
			}
			return out
		},
		reset: func(c *Config) { c.Labels = nil },
	}
}
