//go:build octaskly_bugs

package queue

import (
	"os"
	"strings"
)

// bugs are planted by OCTASKLY_BUGS (a comma list of names) or SetBugs.
var bugs = fromEnv(os.Getenv("OCTASKLY_BUGS"))

// SetBugs plants bugs. Call it before anything is opened.
func SetBugs(b Bugs) { bugs = b }

func fromEnv(list string) (b Bugs) {
	for _, name := range strings.Split(list, ",") {
		switch strings.TrimSpace(name) {
		case "ack-early":
			b.AckEarly = true
		case "no-fence":
			b.NoFence = true
		case "lower-term":
			b.LowerTerm = true
		case "forget-key":
			b.ForgetKey = true
		case "no-sync":
			b.NoSync = true
		}
	}
	return b
}
