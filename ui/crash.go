package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// CrashError is a panic inside the dashboard. The terminal was restored and
// the stack is in the file at Path; Path is empty if it could not be written,
// and the stack is in Stack either way.
type CrashError struct {
	Value any
	Stack string
	Path  string
}

// Error says what happened and where the report is.
func (e *CrashError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("the dashboard crashed: %v\n%s", e.Value, e.Stack)
	}
	return fmt.Sprintf("the dashboard crashed: %v; the report is in %s", e.Value, e.Path)
}

// crashes keeps the first panic of any goroutine of the dashboard.
type crashes struct {
	mu    sync.Mutex
	first *CrashError
	stop  func() // ends the program
}

// catch is deferred: it keeps a panic and ends the program in good order.
func (c *crashes) catch() {
	if v := recover(); v != nil {
		c.keep(v)
	}
}

func (c *crashes) keep(v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = &CrashError{Value: v, Stack: string(debug.Stack())}
	}
	if c.stop != nil {
		go c.stop() // not from inside of the program's own loop
	}
}

// report writes the stack to dir and returns the error, or nil.
func (c *crashes) report(dir string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		return nil
	}
	path := filepath.Join(dir, "crash-"+time.Now().UTC().Format("20060102-150405")+".txt")
	text := fmt.Sprintf("%v\n\n%s", c.first.Value, c.first.Stack)
	if err := os.MkdirAll(dir, 0o700); err == nil && os.WriteFile(path, []byte(text), 0o600) == nil {
		c.first.Path = path
	}
	return c.first
}
