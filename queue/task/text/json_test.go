package text

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

func TestReadTaskReadsEveryField(t *testing.T) {
	const doc = `{"schema":"octaskly.task/1","command":["make","-j4"],"name":"build","tags":["a","b"],"timeout":"10m","grace":2.5,
		"retry_count": 0,"backoff":"fixed","retry_on":[75,-1],"priority":"high","delivery":"at-most-once","cpus":0.5,"memory_limit_mb":512,
		"disk_limit_mb":1000,"cpu_time_limit":"1m30s","max_open_files":64,"max_processes":16,"output_limit_mb":2,"gpus":1,"labels":{"os":"linux"},"on":"mill","dir":"/tmp","env":{"A":"1"},"stdin":"in\u0000put",
		"keep":true,"sandbox_level":"strict","idempotency_key":"k"}`
	got, err := ReadTask([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := task.NewTask{Key: "k", Spec: task.Spec{
		Argv: []string{"make", "-j4"}, Name: "build", Tags: []string{"a", "b"}, Dir: "/tmp", Env: map[string]string{"A": "1"},
		Stdin: []byte("in\x00put"), Timeout: 10 * time.Minute, Grace: 2500 * time.Millisecond, Retries: 0, Backoff: task.BackoffFixed,
		RetryOn: []int32{75, -1}, Priority: task.PriorityHigh, Delivery: task.AtMostOnce, Keep: true,
		Need: task.Need{
			CPU: 500, MemoryMB: 512, DiskMB: 1000, GPUs: 1, Labels: map[string]string{"os": "linux"}, On: "mill", Sandbox: "strict",
			Limits: task.Limits{CPUTime: 90 * time.Second, OpenFiles: 64, Processes: 16, OutputMB: 2},
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if err := got.Spec.Check(); err != nil {
		t.Error(err)
	}
}

func TestReadTaskDefaults(t *testing.T) {
	got, err := ReadTask([]byte(`{"command":"true","name":null,"timeout":null}`))
	if err != nil {
		t.Fatal(err)
	}
	want := task.NewTask{Spec: task.Spec{Shell: "true", Priority: task.PriorityNormal}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReadTaskTimeouts(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`60`: time.Minute, `"60"`: time.Minute, `"10m"`: 10 * time.Minute, `0`: -1, `"0"`: -1, `0.5`: time.Second / 2,
	} {
		got, err := ReadTask([]byte(`{"command":"x","timeout":` + text + `}`))
		if err != nil || got.Spec.Timeout != want {
			t.Errorf("timeout %s is %v, %v; want %v", text, got.Spec.Timeout, err, want)
		}
	}
}

func TestReadTaskFaults(t *testing.T) {
	for doc, want := range map[string]string{
		``:                                       "it ends in the middle",
		`   `:                                    "it ends in the middle",
		`{"command":"x"`:                         "it ends in the middle",
		`{"command":"x"} {"command":"y"}`:        "something follows the task",
		`{"command":"x"}]`:                       "follows the task",
		`[]`:                                     "a task is an object, not a list",
		`"x"`:                                    "a task is an object, not text",
		`{"command" "x"}`:                        "not valid JSON at byte",
		`{}`:                                     "field command is missing",
		`{"command":null}`:                       "field command is null",
		`{"command":5}`:                          "field command is 5",
		`{"command":[]}`:                         "empty list",
		`{"command":["x",1]}`:                    "a program and its arguments",
		`{"command":"x","command":"y"}`:          `"command" stands twice`,
		`{"command":"x","comand":"y"}`:           `there is no field "comand"`,
		`{"command":"x","timeout":-1}`:           "timeout -1 is negative",
		`{"command":"x","timeout":"-5m"}`:        "timeout -5m is negative",
		`{"command":"x","timeout":"soon"}`:       `timeout "soon" is not a duration`,
		`{"command":"x","timeout":1e300}`:        "is longer than",
		`{"command":"x","timeout":true}`:         "field timeout is true",
		`{"command":"x","priority":101}`:         "field priority is 101",
		`{"command":"x","priority":"hgih"}`:      `priority "hgih"`,
		`{"command":"x","priority":1.5}`:         "field priority is 1.5",
		`{"command":"x","retry_count":-1}`:       "0 or more",
		`{"command":"x","retry_count":1e9}`:      "field retry_count",
		`{"command":"x","retry_count":"3"}`:      `field retry_count is "3"`,
		`{"command":"x","cpus":0}`:               "cpus 0 is not between",
		`{"command":"x","cpus":-1}`:              "cpus -1 is not between",
		`{"command":"x","cpus":"2"}`:             "it takes a number",
		`{"command":"x","memory_limit_mb":1.5}`:  "a whole number",
		`{"command":"x","cpu_time_limit":-1}`:    "is negative",
		`{"command":"x","cpu_time_limit":1e300}`: "is longer than",
		`{"command":"x","cpu_time_limit":{}}`:    "it takes seconds",
		`{"command":"x","max_processes":-1}`:     "0 or more",
		`{"command":"x","max_open_files":1e12}`:  "a whole number",
		`{"command":"x","output_limit_mb":"a"}`:  "a whole number",
		`{"command":"x","delivery":"once"}`:      `delivery "once"`,
		`{"command":"x","backoff":"linear"}`:     `backoff "linear"`,
		`{"command":"x","tags":"a"}`:             "a list of texts",
		`{"command":"x","env":{"A":1}}`:          "an object of texts",
		`{"command":"x","state":"done"}`:         `"state" is told by Octaskly`,
		`{"command":"x","schema":"other/2"}`:     "field schema",
		`{"command":"x","keep":"yes"}`:           "true or false",
		"{\"command\":\"\xff\"}":                 "UTF-8",
		`{"command":"x","idempotency_key":"` + strings.Repeat("k", 129) + `"}`: "at most 128 bytes",
	} {
		_, err := ReadTask([]byte(doc))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q in it", doc, err, want)
			continue
		}
		if k := task.KindOf(err); k != task.KindUsage && k != task.KindTooLarge {
			t.Errorf("%s: kind %s", doc, k)
		}
	}
}

func TestReadTaskNamesTheNearestField(t *testing.T) {
	for word, want := range map[string]string{
		"comand": "command", "cmd": "command", "Timeout": "timeout", "memory-limit-mb": "memory_limit_mb", "retries": "retry_count",
		"sandbox": "sandbox_level", "node_name_that_is_nothing": "",
	} {
		_, err := ReadTask([]byte(`{"command":"x",` + `"` + word + `":1}`))
		hint := task.HintOf(err)
		if want != "" && hint != `did you mean "`+want+`"?` {
			t.Errorf("%s: hint %q, want %q", word, hint, want)
		}
		if want == "" && !strings.HasPrefix(hint, "the fields are: ") {
			t.Errorf("%s: hint %q, want the list of fields", word, hint)
		}
	}
}

func TestDocumentIsReadBack(t *testing.T) {
	const asked = `{"command":"a | b","name":"n","tags":["t"],"timeout":90,"retry_count":2,"priority":7,"cpus":2,"on":"mill","env":{"A":"b"},"grace":0}`
	sub, err := ReadTask([]byte(asked))
	if err != nil {
		t.Fatal(err)
	}
	done := task.Task{
		ID: 42, Spec: sub.Spec, State: task.Done, Submitted: 1, Finished: 5000, Key: task.AutoKey + "1",
		Attempts: []task.Attempt{{Fence: task.Fence{Term: 1, Attempt: 1}, Node: "abc", Assigned: 2, Started: 3, Ended: 4, Exit: task.Exit{Reason: task.ReasonExit}}},
	}
	for _, whole := range []bool{false, true} {
		text, err := json.Marshal(DocumentOf(&done, nil, whole))
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadTask(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again.Spec.Need.CPU = sub.Spec.Need.CPU
		norm := func(s task.Spec) task.Spec {
			if len(s.Need.Labels) == 0 {
				s.Need.Labels = nil
			}
			if len(s.RetryOn) == 0 {
				s.RetryOn = nil
			}
			return s
		}
		if !reflect.DeepEqual(norm(again.Spec), norm(sub.Spec)) || again.Key != "" {
			t.Errorf("read back %+v\nwant      %+v", again, sub)
		}
	}
}

func TestDocumentForm(t *testing.T) {
	v := task.Task{
		ID: 7, State: task.Failed, Submitted: 1795443600123, Finished: 1795443601000,
		Spec:     task.Spec{Argv: []string{"x"}, Priority: 50},
		Attempts: []task.Attempt{{Node: "abc", Exit: task.Exit{Code: 137, Signal: 9, Reason: task.ReasonSignal}, Ended: 1}},
	}
	text, err := json.Marshal(DocumentOf(&v, func(task.NodeID) string { return "mill" }, false))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"schema":"octaskly.task/1"`, `"id":7`, `"state":"failed"`, `"command":["x"]`, `"node":"mill"`, `"name":null`, `"tags":[]`,
		`"submitted":"2026-11-23T14:20:00.123Z"`, `"started":null`, `"signal":9`, `"source":"task"`, `"timeout":null`, `"cpus":1,`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
	if strings.Contains(string(text), `"attempts"`) {
		t.Error("a short document has attempts")
	}
}

func TestExitSource(t *testing.T) {
	for _, c := range []struct {
		state  task.State
		reason task.Reason
		want   string
	}{
		{task.Done, task.ReasonExit, "task"},
		{task.Failed, task.ReasonExit, "task"},
		{task.Failed, task.ReasonSignal, "task"},
		{task.Failed, task.ReasonLimitPrefix + "memory", "task"},
		{task.Failed, task.ReasonNotFound, "octaskly"},
		{task.Failed, task.ReasonNodeLost, "octaskly"},
		{task.Timeout, task.ReasonTimeout, "octaskly"},
		{task.Cancelled, task.ReasonCancelled, "octaskly"},
		{task.Lost, task.ReasonNodeLost, "octaskly"},
	} {
		v := task.Task{State: c.state, Attempts: []task.Attempt{{Exit: task.Exit{Reason: c.reason}}}}
		if got := ExitSource(&v); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.state, c.reason, got, c.want)
		}
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, s := range []string{
		`{"command":"echo"}`, `{"command":["a","b"],"timeout":"1h","priority":"low"}`, `{"command":"x","env":{"A":"b"},"cpus":0.1}`,
		`{"schema":"octaskly.task/1","id":1,"state":"done","command":"x","attempts":[]}`, `{"command":"x","command":1}`, `[[[[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sub, err := ReadTask(data)
		if err != nil {
			if k := task.KindOf(err); k != task.KindUsage && k != task.KindTooLarge {
				t.Fatalf("error of kind %s: %v", k, err)
			}
			return
		}
		if sub.Spec.Check() != nil {
			return
		}
		text, err := json.Marshal(DocumentOf(&task.Task{Spec: sub.Spec, Key: sub.Key}, nil, false))
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", sub, err)
		}
		again, err := ReadTask(text)
		if err != nil {
			t.Fatalf("%s is not read back: %v", text, err)
		}
		if err := again.Spec.Check(); err != nil {
			t.Fatalf("%s is refused when read back: %v", text, err)
		}
	})
}

func TestReadTaskReadsRetryCount(t *testing.T) {
	d, err := ReadTask([]byte(`{"command":"x","retry_count":3}`))
	if err != nil || d.Spec.Retries != 3 {
		t.Errorf("got %d retries, %v; want 3", d.Spec.Retries, err)
	}
}
