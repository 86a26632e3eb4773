package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// ParseDuration reads what task.ParseSpan reads. It is never negative.
func ParseDuration(t string) (time.Duration, error) {
	d, err := task.ParseSpan(t)
	if err != nil {
		return 0, err
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative; a duration is 0 or more", t)
	}
	return d, nil
}

// sizeUnits are bytes per unit; the empty unit is MiB.
var sizeUnits = map[string]float64{
	"": 1 << 20, "b": 1,
	"k": 1 << 10, "kb": 1000, "kib": 1 << 10,
	"m": 1 << 20, "mb": 1000 * 1000, "mib": 1 << 20,
	"g": 1 << 30, "gb": 1000 * 1000 * 1000, "gib": 1 << 30,
	"t": 1 << 40, "tb": 1e12, "tib": 1 << 40,
}

// ParseMiB reads a size as whole MiB, rounded up: "512" and "512MiB" are 512,
// "1g" is 1024. It is never negative.
func ParseMiB(t string) (int64, error) {
	t = strings.TrimSpace(t)
	i := strings.IndexFunc(t, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' })
	num, unit := t, ""
	if i >= 0 {
		num, unit = t[:i], strings.ToLower(strings.TrimSpace(t[i:]))
	}
	n, err := strconv.ParseFloat(num, 64)
	per, known := sizeUnits[unit]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is not a size; write MiB (512) or a unit (512MiB, 1.5g)", t)
	}
	mib := math.Ceil(n * per / (1 << 20))
	switch {
	case n < 0:
		return 0, fmt.Errorf("%q is negative; a size is 0 or more", t)
	case mib > 1<<40:
		return 0, fmt.Errorf("%q is too large", t)
	}
	return int64(mib), nil
}
