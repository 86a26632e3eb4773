package part

import (
	"bytes"
	"sync"
)

// Limits of what a log keeps.
const (
	MaxLogLines = 10_000
	MaxLogBytes = 8 << 20
	maxLineLen  = 16 << 10 // longer lines are broken
)

// LogLine is one line of a log. Text is as it was written, not cleaned.
type LogLine struct {
	Seq    uint64 // 1 for the first line ever added
	Stream uint8  // 1 stdout, 2 stderr, 0 a remark of ours
	Time   int64  // Unix ms
	Text   string
}

// LogBuffer keeps the newest lines of a log. It is safe to write from one
// goroutine and read from another.
type LogBuffer struct {
	mu      sync.Mutex
	lines   []LogLine // ring
	head    int       // index of the oldest
	n       int
	bytes   int
	seq     uint64
	version uint64
	total   int64 // bytes ever added
	skipped int64 // lines that were not kept, known ones
	lost    int64 // bytes that never came
	open    [3][]byte
	ended   bool   // nothing more will be added
	fault   string // why what was written cannot be had
}

// NewLogBuffer makes an empty log.
func NewLogBuffer() *LogBuffer { return &LogBuffer{} }

// Add appends output of a stream. Bytes may end in the middle of a line.
func (b *LogBuffer) Add(stream uint8, at int64, data []byte) {
	if stream > 2 {
		stream = 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.total += int64(len(data))
	data = b.skipAhead(stream, data)
	for len(data) > 0 {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			b.open[stream] = append(b.open[stream], data...)
			b.cutLong(stream, at)
			return
		}
		b.open[stream] = append(b.open[stream], data[:i]...)
		b.cutLong(stream, at)
		b.push(stream, at, lastDrawn(b.open[stream]))
		b.open[stream] = b.open[stream][:0]
		data = data[i+1:]
	}
}

// skipAhead drops lines that would be pushed out again by the end of data, so
// that a flood costs a search for line ends and nothing more.
func (b *LogBuffer) skipAhead(stream uint8, data []byte) []byte {
	n := bytes.Count(data, []byte{'\n'})
	if n <= MaxLogLines {
		return data
	}
	for n > MaxLogLines {
		data = data[bytes.IndexByte(data, '\n')+1:]
		n--
		b.skipped++
		b.seq++
	}
	b.open[stream] = b.open[stream][:0]
	return data
}

func (b *LogBuffer) cutLong(stream uint8, at int64) {
	for len(b.open[stream]) > maxLineLen {
		b.push(stream, at, b.open[stream][:maxLineLen])
		b.open[stream] = append(b.open[stream][:0], b.open[stream][maxLineLen:]...)
	}
}

// lastDrawn is what a terminal would show of a line that was drawn over by
// carriage returns.
func lastDrawn(line []byte) []byte {
	line = bytes.TrimRight(line, "\r")
	return line[bytes.LastIndexByte(line, '\r')+1:]
}

func (b *LogBuffer) push(stream uint8, at int64, text []byte) {
	b.seq++
	ln := LogLine{Seq: b.seq, Stream: stream, Time: at, Text: string(text)}
	for b.n > 0 && (b.n >= MaxLogLines || b.bytes+len(text) > MaxLogBytes) {
		b.bytes -= len(b.lines[b.head].Text)
		b.lines[b.head] = LogLine{}
		b.head = (b.head + 1) % len(b.lines)
		b.n--
		b.skipped++
	}
	if b.n == len(b.lines) {
		b.grow()
	}
	b.lines[(b.head+b.n)%len(b.lines)] = ln
	b.n++
	b.bytes += len(text)
}

func (b *LogBuffer) grow() {
	bigger := make([]LogLine, min(MaxLogLines, max(256, 2*len(b.lines))))
	for i := 0; i < b.n; i++ {
		bigger[i] = b.lines[(b.head+i)%len(b.lines)]
	}
	b.lines, b.head = bigger, 0
}

// Remark adds a line of ours.
func (b *LogBuffer) Remark(at int64, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.push(0, at, []byte(text))
}

// Lose notes bytes that were dropped on the way here.
func (b *LogBuffer) Lose(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.lost += n
}

// End notes that nothing more will be added; fault says why, if it is not that
// everything is here.
func (b *LogBuffer) End(fault string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version++
	b.ended, b.fault = true, fault
}

// LogStats is a log in numbers.
type LogStats struct {
	Version uint64
	Lines   int    // kept
	Last    uint64 // number of the newest line
	Bytes   int64  // ever added
	Skipped int64  // lines not kept
	Lost    int64  // bytes that never came
	Ended   bool   // nothing more will be added
	Fault   string // why not, if it is not that everything is here
}

// Stats is the log in numbers.
func (b *LogBuffer) Stats() LogStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return LogStats{b.version, b.n, b.seq, b.total, b.skipped, b.lost, b.ended, b.fault}
}

// Each calls f for the kept lines, oldest first, then for lines that have not
// ended yet, until f says stop. The lines must not be kept longer than the call.
func (b *LogBuffer) Each(f func(LogLine) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := 0; i < b.n; i++ {
		if !f(b.lines[(b.head+i)%len(b.lines)]) {
			return
		}
	}
	for st, open := range b.open {
		if len(open) > 0 {
			f(LogLine{Seq: b.seq + 1 + uint64(st), Stream: uint8(st), Text: string(lastDrawn(open))})
		}
	}
}
