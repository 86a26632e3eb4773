package config

import (
	"strings"

	"github.com/adauldev/octaskly/queue/task/text"
)

// envPrefix begins every variable that sets something.
const envPrefix = "OCTASKLY_"

// notSettings are variables with our prefix that mean something else: they
// name files, belong to the screen, or are what a task finds in its own
// environment.
var notSettings = map[string]bool{
	"CONFIG": true, "JOIN": true, "THEME": true, "ASCII": true, "GRAPH": true, "REDUCED_MOTION": true,
	"NO_MOUSE": true, "READ_ONLY": true, "TASK_ID": true, "ATTEMPT": true, "FENCE": true, "COOKIE": true,
}

// envTexts splits the value of a variable; lists are separated by commas.
func envTexts(s *Setting, v string) []string {
	if !s.List {
		return []string{v}
	}
	var out []string
	for e := range strings.SplitSeq(v, ",") {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

// strayEnv lists variables with our prefix that set nothing, each with the
// one that was probably meant.
func strayEnv(environ []string) []string {
	known := map[string]bool{}
	var names []string
	for _, s := range settings {
		known[s.Env()] = true
		names = append(names, s.Env())
	}
	var out []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || known[name] || notSettings[rest] {
			continue
		}
		t := "variable " + name + " sets nothing"
		if near := text.Nearest(name, names); near != "" {
			t += "; did you mean " + near + "?"
		}
		out = append(out, t)
	}
	return out
}
