package exec

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	tail := " S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 2 3 4 5 6 7 8 9 0 0 0 0 0 0 17 1 0 0 0 0 0 1 2 3 777 778 1 2 0\n"
	s, ok := parseStat([]byte("42 (a) b (c) S)" + tail))
	if !ok || s.pid != 42 || s.ppid != 7 || s.pgid != 8 || s.sid != 9 || s.state != 'S' || s.start != 12345 || s.args != 777 {
		t.Fatalf("%+v %v", s, ok)
	}
	for _, bad := range []string{"", "42", "42 (x", "42 (x)", "x (y)" + tail, "42 (x) S 1 2", ")( 1 2 3"} {
		if _, ok := parseStat([]byte(bad)); ok {
			t.Errorf("%q was accepted", bad)
		}
	}
	if s, ok := readStat(os.Getpid()); !ok || s.pid != os.Getpid() || s.ppid != os.Getppid() || s.args == 0 {
		t.Errorf("our own line reads as %+v %v", s, ok)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) b (c) S) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if s, ok := parseStat(line); ok && s.state < 'A' {
			t.Errorf("%q has no state", line)
		}
	})
}

func TestLastField(t *testing.T) {
	for line, want := range map[string]int{
		"0.50 0.40 0.30 2/345 6789\n": 6789, "1 2 3 4/5 1": 1,
		"": 0, "0.1 0.2 0.3 1/2 0\n": 0, "1 2 x": 0, "1 2 12345678901": 0, "1 -2": 0,
	} {
		if got, ok := lastField([]byte(line)); got != want || ok != (want > 0) {
			t.Errorf("%q reads as %d %v, want %d", line, got, ok, want)
		}
	}
}

func TestCookieIn(t *testing.T) {
	for env, want := range map[string]string{
		"A=1\x00OCTASKLY_COOKIE=c-1\x00B=2": "c-1", "OCTASKLY_COOKIE=x": "x",
		"": "", "XOCTASKLY_COOKIE=x": "", "A\x00\x00B": "",
	} {
		if got := cookieIn([]byte(env)); got != want {
			t.Errorf("%q gives %q, want %q", env, got, want)
		}
	}
}

func TestSinceVisitsEveryNewID(t *testing.T) {
	table := openProcTable()
	defer table.close()
	if table.load == nil {
		t.Skip("/proc/loadavg is not the kernel's own")
	}
	last, ok := table.last()
	if !ok {
		t.Fatal("the last id is not known")
	}
	seen := make(map[int]bool)
	if !table.since(last-min(5, last-1), func(pid int) bool { seen[pid] = true; return true }) {
		t.Fatal("not complete")
	}
	if !seen[last] {
		t.Errorf("%d was not visited: %v", last, seen)
	}
	if table.since((last+table.max/2)%table.max, func(int) bool { return true }) {
		t.Error("half of all ids were probed one by one")
	}
}
