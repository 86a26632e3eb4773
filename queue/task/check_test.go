package task

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	long := strings.Repeat("x", MaxNameBytes+1)
	many := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[strings.Repeat("k", i+1)] = "v"
		}
		return m
	}
	for name, c := range map[string]struct {
		spec Spec
		want string // part of the error; empty is no error
		kind Kind
	}{
		"shell":                       {Spec{Shell: "true"}, "", ""},
		"argv":                        {Spec{Argv: []string{"true", ""}}, "", ""},
		"null":                        {Spec{Null: true}, "", ""},
		"all that is fine":            {Spec{Shell: "x", Name: "Übung 1", Tags: []string{"a"}, Timeout: -1, Grace: -1, Priority: 100}, "", ""},
		"nothing":                     {Spec{}, "command is empty", KindUsage},
		"blank":                       {Spec{Shell: " \n"}, "command is blank", KindUsage},
		"both":                        {Spec{Shell: "x", Argv: []string{"y"}}, "twice", KindUsage},
		"NUL":                         {Spec{Shell: "a\x00b"}, "NUL byte", KindUsage},
		"NUL in argument":             {Spec{Argv: []string{"a", "b\x00"}}, "argument 1 holds a NUL", KindUsage},
		"no program":                  {Spec{Argv: []string{""}}, "empty name", KindUsage},
		"10 MB command":               {Spec{Shell: strings.Repeat("x", 10_000_000)}, "command has 9.5 MiB, at most 256.0 KiB", KindTooLarge},
		"newline in name":             {Spec{Shell: "x", Name: "a\nb"}, "cannot be printed", KindUsage},
		"escape in name":              {Spec{Shell: "x", Name: "\x1b]0;x\a"}, `"\x1b]0;x\a" has characters`, KindUsage},
		"override in name":            {Spec{Shell: "x", Name: "a\u202eb"}, "cannot be printed", KindUsage},
		"bad UTF-8 name":              {Spec{Shell: "x", Name: "\xff"}, "cannot be printed", KindUsage},
		"long name":                   {Spec{Shell: "x", Name: long}, "name has 129 bytes", KindTooLarge},
		"empty tag":                   {Spec{Shell: "x", Tags: []string{""}}, "tags holds an empty", KindUsage},
		"many tags":                   {Spec{Shell: "x", Tags: make([]string, MaxTags+1)}, "tags: there are 33", KindTooLarge},
		"many labels":                 {Spec{Shell: "x", Need: Need{Labels: many(MaxLabels + 1)}}, "labels: there are 33", KindTooLarge},
		"bad node":                    {Spec{Shell: "x", Need: Need{On: "a\tb"}}, "on ", KindUsage},
		"bad variable":                {Spec{Shell: "x", Env: map[string]string{"A=B": "c"}}, `"A=B" is not the name`, KindUsage},
		"NUL in variable":             {Spec{Shell: "x", Env: map[string]string{"A": "\x00"}}, "value of A", KindUsage},
		"many variables":              {Spec{Shell: "x", Env: many(MaxEnv + 1)}, "env: there are 513", KindTooLarge},
		"a variable no shell has":     {Spec{Shell: "x", Env: map[string]string{"1X": "2"}}, `env: "1X" is not the name of a variable`, KindUsage},
		"a variable with a dot":       {Spec{Shell: "x", Env: map[string]string{"a.b": "2"}}, `env: "a.b" is not the name`, KindUsage},
		"a variable of the shell":     {Spec{Shell: "x", Env: map[string]string{"UID": "0"}}, "env: UID is set by the shell", KindUsage},
		"a secret no shell has":       {Spec{Shell: "x", Secrets: map[string][]byte{"1X": []byte("s")}}, `secret_env: "1X" is not`, KindUsage},
		"a variable too long to give": {Spec{Shell: "x", Env: map[string]string{"A": strings.Repeat("x", MaxArgumentBytes-1)}}, "env: A has 131072 bytes", KindTooLarge},
		"a longest line":              {Spec{Shell: strings.Repeat("x", MaxArgumentBytes)}, "", ""},
		"a line too long to give":     {Spec{Shell: strings.Repeat("x", MaxArgumentBytes+1)}, "an argument of 131072 bytes", KindTooLarge},
		"an argument too long":        {Spec{Argv: []string{"a", strings.Repeat("x", MaxArgumentBytes+1)}}, "an argument of 131072 bytes", KindTooLarge},
		"large variables":             {Spec{Shell: "x", Env: map[string]string{"A": strings.Repeat("x", MaxEnvBytes/2), "B": strings.Repeat("x", MaxEnvBytes/2)}}, "env has", KindTooLarge},
		"large stdin":                 {Spec{Shell: "x", Stdin: make([]byte, MaxInlineStdin+1)}, "stdin has", KindTooLarge},
		"bad reference":               {Spec{Shell: "x", StdinRef: "abc:5"}, "not a reference", KindUsage},
		"good reference":              {Spec{Shell: "x", StdinRef: strings.Repeat("0a", 32) + ":5"}, "", ""},
		"endless timeout":             {Spec{Shell: "x", Timeout: 1<<63 - 1}, "longer than", KindUsage},
		"retry at most once":          {Spec{Shell: "x", Retries: 1, Delivery: AtMostOnce}, "contradict", KindUsage},
		"negative retries":            {Spec{Shell: "x", Retries: -1}, "retry_count -1", KindUsage},
		"many retries":                {Spec{Shell: "x", Retries: MaxRetries + 1}, "retry_count 1001", KindUsage},
		"priority":                    {Spec{Shell: "x", Priority: 101}, "priority 101", KindUsage},
		"delivery":                    {Spec{Shell: "x", Delivery: 9}, "delivery 9", KindUsage},
		"backoff":                     {Spec{Shell: "x", Backoff: 9}, "backoff 9", KindUsage},
		"negative cpu":                {Spec{Shell: "x", Need: Need{CPU: -1}}, "cpus -0.001", KindUsage},
		"negative memory":             {Spec{Shell: "x", Need: Need{MemoryMB: -1}}, "memory_limit_mb -1", KindUsage},
		"negative disk":               {Spec{Shell: "x", Need: Need{DiskMB: -1}}, "disk_limit_mb -1", KindUsage},
		"full path":                   {Spec{Shell: "x", Dir: "/srv/build"}, "", ""},
		"full path, Windows":          {Spec{Shell: "x", Dir: `D:\build`}, "", ""},
		"path on a share":             {Spec{Shell: "x", Dir: `\\host\share`}, "", ""},
		"relative path":               {Spec{Shell: "x", Dir: "build"}, `dir "build" is relative`, KindUsage},
		"here":                        {Spec{Shell: "x", Dir: "."}, `dir "." is relative`, KindUsage},
		"path of a drive":             {Spec{Shell: "x", Dir: `D:build`}, "is relative", KindUsage},
		"home":                        {Spec{Shell: "x", Dir: "~/src"}, "is relative", KindUsage},
		"negative gpus":               {Spec{Shell: "x", Need: Need{GPUs: -1}}, "gpus -1", KindUsage},
		"sandbox":                     {Spec{Shell: "x", Need: Need{Sandbox: "steel"}}, `sandbox_level "steel"`, KindUsage},
	} {
		err := c.spec.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v; want %q in it", name, err, c.want)
		case KindOf(err) != c.kind:
			t.Errorf("%s: kind %q, want %q", name, KindOf(err), c.kind)
		}
	}
}
