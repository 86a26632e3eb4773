package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// globals are the flags that every verb takes, beside settings.
type globals struct {
	config   string
	timeout  string
	yes      bool
	noInput  bool
	readOnly bool
}

// globalSettings are the settings that every verb takes.
var globalSettings = []string{"headless", "dispatcher", "verbose", "log-level", "log-format", "log-file", "node-dir"}

// defaultTimeout is how long a verb waits for an answer.
const defaultTimeout = 10 * time.Second

const groupNote = "octaskly-group"

func addGlobalFlags(env *environment, f *pflag.FlagSet) {
	for _, key := range globalSettings {
		addSettingFlag(env, f, config.Find(key))
	}
	f.BoolVar(&env.out.json, "json", env.out.json, "machine output: one object, or one object a line")
	f.BoolVar(&env.out.plain, "plain", false, "tab-separated output without a heading")
	f.BoolVarP(&env.out.quiet, "quiet", "q", false, "only numbers and names")
	f.StringVar(&env.flags.config, "config", "", "configuration `FILE` to use instead of the usual one")
	f.StringVar(&env.flags.timeout, "timeout", "", "how long to wait for an answer, a `DURATION` (10s)")
	f.BoolVarP(&env.flags.yes, "yes", "y", false, "answer yes to every question")
	f.BoolVar(&env.flags.noInput, "no-input", false, "never ask: a question becomes an error")
	f.BoolVar(&env.flags.readOnly, "read-only", false, "refuse everything that changes something")
}

// addSettingFlag makes a flag of a setting. Its values are kept as text and read
// with the rest of the configuration, but a value that cannot be read is
// refused at once.
func addSettingFlag(env *environment, f *pflag.FlagSet, s *config.Setting) {
	short := ""
	if s.Key == "verbose" {
		short = "v"
	}
	fl := f.VarPF(&settingValue{env: env, s: s}, s.Flag(), short, s.Help)
	if s.Bool {
		fl.NoOptDefVal = "true"
	}
	fl.Annotations = map[string][]string{groupNote: {s.Group}}
}

// settingValue is a flag's value on its way into the configuration.
type settingValue struct {
	env *environment
	s   *config.Setting
}

var _ pflag.Value = (*settingValue)(nil)

// String is the default, for help.
func (v *settingValue) String() string {
	if v.s == nil || v.s.Secret {
		return ""
	}
	c := config.Default()
	if t := v.s.Text(&c); len(t) > 0 {
		return t[0]
	}
	return ""
}

// Set notes a value. A list grows, anything else is replaced.
func (v *settingValue) Set(t string) error {
	scratch := config.Default()
	if err := v.s.Set(&scratch, t); err != nil {
		return err
	}
	if v.s.List {
		v.env.given[v.s.Key] = append(v.env.given[v.s.Key], t)
	} else {
		v.env.given[v.s.Key] = []string{t}
	}
	return nil
}

// Type is what the value is called in help.
func (v *settingValue) Type() string {
	if v.s.Bool {
		return "bool"
	}
	return v.s.Arg
}

// wait is how long this verb waits for an answer.
func (env *environment) wait() (time.Duration, error) {
	if env.flags.timeout == "" {
		return defaultTimeout, nil
	}
	d, err := config.ParseDuration(env.flags.timeout)
	if err != nil {
		return 0, task.Errorf(task.KindUsage, "--timeout: %w", err)
	}
	return d, nil
}

// writes refuses a verb that changes something when --read-only was given.
func (env *environment) writes(cmd *cobra.Command) error {
	if env.isReadOnly() {
		return task.Errorf(task.KindNotAllowed, "%s changes something, and this is read-only", cmd.CommandPath()).
			WithHint("leave out --read-only, and OCTASKLY_READ_ONLY")
	}
	return nil
}

// isReadOnly reports that nothing may be changed in this run.
func (env *environment) isReadOnly() bool {
	v := env.getenv("OCTASKLY_READ_ONLY")
	return env.flags.readOnly || v == "1" || v == "true"
}
