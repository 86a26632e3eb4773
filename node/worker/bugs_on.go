//go:build octaskly_bugs

package worker

import (
	"os"
	"slices"
	"strings"
)

// bugs are planted by OCTASKLY_BUGS (a comma list of names) or SetBugs.
var bugs = Bugs{LeaseFromReply: slices.Contains(strings.Split(os.Getenv("OCTASKLY_BUGS"), ","), "lease-from-reply")}

// SetBugs plants bugs. Call it before a worker is made.
func SetBugs(b Bugs) { bugs = b }
