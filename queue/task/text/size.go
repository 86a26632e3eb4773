package text

import (
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/adauldev/octaskly/queue/task"
)

// sizeUnits are bytes per unit; the empty unit is MiB. A letter alone counts in
// 1024s as it does everywhere on a command line; kB, MB and GB are the decimal
// ones that disks are sold by.
var sizeUnits = map[string]float64{
	"": 1 << 20, "b": 1,
	"k": 1 << 10, "kb": 1000, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1000 * 1000, "mib": 1 << 20,
	"g": 1 << 30, "gb": 1000 * 1000 * 1000, "gib": 1 << 30,
	"t": 1 << 40, "tb": 1e12, "tib": 1 << 40,
}

// ParseMiB reads a size as whole MiB, rounded up: "512" and "512MiB" are 512,
// "1g" and "1GiB" are 1024, "2GB" is 1908. It is never negative.
func ParseMiB(t string) (int64, error) {
	t = strings.TrimSpace(t)
	i := strings.IndexFunc(t, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' })
	number, unit := t, ""
	if i >= 0 {
		number, unit = t[:i], strings.ToLower(strings.TrimSpace(t[i:]))
	}
	n, err := strconv.ParseFloat(number, 64)
	per, known := sizeUnits[unit]
	if err != nil || !known {
		return 0, task.Errorf(task.KindUsage, "%q is not a size; write MiB (512) or a unit (512MiB, 1.5g)", t)
	}
	mib := math.Ceil(n * per / (1 << 20))
	switch {
	case n < 0:
		return 0, task.Errorf(task.KindUsage, "%q is negative; a size is 0 or more", t)
	case mib > task.MaxNeedMB:
		return 0, task.Errorf(task.KindUsage, "%q is too large", t)
	}
	return int64(mib), nil
}

// FormatMiB is a number of MiB as ParseMiB reads it back: 2GiB, 1536MiB; 0 is
// empty.
func FormatMiB(mib int64) string {
	switch {
	case mib <= 0:
		return ""
	case mib >= 1024 && mib%1024 == 0:
		return strconv.FormatInt(mib/1024, 10) + "GiB"
	}
	return strconv.FormatInt(mib, 10) + "MiB"
}

// Bytes is a number of bytes for people: "12 MiB".
func Bytes(n int64) string { return humanize.IBytes(uint64(max(0, n))) }
