package exec

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The scripts that wait at the gate, file 3, and then become the command. Over the
// gate come the variables that the command has beyond those of the shell that waits,
// a line each, and a last line that lets it go; without that nothing is run. They do
// not come in the shell's environment, by which it could be made to run anything
// before it waits, nor in its arguments, which everybody on the machine can read.
const (
	gateWait = "_nl='\n'; while IFS= read -r _line <&3 || exit 125; do [ \"$_line\" = . ] && break; eval \"$_line\"; done; " +
		"exec 3<&-; unset _nl _line; "
	gateShell = gateWait + "eval \"set --\n$1\""
	gateArgv  = gateWait + `exec "$@"`
	gateOpen  = ".\n"
)

// behindGate is the argument list that brings a command to the gate.
func (s *Spec) behindGate(file, before string) []string {
	if s.Shell != "" {
		return []string{"sh", "-c", before + gateShell, "sh", s.Shell}
	}
	return append([]string{"sh", "-c", before + gateArgv, "sh", file}, s.Argv[1:]...)
}

// open lets a command that waits at the gate go, with the rest of its environment.
func (p *process) open(gate int) error {
	for msg := []byte(p.opening); len(msg) > 0; {
		n, err := unix.SendmsgN(gate, msg, nil, nil, unix.MSG_NOSIGNAL)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN: // limitedItself made it so that nobody waits for ever
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(gate), Events: unix.POLLOUT}}, int(gateTime.Milliseconds()))
		case err != nil:
			return startError(ReasonHost, "start the command: %w", err)
		default:
			msg = msg[n:]
		}
	}
	return nil
}

// gateLines are the variables of an environment that another has not, for the shell
// at the gate. A name that a shell cannot have, or sets itself, is left out.
func gateLines(env, atGate []string) string {
	var b strings.Builder
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !isShellName(name) || slices.Contains(ofTheShell, name) || slices.Contains(atGate, kv) {
			continue
		}
		b.WriteString("export " + name + "='")
		for _, c := range []byte(value) {
			switch c {
			case '\'':
				b.WriteString(`'\''`)
			case '\n':
				b.WriteString(`'"$_nl"'`)
			default:
				b.WriteByte(c)
			}
		}
		b.WriteString("'\n")
	}
	return b.String()
}

// ofTheShell are names that a shell does not let be set.
var ofTheShell = []string{"PPID", "UID", "EUID", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO", "_nl", "_line"}

// isShellName reports whether a shell can have a variable of that name.
func isShellName(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
