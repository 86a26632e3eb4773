package exec

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// TestCagesLeaveNoFileToOthers makes cages at once and looks at the files that each
// begins with: now and then the map of another's users was among them.
func TestCagesLeaveNoFileToOthers(t *testing.T) {
	needLevels(t, VeryStrict)
	if os.Geteuid() != 0 {
		t.Skip("only root may look into a cage")
	}
	c := testRunner(t).levels[VeryStrict]
	for range rounds(20, 1000) {
		var makers sync.WaitGroup
		for range 4 {
			home, err := c.dirs.get()
			if err != nil {
				t.Fatal(err)
			}
			makers.Go(func() {
				k, err := c.openCage(home, "", -1)
				if err != nil {
					t.Error(err)
					return
				}
				if files := namesOfFiles(k.pid); strings.Contains(files, "_map") {
					t.Errorf("a cage has a file of another: %s", files)
				}
				k.discard()
				_ = c.dirs.put(home, false)
			})
		}
		makers.Wait()
	}
}

// namesOfFiles are what a process has open.
func namesOfFiles(pid int) string {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		if to, err := os.Readlink(dir + e.Name()); err == nil {
			names = append(names, to)
		}
	}
	return strings.Join(names, " ")
}
