package exec

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// procTable answers which processes there are. Its fast answer rests on how
// Linux gives out process ids: each new one is the next free above the last,
// starting again from the bottom at the top. So everything a command started
// has an id after its own and not after the last one given out, which
// /proc/loadavg tells.
type procTable struct {
	load *os.File // /proc/loadavg, nil if it is not the kernel's own
	max  int      // ids are below this
}

// procMagic is how statfs shows the kernel's own /proc.
const procMagic = 0x9fa0

func openProcTable() *procTable {
	t := &procTable{max: 4 << 20}
	if b, err := os.ReadFile("/proc/sys/kernel/pid_max"); err == nil {
		if n, err := strconv.Atoi(string(bytes.TrimSpace(b))); err == nil {
			t.max = n
		}
	}
	f, err := os.Open("/proc/loadavg")
	if err != nil {
		return t
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &fs) != nil || fs.Type != procMagic {
		f.Close()
		return t
	}
	t.load = f
	return t
}

func (t *procTable) close() {
	if t.load != nil {
		t.load.Close()
	}
}

// last returns the process id given out last.
func (t *procTable) last() (int, bool) {
	if t.load == nil {
		return 0, false
	}
	var buf [128]byte
	n, err := unix.Pread(int(t.load.Fd()), buf[:], 0)
	if err != nil || n <= 0 {
		return 0, false
	}
	return lastField(buf[:n])
}

// lastField reads the number at the end of a line.
func lastField(line []byte) (int, bool) {
	line = bytes.TrimRight(line, "\n ")
	digits := line[bytes.LastIndexByte(line, ' ')+1:]
	if len(digits) == 0 || len(digits) > 9 {
		return 0, false
	}
	v := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, v > 0
}

// firstReused is the lowest id the kernel gives out when it starts again from
// the bottom.
const firstReused = 300

// maxProbe is how many ids are probed one by one; beyond that it is cheaper to
// list the processes that exist.
const maxProbe = 1024

// since calls visit with every id that may have been given out after pid, in
// the order in which they were, until visit returns false. It goes on until no
// id was given out during its last round, so a process that is alive at the
// end was visited while it was alive, also one that keeps moving to new ids.
// It returns false if that cannot be known in reasonable time.
func (t *procTable) since(pid int, visit func(pid int) bool) (complete bool) {
	budget := maxProbe
	from := pid
	for {
		last, ok := t.last()
		if !ok {
			return false
		}
		if last == from {
			return true
		}
		for from != last {
			if budget--; budget < 0 {
				return false
			}
			if from++; from >= t.max {
				from = min(firstReused, last)
			}
			if !visit(from) {
				return true
			}
		}
	}
}

// all calls visit with the id of every process, in ascending order. Processes
// born meanwhile are visited too, as their ids are higher.
func (t *procTable) all(visit func(pid int) bool) error {
	dir, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			if name[0] < '0' || name[0] > '9' {
				continue
			}
			if pid, aerr := strconv.Atoi(name); aerr == nil && !visit(pid) {
				return nil
			}
		}
		if err != nil || len(names) == 0 {
			return nil // the end of the listing
		}
	}
}

// procStat is what /proc/PID/stat tells of a process.
type procStat struct {
	pid, ppid, pgid, sid int
	state                byte
	start                uint64 // in clock ticks since boot
	args                 uint64 // where its arguments are in memory, 0 if not told
	ticks                uint64 // processor time, with that of collected children
	threads, pages       int    // pages in memory
}

// dead reports whether only the exit status is left.
func (s procStat) dead() bool { return s.state == 'Z' || s.state == 'X' }

// readStat reads one process; false means that it is not there any more.
func readStat(pid int) (procStat, bool) {
	var buf [1024]byte
	line, ok := readProc(pid, "stat", buf[:])
	if !ok {
		return procStat{}, false
	}
	return parseStat(line)
}

// parseStat reads a line of /proc/PID/stat. The name in brackets may hold
// anything, brackets too.
func parseStat(line []byte) (s procStat, ok bool) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 2 || end < open || end+4 > len(line) {
		return s, false
	}
	pid, err := strconv.Atoi(string(line[:open-1]))
	if err != nil {
		return s, false
	}
	f := bytes.Fields(line[end+1:])
	if len(f) < 20 || len(f[0]) != 1 || f[0][0] < 'A' {
		return s, false
	}
	s.pid, s.state = pid, f[0][0]
	for i, to := range []*int{&s.ppid, &s.pgid, &s.sid} {
		if *to, err = strconv.Atoi(string(f[1+i])); err != nil {
			return s, false
		}
	}
	for i := 11; i <= 14; i++ {
		n, _ := strconv.ParseUint(string(f[i]), 10, 64)
		s.ticks += n
	}
	s.threads, _ = strconv.Atoi(string(f[17]))
	if len(f) > 21 {
		s.pages, _ = strconv.Atoi(string(f[21]))
	}
	if len(f) > 45 {
		s.args, _ = strconv.ParseUint(string(f[45]), 10, 64)
	}
	s.start, err = strconv.ParseUint(string(f[19]), 10, 64)
	return s, err == nil
}

// readProc reads the beginning of a file of one process.
func readProc(pid int, name string, buf []byte) ([]byte, bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	n := 0
	for n < len(buf) {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if m <= 0 || err != nil {
			break
		}
		n += m
	}
	return buf[:n], n > 0
}

// readCookie returns the cookie in the environment of a process, or "".
func readCookie(pid int) string {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return ""
	}
	return cookieIn(env)
}

// cookieIn finds the cookie among NUL-separated entries.
func cookieIn(env []byte) string {
	const name = cookieName + "="
	for len(env) > 0 {
		entry, rest, _ := bytes.Cut(env, []byte{0})
		if v, ok := bytes.CutPrefix(entry, []byte(name)); ok {
			return string(v)
		}
		env = rest
	}
	return ""
}
