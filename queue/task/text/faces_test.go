package text

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/adauldev/octaskly/queue/task"
)

// sample has another value than the default in every field of a task.
var sample = task.Spec{
	Shell: "echo hello | tr a-z A-Z", Argv: []string{"make", "-j4", "it's"}, Null: true, Name: "nightly build", Tags: []string{"a", "b c"}, Dir: "/srv/build",
	Env: map[string]string{"A": "x y", "B": ""}, Secrets: map[string][]byte{"TOKEN": []byte("sealed")}, Stdin: []byte("in"), StdinRef: strings.Repeat("0", 64) + ":70000",
	Timeout: 90 * time.Minute, Grace: 1500 * time.Millisecond, Retries: 3, Backoff: task.BackoffFixed, RetryOn: []int32{75, 111}, Priority: task.PriorityHigh,
	Delivery: task.AtMostOnce, Keep: true, RetryOf: 41,
	Need: task.Need{
		CPU: 500, MemoryMB: 1536, DiskMB: 2048, GPUs: 1, Labels: map[string]string{"arch": "arm64", "disk": "ssd, fast"}, On: "mill", Sandbox: "strict",
		Limits: task.Limits{CPUTime: 90 * time.Second, OpenFiles: 64, Processes: 16, OutputMB: 7},
	},
}

// face is one way in which a task is printed and read back.
type face struct {
	print func(*task.Spec) (string, error)
	read  func(string) (task.Spec, error)
	// silent are the fields that this face does not print and read, each with its
	// reason.
	silent map[string]string
}

var faces = map[string]face{
	"JSON, NDJSON and --json": {
		print: func(s *task.Spec) (string, error) {
			b, err := json.Marshal(DocumentOf(&task.Task{ID: 1, State: task.Queued, Spec: *s}, nil, false))
			return string(b), err
		},
		read: func(t string) (task.Spec, error) { n, err := ReadTask([]byte(t)); return n.Spec, err },
		silent: map[string]string{
			"Null":     "a task without a process is for measuring; nobody asks for it in a file",
			"Secrets":  "their names are printed; their values stand in no document",
			"StdinRef": "it is told: it names what was stored, and only a node stores",
			"RetryOf":  "it is told: a new task made from a document is no retry",
		},
	},
	"flags and \"same as\"": {
		print: func(s *task.Spec) (string, error) { return SubmitCommand(s), nil },
		read:  readCommandLine,
		silent: map[string]string{
			"Null":     "a task without a process is for measuring; octaskly bench makes it",
			"Secrets":  "their names are printed; their values are read from files, which are not known any more",
			"Stdin":    "it is printed as --stdin-file FILE; a command line has no place for it",
			"StdinRef": "it is printed as --stdin-file FILE, as Stdin is",
			"RetryOf":  "it is told: a new task from a command line is no retry",
		},
	},
	"wire": {
		print: func(s *task.Spec) (string, error) { b, err := msgpack.Marshal(s); return string(b), err },
		read: func(t string) (s task.Spec, err error) {
			err = msgpack.Unmarshal([]byte(t), &s)
			return s, err
		},
	},
}

