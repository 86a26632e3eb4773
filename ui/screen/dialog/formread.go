package dialog

import (
	"strconv"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/text"
	"github.com/adauldev/octaskly/ui/screen/scene"
)

// fieldReaders turn the text of a field into a part of the task. What they take
// and how they print it back is that of the flags of octaskly submit.
var fieldReaders = [fieldCount]func(s *task.Spec, v string) error{
	fOn:       readOn,
	fPriority: fieldOf("priority", func(s *task.Spec) { s.Priority = task.PriorityNormal }),
	fTimeout:  fieldOf("timeout", func(s *task.Spec) { s.Timeout = 0 }),
	fRetries:  fieldOf("retries", func(s *task.Spec) { s.Retries = 0 }),
	fCPU:      fieldOf("cpus", func(s *task.Spec) { s.Need.CPU = 0 }),
	fMemory:   fieldOf("mem", func(s *task.Spec) { s.Need.MemoryMB = 0 }),
	fGPU:      fieldOf("gpus", func(s *task.Spec) { s.Need.GPUs = 0 }),
	fSandbox:  readSandbox,
	fDir:      fieldOf("dir", func(s *task.Spec) { s.Dir = "" }),
	fEnv:      readEnv,
	fName:     fieldOf("name", func(s *task.Spec) { s.Name = "" }),
	fTags:     readTags,
}

// fieldOf reads a field as the flag of that name is read; an empty field and "-"
// are the default.
func fieldOf(flag string, reset func(*task.Spec)) func(*task.Spec, string) error {
	return func(s *task.Spec, v string) error {
		reset(s)
		if v == "" || v == "-" {
			return nil
		}
		return text.SetValue(s, flag, v)
	}
}

// readOn takes a node's name, labels as k=v, or both.
func readOn(s *task.Spec, v string) error {
	s.Need.On, s.Need.Labels = "", nil
	if v == "" || v == "any" || v == "-" {
		return nil
	}
	words, err := text.SplitWords(v, " ,")
	if err != nil {
		return err
	}
	for _, w := range words {
		switch {
		case strings.Contains(w, "="):
			err = text.SetValue(s, "label", w)
		case s.Need.On != "":
			err = task.Errorf(task.KindUsage, "one node, or labels as k=v")
		default:
			s.Need.On = w
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// onText is what readOn reads back.
func onText(n *task.Need) string {
	labels := text.JoinAssignments(n.Labels)
	switch {
	case n.On == "" && labels == "":
		return "any"
	case n.On == "":
		return labels
	case labels == "":
		return text.JoinWords([]string{n.On}, " ")
	}
	return text.JoinWords([]string{n.On}, " ") + " " + labels
}

func readSandbox(s *task.Spec, v string) error {
	if s.Need.Sandbox = ""; v == "default" {
		return nil
	}
	return fieldOf("sandbox", func(*task.Spec) {})(s, v)
}

func readEnv(s *task.Spec, v string) (err error) {
	s.Env, err = text.SplitAssignments(v, false)
	return err
}

func readTags(s *task.Spec, v string) (err error) {
	s.Tags, err = text.SplitWords(v, " ,")
	return err
}

// fill writes a task into the fields, as they read it back. What a field cannot
// show, or what is not edited, stays as it is in the task.
func (f *form) fill(s *task.Spec) {
	for i, v := range [fieldCount]string{
		fCommand:  scene.CommandOf(s),
		fOn:       onText(&s.Need),
		fPriority: text.FormatPriority(s.Priority),
		fTimeout:  text.FormatTimeout(s.Timeout),
		fRetries:  strconv.Itoa(int(s.Retries)),
		fCPU:      s.Need.CPUs().String(),
		fMemory:   text.FormatMiB(s.Need.MemoryMB),
		fGPU:      strconv.Itoa(int(s.Need.GPUs)),
		fSandbox:  s.Need.Sandbox,
		fDir:      s.Dir,
		fEnv:      text.JoinAssignments(s.Env),
		fName:     s.Name,
		fTags:     text.JoinWords(s.Tags, ","),
	} {
		f.fields[i].Set(v)
		f.filled[i] = f.fields[i].Value()
	}
}
