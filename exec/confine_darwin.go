package exec

import (
	"errors"
	"os"
	osexec "os/exec"
)

// confinement is how commands of one level are contained.
type confinement struct {
	seatbelt
	homes homes
}

// newConfinement builds a level, or says why it cannot be.
func newConfinement(l Level, r *Runner) (*confinement, string, error) {
	switch {
	case l > Strict:
		return nil, "", errors.New("macOS has no namespaces to build it from")
	case os.Geteuid() == 0:
		return nil, "", errors.New("as root it would run commands as root; start this program as an ordinary user")
	}
	if _, err := os.Stat(seatbeltProgram); err != nil {
		return nil, "", errors.New("this macOS has no sandbox-exec")
	}
	home, _ := os.UserHomeDir()
	protected := append(append([]string{r.dirs.root}, r.opt.Protect...), credentialPaths(home)...)
	for i, p := range protected {
		protected[i] = realPath(p)
	}
	homes := findHomes(home, pathOf(r.base), r.opt)
	return &confinement{seatbelt{level: l, protected: protected, closed: homes.closed, readable: homes.readable}, homes}, "session,pgroup,seatbelt", nil
}

// apply contains a command that is about to be started.
func (c *confinement) apply(cmd *osexec.Cmd, home, dir string) error {
	if cmd.Err != nil {
		return nil // Start will say that the program is not there
	}
	s := c.seatbelt
	s.writable = []string{realPath(home), realPath(dir)}
	cmd.Args = s.argv(cmd.Path, cmd.Args[1:])
	cmd.Path = seatbeltProgram
	return nil
}

// protects are the paths kept from commands.
func (c *confinement) protects() []string { return c.protected }

// offers reports whether a folder may be given to a command.
func (c *confinement) offers(dir string) bool { return c.homes.offers(dir) }

func (c *confinement) close() {}

// escapeTest is a command that ends with 0 where a level holds.
const escapeTest = `: > mine && ! (: > "$HOME/../outside") 2>/dev/null && ! (ls "$HOME/..") >/dev/null 2>&1`
