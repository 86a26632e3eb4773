package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/trust"
)

// Small files in a node's directory, for the next start and for other programs.
const (
	dispatcherFile = "dispatcher" // where the dispatcher was last: its id, then its addresses
	socketFile     = "socket"     // where this node's local socket is
	codeFile       = "code"       // the pairing code, for `octaskly identity`
)

// NoteDispatcher writes down where the dispatcher is, for the next start.
func NoteDispatcher(dir string, id task.NodeID, addrs []string) error {
	if id == "" || len(addrs) == 0 {
		return nil
	}
	text := string(id) + "\n" + strings.Join(addrs, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(dir, dispatcherFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write down the dispatcher's address: %w", err)
	}
	return nil
}

// NotedDispatcher is where the dispatcher was last; empty when that is not known.
func NotedDispatcher(dir string) (task.NodeID, []string) {
	b, err := os.ReadFile(filepath.Join(dir, dispatcherFile))
	lines := strings.Fields(string(b))
	if err != nil || len(lines) < 2 {
		return "", nil
	}
	id, err := trust.ParseNodeID(lines[0])
	if err != nil {
		return "", nil
	}
	return id, lines[1:]
}

// NoteCode writes down the code that lets the node of this directory in.
func NoteCode(dir, code string) error {
	ForgetCode(dir) // so that the new file has its own mode
	if err := os.WriteFile(filepath.Join(dir, codeFile), []byte(code+"\n"), 0o600); err != nil {
		return fmt.Errorf("write down the pairing code: %w", err)
	}
	return nil
}

// ForgetCode removes what NoteCode wrote.
func ForgetCode(dir string) { _ = os.Remove(filepath.Join(dir, codeFile)) }
