//go:build octaskly_bugs

package bugs

import (
	"os"
	"strings"
)

// Planted are those of OCTASKLY_BUGS (a comma list of names) or of Plant.
var Planted = fromEnv(os.Getenv("OCTASKLY_BUGS"))

// Plant plants bugs. Call it before anything is opened.
func Plant(b Set) { Planted = b }

func fromEnv(list string) (b Set) {
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
