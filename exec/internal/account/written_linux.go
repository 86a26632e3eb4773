package account

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// OpenCounters opens what the kernel counts of a process that runs. When it has
// ended, only root could. It returns a file for ReadWritten, -1 if there is none.
func OpenCounters(pid int) int {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/io", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}

// ReadWritten is how many bytes an ended, uncollected process handed to the
// kernel to be written, with the children it collected; 0 if that is not told.
// It closes the file.
func ReadWritten(counters int) int64 {
	if counters < 0 {
		return 0
	}
	defer unix.Close(counters)
	var buf [512]byte
	n, err := unix.Read(counters, buf[:])
	if err != nil || n <= 0 {
		return 0
	}
	return writtenIn(buf[:n])
}

// writtenIn finds the count in /proc/PID/io.
func writtenIn(text []byte) int64 {
	for line := range bytes.Lines(text) {
		if v, ok := bytes.CutPrefix(line, []byte("wchar:")); ok {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
			if err != nil || n < 0 {
				return 0
			}
			return n
		}
	}
	return 0
}
