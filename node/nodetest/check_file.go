package nodetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// History collects the events of every node of one test. It is a task.Recorder
// that is safe for concurrent use; the zero value is ready.
type History struct {
	mu     sync.Mutex
	events []task.Event
}

// Record sets the time of an event where it is zero.
func (h *History) Record(e task.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Time == 0 {
		e.Time = time.Now().UnixNano()
	}
	e.Seq = uint64(len(h.events) + 1)
	h.events = append(h.events, e)
}

// For is a recorder that names the node.
func (h *History) For(node string) task.Recorder { return named{h, node} }

type named struct {
	h    *History
	node string
}

func (n named) Record(e task.Event) {
	if e.Node == "" {
		e.Node = n.node
	}
	n.h.Record(e)
}

// Events is a copy of what was recorded, in order.
func (h *History) Events() []task.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// Merge makes one history of those of several processes that share a clock. What
// one process recorded stays in its order.
func Merge(parts ...[]task.Event) []task.Event {
	var all []task.Event
	for _, p := range parts {
		latest := int64(0) // a clock that was set back must not turn a process's order around
		for _, e := range p {
			latest = max(latest, e.Time)
			e.Time = latest
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b task.Event) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	return all
}

// WriteHistory writes one line of JSON for each event.
func WriteHistory(w io.Writer, h []task.Event) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for i := range h {
		if err := enc.Encode(&h[i]); err != nil {
			return err
		}
	}
	return b.Flush()
}

// SaveHistory writes a history to a new file, making its folder.
func SaveHistory(file string, h []task.Event) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(WriteHistory(f, h), f.Close())
}

// ReadHistory reads what WriteHistory or task.NewRecorder wrote. A last line that
// is cut off is left out: its writer was killed.
func ReadHistory(r io.Reader) ([]task.Event, error) {
	var h []task.Event
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return h, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var e task.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return h, fmt.Errorf("line %d of the history: %w", n, err)
		}
		h = append(h, e)
	}
}

// LoadHistory reads a history file.
func LoadHistory(file string) ([]task.Event, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadHistory(f)
}

// WitnessLine is what a task runs to say that it ran: it appends one line
// "task,attempt,term.attempt,pid" to the file with one write.
func WitnessLine(file string) string {
	return `echo "$OCTASKLY_TASK_ID,$OCTASKLY_ATTEMPT,$OCTASKLY_FENCE,$$" >> '` + strings.ReplaceAll(file, `'`, `'\''`) + `'`
}

// ReadWitness reads the lines of WitnessLine.
func ReadWitness(r io.Reader) ([]task.Event, error) {
	var h []task.Event
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		e, err := parseWitness(lines.Text())
		if err != nil {
			return h, fmt.Errorf("line %d of the witness: %w", n, err)
		}
		h = append(h, e)
	}
	return h, lines.Err()
}

func parseWitness(line string) (task.Event, error) {
	f := strings.Split(line, ",")
	if len(f) != 4 {
		return task.Event{}, fmt.Errorf("%q has not four fields", line)
	}
	id, err := task.ParseID(f[0])
	if err != nil {
		return task.Event{}, err
	}
	termText, attemptText, _ := strings.Cut(f[2], ".")
	term, err1 := strconv.ParseUint(termText, 10, 64)
	attempt, err2 := strconv.ParseUint(attemptText, 10, 32)
	pid, err3 := strconv.Atoi(f[3])
	if err := errors.Join(err1, err2, err3); err != nil {
		return task.Event{}, err
	}
	if f[1] != attemptText {
		return task.Event{}, fmt.Errorf("%q has two attempts", line)
	}
	return task.Event{Kind: task.EvWitness, Task: id, Term: term, Attempt: uint32(attempt), PID: pid}, nil
}
