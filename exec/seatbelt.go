//go:build darwin || linux

package exec

import (
	"fmt"
	"strings"
)

// What sandbox-exec of macOS is told. Paths never become part of a profile's
// text: they are parameters, so that no name can change what a profile says.

// seatbeltProgram applies a profile to a program and becomes it.
const seatbeltProgram = "/usr/bin/sandbox-exec"

// seatbelt is one command's containment.
type seatbelt struct {
	level     Level
	writable  []string // folders, absolute and without links
	protected []string // likewise, files too; what is writable may lie in one
	closed    []string // homes, of which
	readable  []string // this can be read at basic
}

// argv brings a program and its arguments into the sandbox.
func (s seatbelt) argv(file string, args []string) []string {
	all := []string{seatbeltProgram, "-p", s.profile()}
	for i, p := range s.writable {
		all = append(all, "-D", fmt.Sprintf("WRITE%d=%s", i, p))
	}
	for i, p := range s.protected {
		all = append(all, "-D", fmt.Sprintf("PROTECT%d=%s", i, p))
	}
	for i, p := range s.closed {
		all = append(all, "-D", fmt.Sprintf("CLOSED%d=%s", i, p))
	}
	for i, p := range s.readable {
		all = append(all, "-D", fmt.Sprintf("READ%d=%s", i, p))
	}
	return append(append(all, file), args...)
}

// profile is the text. The last rule that fits an access decides.
func (s seatbelt) profile() string {
	var b strings.Builder
	b.WriteString("(version 1)\n")
	if s.level >= Strict {
		b.WriteString(seatbeltStrict)
	} else {
		b.WriteString(seatbeltBasic)
	}
	for i := range s.closed {
		fmt.Fprintf(&b, "(deny file-read-data file-read-xattr file-write* (subpath (param \"CLOSED%d\")))\n", i)
	}
	for i := range s.readable {
		if s.level == Basic {
			fmt.Fprintf(&b, "(allow file-read* (subpath (param \"READ%d\")))\n", i)
		}
	}
	for i := range s.protected {
		fmt.Fprintf(&b, "(deny file-read* file-write* (literal (param \"PROTECT%d\")) (subpath (param \"PROTECT%d\")))\n", i, i)
	}
	for i := range s.writable {
		fmt.Fprintf(&b, "(allow file-read* file-write* (subpath (param \"WRITE%d\")))\n", i)
	}
	b.WriteString(`(allow file-write-data (literal "/dev/null") (literal "/dev/zero") (literal "/dev/dtracehelper") (literal "/dev/tty"))` + "\n")
	return b.String()
}

// seatbeltBasic allows all but writing, and signals to strangers.
const seatbeltBasic = `(allow default)
(deny file-write*)
(deny signal)
(allow signal (target same-sandbox))
(deny process-info* (target others))
(allow process-info* (target same-sandbox))
`

// seatbeltStrict allows what a program needs to run, and no more.
const seatbeltStrict = `(deny default)
(allow process-exec process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow file-read* (literal "/") (subpath "/usr") (subpath "/bin") (subpath "/sbin") (subpath "/opt") (subpath "/System") (subpath "/Library") (subpath "/private/etc") (subpath "/private/var/db/timezone") (subpath "/private/var/select") (subpath "/dev"))
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(allow ipc-posix-sem)
`
