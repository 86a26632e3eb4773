package exec

import (
	"testing"
	"time"
)

// compareBatch is how many of one kind run before the other kind gets its
// turn: few, so that both see the same machine.
const compareBatch = 50

// compare runs ours and theirs in turns and reports theirs/ours as "x-bare".
func compare(b *testing.B, ours, theirs func()) {
	b.Helper()
	parallel(compareBatch, ours)
	parallel(compareBatch, theirs)
	var mine, bare time.Duration
	b.ResetTimer()
	for left := b.N; left > 0; left -= compareBatch {
		n := min(left, compareBatch)
		at := time.Now()
		parallel(n, ours)
		mid := time.Now()
		parallel(n, theirs)
		mine += mid.Sub(at)
		bare += time.Since(mid)
	}
	b.ReportMetric(float64(bare)/float64(mine), "x-bare")
	b.ReportMetric(float64(mine.Microseconds())/float64(b.N), "us/ours")
	b.ReportMetric(float64(bare.Microseconds())/float64(b.N), "us/bare")
}
