package nodetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// Script is what happens to a cluster: what is submitted and what goes wrong.
// It is fixed by its seed; the order in which goroutines run is not.
type Script struct {
	Seed    uint64  `json:"seed"`
	Workers int     `json:"workers"`
	Works   int     `json:"works"` // slots of the dispatcher itself
	Tasks   []Job   `json:"tasks"`
	Faults  []Fault `json:"faults"`
}

// Job is one task and when it is submitted.
type Job struct {
	At      time.Duration `json:"at"`
	By      int           `json:"by"` // member through which it is submitted
	Command string        `json:"command"`
	Once    bool          `json:"once,omitempty"` // at most once
	Retries int32         `json:"retries,omitempty"`
	CPU     int32         `json:"cpu,omitempty"`
	Cancel  time.Duration `json:"cancel,omitempty"` // after it was acknowledged
}

// Fault is one thing that goes wrong for a while.
type Fault struct {
	At   time.Duration `json:"at"`
	For  time.Duration `json:"for"`
	Kind string        `json:"kind"`
	Node int           `json:"node,omitempty"` // member
	P    float64       `json:"p,omitempty"`
}

// The kinds of fault.
const (
	FaultLoss     = "loss"      // packets are lost with probability P
	FaultCut      = "cut"       // between Node and the dispatcher
	FaultCutTo    = "cut-to"    // only what Node sends to the dispatcher
	FaultCutFrom  = "cut-from"  // only what the dispatcher sends to Node
	FaultPause    = "pause"     // what is sent to Node waits
	FaultLateAcks = "late-acks" // what Node sends is cut, and what it was sent before comes late
	FaultRestart  = "restart"   // Node ends in good order and starts again
	FaultKill     = "kill"      // Node ends abruptly and starts again
)

// Times of a script.
const (
	scriptSubmits = 12 * time.Second // tasks are submitted until then
	scriptFaults  = 22 * time.Second // everything is healed then
	scriptHeals   = 90 * time.Second // from the last heal to the last end
)

// NewScript makes the script of a seed.
func NewScript(seed uint64) Script {
	r := rand.New(rand.NewPCG(seed, 0x0c7a))
	s := Script{Seed: seed, Workers: 1 + r.IntN(3), Works: r.IntN(2)}
	for range 15 + r.IntN(30) {
		s.Tasks = append(s.Tasks, newJob(r, s.Workers))
	}
	kinds := []string{FaultLoss, FaultCut, FaultCutTo, FaultCutFrom, FaultPause, FaultLateAcks, FaultRestart, FaultKill, FaultKill}
	for range 1 + r.IntN(4) {
		f := Fault{Kind: kinds[r.IntN(len(kinds))], At: between(r, 0, scriptSubmits), For: between(r, 100*time.Millisecond, 9*time.Second), Node: 1 + r.IntN(s.Workers)}
		switch f.Kind {
		case FaultLoss:
			f.P = 0.02 + 0.3*r.Float64()
		case FaultKill, FaultRestart:
			f.Node = r.IntN(s.Workers + 1)
			f.For = min(f.For, 4*time.Second)
		}
		s.Faults = append(s.Faults, f)
	}
	slices.SortStableFunc(s.Tasks, func(a, b Job) int { return int(a.At - b.At) })
	slices.SortStableFunc(s.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	return s
}

func newJob(r *rand.Rand, workers int) Job {
	j := Job{At: between(r, 0, scriptSubmits), By: r.IntN(workers + 1), Once: r.IntN(3) == 0}
	switch r.IntN(8) {
	case 0:
		j.Command = fmt.Sprintf("echo long; sleep %s", between(r, time.Second, 9*time.Second).Round(time.Millisecond))
	case 1:
		j.Command = "warn no; exit 3"
		if !j.Once {
			j.Retries = int32(r.IntN(3))
		}
	case 2:
		j.Command = "echo " + strings.Repeat("much ", 2000) + "; sleep 100ms; echo more"
	case 3:
		j.Command, j.Cancel = "echo wait; sleep 20s", between(r, 10*time.Millisecond, 3*time.Second)
	case 4:
		j.Command, j.CPU = "sleep 300ms", 2000
	default:
		j.Command = fmt.Sprintf("echo short; sleep %dms", r.IntN(200))
	}
	return j
}

func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}

// Restarts reports whether the dispatcher is restarted.
func (s *Script) Restarts() bool {
	return slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Node == 0 && (f.Kind == FaultKill || f.Kind == FaultRestart) })
}

// SaveScript writes a script to a file.
func SaveScript(file string, s Script) error {
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// LoadScript reads what SaveScript wrote.
func LoadScript(file string) (s Script, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}