// readCommandLine reads what SubmitCommand wrote as the command line does.
func readCommandLine(line string) (task.Spec, error) {
	s := task.Spec{Priority: task.PriorityNormal}
	args, err := SplitWords(strings.ReplaceAll(line, `'\''`, `'"'"'`), " ")
	if err != nil {
		return s, err
	}
	shell := false
	for i := 2; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		switch {
		case args[i] == "--" && shell:
			s.Shell = strings.Join(args[i+1:], " ")
			return s, nil
		case args[i] == "--":
			s.Argv = args[i+1:]
			return s, nil
		case !isFlag:
			s.Shell = args[i]
		case name == "shell":
			shell = true
		case name == "keep":
			err = SetFlag(&s, name, bare)
		case name == "secret-env", name == "stdin-file":
			i++
		default:
			i++
			err = SetFlag(&s, name, args[i])
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// TestEveryFaceKnowsEveryField: each field of a task is printed and read back by each
// face, or stands in the face's list with its reason. Who adds a field to task.Spec
// is told here what is missing.
func TestEveryFaceKnowsEveryField(t *testing.T) {
	for name, f := range faces {
		var known []string
		for _, field := range leaves(reflect.TypeFor[task.Spec](), nil) {
			path := strings.Join(field, ".")
			known = append(known, path)
			s := task.Spec{Priority: task.PriorityNormal}
			if path != "Shell" && path != "Argv" && path != "Null" {
				s.Shell = "true"
			}
			value := reach(reflect.ValueOf(&sample), field)
			if value.IsZero() {
				t.Fatalf("give the field %s of sample a value that is not the default", path)
			}
			reach(reflect.ValueOf(&s), field).Set(value)
			if _, silent := f.silent[path]; silent {
				continue
			}
			text, err := f.print(&s)
			if err != nil {
				t.Errorf("%s, field %s: %v", name, path, err)
				continue
			}
			got, err := f.read(text)
			if err != nil {
				t.Errorf("%s, field %s: %s is not read back: %v", name, path, text, err)
				continue
			}
			if have := reach(reflect.ValueOf(&got), field); !reflect.DeepEqual(have.Interface(), value.Interface()) {
				t.Errorf("%s loses the field %s: %s has %v, want %v", name, path, text, have, value)
			}
		}
		for path, reason := range f.silent {
			if !slices.Contains(known, path) || reason == "" {
				t.Errorf("%s says why it leaves out %q, which is no field of a task", name, path)
			}
		}
	}
}

// TestSameAsIsWhole: a whole task is printed as a command line that asks for all of
// it. --backoff, --retry-on, --grace and --delivery were forgotten once.
func TestSameAsIsWhole(t *testing.T) {
	s := sample
	s.Argv, s.Null, s.Secrets, s.Stdin, s.StdinRef, s.RetryOf = nil, false, nil, nil, "", 0
	for _, shell := range []string{s.Shell, "-v is no flag", "'quoted' \"twice\""} {
		s.Shell = shell
		got, err := readCommandLine(SubmitCommand(&s))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s\nis read as %+v, %v\nwant       %+v", SubmitCommand(&s), got, err, s)
		}
	}
	for _, flag := range []string{"--backoff fixed", "--retry-on 75,111", "--grace 1.5s", "--delivery at-most-once", "--env 'A=x y'"} {
		if line := SubmitCommand(&s); !strings.Contains(line, flag) {
			t.Errorf("%s lacks %s", line, flag)
		}
	}
	none := task.Spec{Shell: "x", Priority: task.PriorityNormal, Timeout: -1, Grace: -1}
	if got, err := readCommandLine(SubmitCommand(&none)); err != nil || !reflect.DeepEqual(got, none) {
		t.Errorf("%s is read as %+v, %v", SubmitCommand(&none), got, err)
	}
}

// leaves lists the fields of a struct, and of the structs in it, by their paths.
func leaves(t reflect.Type, above []string) (all [][]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		path := append(slices.Clone(above), f.Name)
		if f.Type.Kind() == reflect.Struct {
			all = append(all, leaves(f.Type, path)...)
			continue
		}
		all = append(all, path)
	}
	return all
}

func reach(v reflect.Value, path []string) reflect.Value {
	v = reflect.Indirect(v)
	for _, name := range path {
		v = v.FieldByName(name)
	}
	return v
}

func TestFlagNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range FlagNames() {
		seen[n] = true
	}
	if len(seen) != len(flags) {
		t.Errorf("%d flags have %d names: %v", len(flags), len(seen), slices.Sorted(maps.Keys(seen)))
	}
	for name, value := range map[string]string{
		"mem": "much", "retry-on": "256", "env": "A", "label": "=x", "timeout": "soon", "grace": "-1s", "sandbox": "stric", "retries": "-1", "gpus": "99999999999", "cpus": "0", "priority": "urgent",
	} {
		var s task.Spec
		if err := SetFlag(&s, name, value); err == nil || !strings.HasPrefix(err.Error(), "--"+name+": ") || task.KindOf(err) != task.KindUsage {
			t.Errorf("--%s %s: %v", name, value, err)
		}
	}
}
