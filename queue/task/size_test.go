package task

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// everything is a task that uses all there is, as long as it may be.
func everything(n int) Spec {
	s := Spec{
		Shell: strings.Repeat("s", n), Argv: []string{"a", strings.Repeat("b", n)}, Null: true, Name: strings.Repeat("n", n%128),
		Tags: []string{"x", strings.Repeat("t", n%128)}, Dir: "/" + strings.Repeat("d", n%4096), Env: map[string]string{}, Secrets: map[string][]byte{},
		Stdin: bytes.Repeat([]byte("i"), n), StdinRef: strings.Repeat("0", 64) + ":1", Timeout: math.MaxInt64, Grace: -time.Hour, Retries: math.MaxInt32,
		Backoff: BackoffFixed, RetryOn: []int32{1, math.MaxInt32}, Priority: 255, Delivery: AtMostOnce, Keep: true, RetryOf: math.MaxUint64,
		Need: Need{
			CPU: math.MaxInt32, MemoryMB: math.MaxInt64, DiskMB: math.MaxInt64, GPUs: math.MaxInt32, Labels: map[string]string{"k": "v"}, On: "node", Sandbox: "very-strict",
			Limits: Limits{CPUTime: math.MaxInt64, OpenFiles: math.MaxInt32, Processes: math.MaxInt32, OutputMB: math.MaxInt64},
		},
	}
	for i := range n % 40 {
		s.Env["ENV"+strconv.Itoa(i)] = strings.Repeat("e", n)
		s.Secrets["SECRET"+strconv.Itoa(i)] = bytes.Repeat([]byte("S"), n)
	}
	return s
}

// TestSizeIsFromAbove: what is cut by Size never becomes larger on the wire than
// Size said, and not so much smaller that messages would be cut for nothing.
func TestSizeIsFromAbove(t *testing.T) {
	specs := []Spec{{}, {Shell: "true", Priority: PriorityNormal}, {Argv: []string{"a", "b"}}}
	for _, n := range []int{0, 1, 31, 32, 255, 256, 5000, 70_000} {
		specs = append(specs, everything(n))
	}
	for i := range specs {
		n := NewTask{Spec: specs[i], Key: NewKey()}
		b, err := msgpack.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Size(); got < len(b) || got > 2*len(b)+64 {
			t.Errorf("case %d: Size is %d, on the wire there are %d bytes", i, got, len(b))
		}
		whole := Task{Spec: specs[i], Key: n.Key, By: "me", Attempts: []Attempt{{
			Fence: Fence{math.MaxUint64, math.MaxUint32}, Node: "n", Assigned: math.MaxInt64, Started: math.MaxInt64, Ended: math.MaxInt64,
			Exit:  Exit{Code: math.MinInt32, Signal: math.MaxInt32, Reason: ReasonExit, Message: "m"},
			Usage: Usage{CPU: math.MaxInt64, MaxRSS: math.MaxInt64, Written: math.MaxInt64}, Enforced: "e",
			Output: Output{Inline: []byte("o"), Bytes: math.MaxInt64, Length: math.MaxInt64, SHA256: make([]byte, 32), Truncated: true}, Live: &Live{1, math.MaxInt64},
		}}}
		if b, err = msgpack.Marshal(whole); err != nil || whole.Size() < len(b) {
			t.Errorf("case %d: Size of the whole task is %d, on the wire there are %d bytes; %v", i, whole.Size(), len(b), err)
		}
	}
}

// TestNewTaskIsBounded: a task that no command of the queue could carry is
// refused by its size, however it came to it.
func TestNewTaskIsBounded(t *testing.T) {
	n := NewTask{Spec: Spec{Argv: make([]string, MaxCommandBytes/2), Priority: PriorityNormal}}
	for i := range n.Spec.Argv {
		n.Spec.Argv[i] = "x"
	}
	if err := n.Check(); KindOf(err) != KindTooLarge || HintOf(err) == "" {
		t.Errorf("a command of %d arguments: %v", len(n.Spec.Argv), err)
	}
}
