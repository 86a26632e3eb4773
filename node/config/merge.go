package config

import (
	"errors"
	"fmt"
	"strings"
)

// Source says where a value came from.
type Source struct {
	Kind  string // "default", "file", "environment" or "flag"
	Where string // file:line, the variable's name, or the flag
}

// String is the form that config print shows.
func (s Source) String() string {
	if s.Where == "" {
		return s.Kind
	}
	return s.Kind + " " + s.Where
}

// Sources is what Load reads.
type Sources struct {
	File     string              // path of the configuration file
	FileMust bool                // it was asked for, so it must be there
	Environ  []string            // NAME=value; as os.Environ gives
	Flags    map[string][]string // key to texts, only those that were given
}

// Loaded is a configuration and where each value came from.
type Loaded struct {
	Config
	File     string // the file that was read or would have been
	Screen   Screen
	Warnings []string
	from     map[string]Source
}

// From says where the value of a setting came from.
func (l *Loaded) From(key string) Source {
	if s, ok := l.from[key]; ok {
		return s
	}
	return Source{Kind: "default"}
}

// Given reports whether somebody set it, in whatever way.
func (l *Loaded) Given(key string) bool { _, ok := l.from[key]; return ok }

// Load merges defaults, file, environment and flags, the later ones winning,
// and checks the result. The error is a Faults with everything that is wrong.
func Load(src Sources) (*Loaded, error) {
	l := &Loaded{Config: Default(), File: src.File, from: map[string]Source{}}
	var faults Faults
	file, err := readFile(src.File, src.FileMust)
	var several Faults
	if errors.As(err, &several) {
		faults = append(faults, several...)
	} else if err != nil {
		faults = append(faults, Fault{Text: err.Error()})
	}
	l.Screen = file.screen
	env := map[string]string{}
	for _, kv := range src.Environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	for _, s := range settings {
		if v, ok := file.values[s.Key]; ok {
			faults = l.put(faults, s, v, Source{"file", fmt.Sprintf("%s:%d", src.File, file.line[s.Key])})
		}
		if v := env[s.Env()]; v != "" {
			faults = l.put(faults, s, envTexts(s, v), Source{"environment", s.Env()})
		}
		if v, ok := src.Flags[s.Key]; ok {
			faults = l.put(faults, s, v, Source{"flag", "--" + s.Flag()})
		}
	}
	l.Warnings = strayEnv(src.Environ)
	faults = append(faults, l.check()...)
	if len(faults) > 0 {
		return nil, faults
	}
	return l, nil
}

// put reads texts into a setting and notes where they came from.
func (l *Loaded) put(faults Faults, s *Setting, texts []string, from Source) Faults {
	if s.reset != nil {
		s.reset(&l.Config)
	}
	for _, t := range texts {
		if err := s.Set(&l.Config, t); err != nil {
			return append(faults, Fault{Where: where(s.Key, from), Text: err.Error()})
		}
	}
	l.from[s.Key] = from
	return faults
}

// where is what a fault says first: the flag or variable itself, or the file,
// line and key.
func where(key string, from Source) string {
	switch from.Kind {
	case "file":
		return from.Where + ": " + key
	case "default":
		return key
	}
	return from.Where
}

// PortIsDispatchers reads --port as the port of the dispatcher, which is what
// it means beside --dispatcher when --dispatcher-port is not given; the node's
// own port is then any free one. It reports whether that was the case.
func (l *Loaded) PortIsDispatchers() bool {
	_, port, _ := SplitHostPort(l.Dispatcher)
	if !l.Given("port") || l.Dispatcher == "" || l.Given("dispatcher-port") || port != 0 {
		return false
	}
	l.DispatcherPort = l.Port
	l.from["dispatcher-port"] = l.from["port"]
	l.Port = Default().Port
	delete(l.from, "port")
	return true
}
