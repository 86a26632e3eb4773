package tuning

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestCalmMonitor(t *testing.T) {
	tids, err := threads()
	if err != nil {
		t.Fatal(err)
	}
	if len(tids) < 2 || tids[0] != os.Getpid() {
		t.Fatalf("the threads of %d are %v", os.Getpid(), tids)
	}
	CalmMonitor()
	slack, err := os.ReadFile("/proc/" + strconv.Itoa(tids[1]) + "/timerslack_ns")
	if err != nil || os.Getuid() != 0 {
		t.Skipf("not told, or not allowed: %v", err)
	}
	if s := strings.TrimSpace(string(slack)); s != monitorSlack {
		t.Errorf("the monitor may be %s ns late", s)
	}
}
