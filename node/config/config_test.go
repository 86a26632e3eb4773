package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task/text"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreFree(t *testing.T) {
	l, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.toml")})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(l.Config, Default()) {
		t.Errorf("nothing was set, but %+v differs from the defaults", l.Config)
	}
	for _, s := range Settings() {
		if l.From(s.Key).Kind != "default" || l.Given(s.Key) {
			t.Errorf("%s came from %v", s.Key, l.From(s.Key))
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := write(t, "port = 1001\nbind = ['a', 'b']\nname = 'file'\nlabel = ['x=1', 'y=2']\n")
	for name, c := range map[string]struct {
		environ []string
		flags   map[string][]string
		port    int
		bind    []string
		from    string
	}{
		"file":             {nil, nil, 1001, []string{"a", "b"}, "file " + file + ":1"},
		"environment":      {[]string{"OCTASKLY_PORT=1002", "OCTASKLY_BIND=c, d"}, nil, 1002, []string{"c", "d"}, "environment OCTASKLY_PORT"},
		"flag":             {[]string{"OCTASKLY_PORT=1002"}, map[string][]string{"port": {"1003"}, "bind": {"e"}}, 1003, []string{"e"}, "flag --port"},
		"empty is not set": {[]string{"OCTASKLY_PORT="}, nil, 1001, []string{"a", "b"}, "file " + file + ":1"},
	} {
		l, err := Load(Sources{File: file, Environ: c.environ, Flags: c.flags})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l.Port != c.port || !reflect.DeepEqual(l.Bind, c.bind) || l.From("port").String() != c.from {
			t.Errorf("%s: port %d from %s, bind %v; want %d from %s, %v", name, l.Port, l.From("port"), l.Bind, c.port, c.from, c.bind)
		}
		if l.Name != "file" || !reflect.DeepEqual(l.Labels, map[string]string{"x": "1", "y": "2"}) {
			t.Errorf("%s: name %q, labels %v", name, l.Name, l.Labels)
		}
	}
}

// TestEverySettingIsReadBack writes every setting as text and reads it again.
func TestEverySettingIsReadBack(t *testing.T) {
	full := Config{
		Name: "n", ID: "l", Port: 1, Bind: []string{"::1"}, DiscoveryPort: 2, P2PEnabled: true, Dispatcher: "h:1", DispatcherPort: 3,
		MaxWorkers: 4, MaxQueueSize: 5, TaskTimeout: 6 * time.Second, OutputQuota: 11, TaskOutputQuota: 12, CPUCores: 7.5, Memory: 8, GPU: true, GPUs: 9, MaxJobs: 10,
		Labels: map[string]string{"k": "v"}, SandboxLevel: "strict", RequireAuth: true, Secret: "s", SecretFile: "f", AllowRootTasks: true, TaskUser: "u",
		AllowDir: []string{"/d"}, AllowRead: []string{"/r"},
		Headless: true, API: "off", NodeDir: "d", DrainTimeout: time.Minute, Verbose: true, LogLevel: "warn", LogFormat: "json", LogFile: "p",
	}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("field %s has no value in this test", v.Type().Field(i).Name)
		}
	}
	var again Config
	for _, s := range Settings() {
		for _, text := range s.Text(&full) {
			if err := s.Set(&again, text); err != nil {
				t.Errorf("%s does not read %q: %v", s.Key, text, err)
			}
		}
	}
	if !reflect.DeepEqual(full, again) {
		t.Errorf("read back %+v\nwant      %+v", again, full)
	}
}

func TestFaultsAreToldAtOnce(t *testing.T) {
	file := write(t, "prot = 1\n\nlog-lvel = 'x'\n[max-jobs]\na = 1\n")
	_, err := Load(Sources{
		File: file, Environ: []string{"OCTASKLY_PORT=70000", "OCTASKLY_MEMORY=lots"},
		Flags: map[string][]string{"max-queue-size": {"0"}, "name": {"a\x1b[31m"}, "task-timeout": {"-1s"}},
	})
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v is no list of faults", err)
	}
	for _, want := range []string{
		file + `:1: there is no setting "prot"; did you mean "port"?`,
		file + `:3: there is no setting "log-lvel"; did you mean "log-level"?`,
		file + `:4: max-jobs: takes one value, not a table`,
		`OCTASKLY_PORT: 70000 is not a port`,
		`OCTASKLY_MEMORY: "lots" is not a size`,
		`--max-queue-size: 0 is below 1`,
		`--name: the name "a\x1b[31m" has characters that cannot be printed`,
		`--task-timeout: "-1s" is negative`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in\n%v", want, err)
		}
	}
}

