package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what stories can do beside the usual.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits": exits,
	"rest":  rest,
	"until": until,
}

// exits runs a program and wants exactly this exit code: exits 7 octaskly …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s exits with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// rest asks a dispatcher whose log is in a file, and wants this status. The body of
// the answer is in the file answer then: rest STATUS LOG TOKEN METHOD PATH [BODY].
func rest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: rest STATUS LOG TOKEN METHOD PATH [BODY]")
	}
	base := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`).FindString(ts.ReadFile(args[1]))
	if base == "" {
		ts.Fatalf("%s does not say where REST is: %s", args[1], ts.ReadFile(args[1]))
	}
	body := strings.Join(args[5:], " ")
	ctx, cancel := context.WithTimeout(context.Background(), untilTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, args[3], base+args[4], strings.NewReader(body))
	ts.Check(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token := strings.TrimSpace(ts.ReadFile(args[2])); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), text, 0o600))
	if strconv.Itoa(answer.StatusCode) != args[0] {
		ts.Fatalf("%s %s answers %s: %s", args[3], args[4], answer.Status, text)
	}
}

// untilTime is how long a story waits for something to become so.
const untilTime = 30 * time.Second

// until runs a program again and again until it succeeds and prints what was
// named: until [-stdout REGEXP] octaskly …
func until(ts *testscript.TestScript, neg bool, args []string) {
	want := regexp.MustCompile("")
	if len(args) > 2 && args[0] == "-stdout" {
		expr, err := regexp.Compile("(?m)" + args[1])
		ts.Check(err)
		want, args = expr, args[2:]
	}
	if neg || len(args) < 1 {
		ts.Fatalf("usage: until [-stdout REGEXP] PROGRAM [ARGUMENT…]")
	}
	for end := time.Now().Add(untilTime); ts.Exec(args[0], args[1:]...) != nil || !want.MatchString(ts.ReadFile("stdout")); {
		if time.Now().After(end) {
			ts.Fatalf("%s does not come to that within %v", strings.Join(args, " "), untilTime)
		}
		<-time.After(50 * time.Millisecond) // each try is a process; there is nothing to wait for but the next
	}
}

// deadline ends a story in which something hangs, long before the test run's
// own limit would.
func deadline() time.Time { return time.Now().Add(3 * time.Minute) }
