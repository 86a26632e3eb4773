package nodetest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/queue/task/testlength"
)

// holding lists the files below a directory in which a text or a part of it stands.
func holding(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // what goes away meanwhile holds nothing
		}
		b, err := os.ReadFile(path)
		if err == nil && (bytes.Contains(b, []byte(text)) || bytes.Contains(b, []byte(text[3:15]))) {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSecretStaysSecret: a task is given a secret and sees it; nobody else does:
// it is in no file of any node, no log, no view, and in the environment of no
// process but the task's.
func TestSecretStaysSecret(t *testing.T) {
	const canary = "canary-8c1f2e77d9a04b"
	u := newUser(t)
	outside := t.TempDir()
	file := filepath.Join(outside, "secret")
	if err := os.WriteFile(file, []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	disp := u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--verbose")
	_, end := u.control()
	end()
	// The first task waits in the queue while no worker is there.
	id, errs, code := u.run("submit", "-q", "--secret-env", "TOKEN=@"+file, `case $TOKEN in canary-8c*04b) echo it is there; esac; sleep `+testlength.Of("3", "10", "10"))
	if code != 0 {
		t.Fatalf("submit: code %d, %s", code, errs)
	}
	id = strings.TrimSpace(id)
	look := func(when string) {
		t.Helper()
		if at := holding(t, u.dir, canary); len(at) > 0 {
			t.Errorf("%s it stands in %v", when, at)
		}
		for _, args := range [][]string{
			{"show", id, "--json"}, {"show", id}, {"ps", "--json"}, {"why", id, "--json"}, {"status", "--json"}, {"nodes", "--json"}, {"logs", id, "--json"},
		} {
			out, errs, code := u.run(args...)
			problems := args[0] == "status" && code == 1 // it saw some, such as no worker
			if code != 0 && !problems && args[0] != "logs" {
				t.Errorf("%s %v: code %d, %s", when, args, code, errs)
			}
			if strings.Contains(out+errs, canary) {
				t.Errorf("%s %v shows it", when, args)
			}
		}
	}
	look("before it ran")
	u.start("w0", "worker", "--api", "off", "--verbose")
	await(t, "the running task", func() bool { all := u.tasks(); return all[0].State == task.Running })
	seen := 0
	dirs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil || !bytes.Contains(b, []byte(canary)) {
			continue
		}
		if seen++; !bytes.Contains(b, []byte("OCTASKLY_TASK_ID="+id+"\x00")) {
			t.Errorf("%s holds it and is not of the task", d)
		}
	}
	if seen == 0 {
		t.Error("the task's process was not found: this test sees nothing")
	}
	look("while it runs")
	await(t, "the end", func() bool { all := u.tasks(); return ended(all) == len(all) })
	if out, _, _ := u.run("logs", id); out != "it is there\n" {
		t.Errorf("the task wrote %q", out)
	}
	look("after it ran")
	// After a restart nothing has changed, and what waits still opens.
	disp.kill()
	u.start("dispatcher", "dispatcher", "--max-jobs", "0", "--api", "off", "--verbose")
	_, end = u.control()
	end()
	look("after a restart")
	// What is read back is the name only, so that nobody can run it again with
	// another command, or at all.
	if _, errs, code := u.run("retry", id); code == 0 || !strings.Contains(errs, "--secret-env TOKEN") {
		t.Errorf("retry: code %d, %s", code, errs)
	}
	c, end := u.control()
	defer end()
	x, err := c.Get(t.Context(), 1)
	if v, ok := x.Spec.Secrets["TOKEN"]; err != nil || !ok || len(v) != 0 {
		t.Errorf("a view holds the secret as %q, %v", v, err)
	}
	forged := task.Spec{Shell: "env", Secrets: map[string][]byte{"TOKEN": bytes.Repeat([]byte("x"), 90)}}
	r, err := c.Submit(t.Context(), control.SubmitRequest{Tasks: []control.NewTask{{Spec: forged}}})
	if err != nil || r.Results[0].Kind != task.KindUsage {
		t.Errorf("a forged secret is taken: %+v, %v", r, err)
	}
}