func TestChecks(t *testing.T) {
	for key, bad := range map[string][]string{
		"port":              {"-1", "65536", "x", ""},
		"discovery-port":    {"0", "65536"},
		"dispatcher-port":   {"-1", "65536"},
		"dispatcher":        {"a b", "h:x", "h:70000", ":5", "http://h"},
		"bind":              {"", "a b", "10.0.0.0/8"},
		"allow-dir":         {"", ".", "~/x"},
		"allow-read":        {"data"},
		"max-workers":       {"-1"},
		"max-queue-size":    {"0", "-5"},
		"task-timeout":      {"-1", "x", "1e300"},
		"cpu-cores":         {"-1", "NaN", "x"},
		"memory":            {"-1", "x", "5 apples", "1e300"},
		"gpu":               {"yes please"},
		"output-quota":      {"0", "-1", "x", "9007199254740992"},
		"task-output-quota": {"0", "-5"},
		"gpus":              {"-1"},
		"max-jobs":          {"-1", "99999999", "x"},
		"label":             {"x", "=x", "os=linux", "a=\n"},
		"sandbox-level":     {"steel", ""},
		"require-auth":      {"perhaps"},
		"api":               {"nowhere:x", ""},
		"drain-timeout":     {"-1s"},
		"log-level":         {"loud"},
		"log-format":        {"xml"},
		"name":              {"a\tb", " a", strings.Repeat("x", 64), "a\u202eb"},
	} {
		for _, text := range bad {
			if _, err := Load(Sources{Flags: map[string][]string{key: {text}}}); err == nil {
				t.Errorf("--%s %q is accepted", key, text)
			} else if !strings.Contains(err.Error(), "--"+key) {
				t.Errorf("--%s %q: error %q does not name the flag", key, text, err)
			}
		}
	}
	for key, good := range map[string][]string{
		"port": {"0", "1", "65535"}, "dispatcher": {"localhost", "h:1", "::1", "[::1]:7", "dispatcher.company.com"}, "bind": {"::1", "eth0", "fe80::1%eth0"},
		"task-timeout": {"0", "600", "10m"}, "memory": {"65536", "64g", "512MiB"}, "max-jobs": {"0", "auto", "8"}, "api": {"off", "127.0.0.1:3000", "localhost"},
		"gpu": {"true", "false", "TRUE", "0"}, "max-queue-size": {"1_000"}, "name": {"Werkstatt 3 ü"},
	} {
		for _, text := range good {
			if _, err := Load(Sources{Flags: map[string][]string{key: {text}}}); err != nil {
				t.Errorf("--%s %q: %v", key, text, err)
			}
		}
	}
}

func TestTheFileThatWasAskedForMustBeThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Load(Sources{File: path, FileMust: true}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestStrayVariablesAreTold(t *testing.T) {
	l, err := Load(Sources{Environ: []string{"OCTASKLY_PROT=1", "OCTASKLY_CONFIG=x", "OCTASKLY_TASK_ID=1", "PATH=x"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"variable OCTASKLY_PROT sets nothing; did you mean OCTASKLY_PORT?"}
	if !reflect.DeepEqual(l.Warnings, want) {
		t.Errorf("warnings %q, want %q", l.Warnings, want)
	}
}

func TestPortBesideDispatcher(t *testing.T) {
	for name, c := range map[string]struct {
		flags            map[string][]string
		moved            bool
		port, dispatcher int
	}{
		"both":                 {map[string][]string{"dispatcher": {"h"}, "port": {"8080"}}, true, DefaultPort, 8080},
		"no dispatcher":        {map[string][]string{"port": {"8080"}}, false, 8080, 0},
		"its port is given":    {map[string][]string{"dispatcher": {"h"}, "port": {"8080"}, "dispatcher-port": {"9"}}, false, 8080, 9},
		"its port is in there": {map[string][]string{"dispatcher": {"h:9"}, "port": {"8080"}}, false, 8080, 0},
	} {
		l, err := Load(Sources{Flags: c.flags})
		if err != nil {
			t.Fatal(err)
		}
		moved := l.PortIsDispatchers()
		if moved != c.moved || l.Port != c.port || l.DispatcherPort != c.dispatcher || moved == l.Given("port") {
			t.Errorf("%s: moved %v, port %d, dispatcher's %d", name, moved, l.Port, l.DispatcherPort)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	for _, s := range []string{"port = 1", "label = {a = 1}", "[label]\na = 'b'", "x = 1\ny = [1", "bind = ['a', 2, true]", "name = '\\u0000'"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parseFile("f", data)
		if err != nil {
			return
		}
		l := &Loaded{Config: Default(), from: map[string]Source{}}
		for key, texts := range v.values {
			if v.line[key] < 1 {
				t.Errorf("%s stands on line %d", key, v.line[key])
			}
			l.put(nil, Find(key), texts, Source{"file", "f"})
		}
		_ = l.check().Error()
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("1h30m")
	f.Add("1.5g")
	f.Add("[::1]:80")
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil && d < 0 {
			t.Errorf("duration %q is %v", s, d)
		}
		_, _, _ = SplitHostPort(s)
		_ = text.Nearest(s, keys())
	})
}
