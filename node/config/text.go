package config

import (
	"fmt"
	"time"

	"github.com/adauldev/octaskly/queue/task/text"
)

// ParseDuration reads what text.ParseDuration reads. It is never negative.
func ParseDuration(t string) (time.Duration, error) {
	d, err := text.ParseDuration(t)
	if err != nil {
		return 0, err
	}
	if d < 0 {
		return 0, fmt.Errorf("%q is negative; a duration is 0 or more", t)
	}
	return d, nil
}
