package exec

import (
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// confinement is how commands of one level are contained: they run with a copy
// of our token that has no privileges and low integrity, so that they can write
// only where that is marked as allowed.
type confinement struct {
	token     windows.Token
	protected []string
	homes     homes
}

var createRestrictedToken = windows.NewLazySystemDLL("advapi32.dll").NewProc("CreateRestrictedToken")

const disableMaxPrivilege = 0x1

// The marks, as security descriptors: a command may write in the first, and can
// neither read nor write the second.
const (
	markOpen      = "S:(ML;OICI;NW;;;LW)"
	markProtected = "S:(ML;OICI;NWNRNX;;;ME)"
)

// newConfinement builds a level, or says why it cannot be.
func newConfinement(l Level, r *Runner) (*confinement, string, error) {
	if l > Basic {
		return nil, "", errors.New("not built for Windows")
	}
	var protected []string
	for _, path := range append([]string{r.dirs.root}, r.opt.Protect...) {
		protected = append(protected, realPath(path))
		if err := mark(path, markProtected); err != nil && !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) && !errors.Is(err, windows.ERROR_PATH_NOT_FOUND) {
			return nil, "", fmt.Errorf("protect %s: %w", path, err)
		}
	}
	token, err := lowToken()
	if err != nil {
		return nil, "", err
	}
	home, _ := os.UserHomeDir()
	return &confinement{token: token, protected: protected, homes: findHomes(home, "", r.opt)}, "job,restricted_token,low_integrity", nil
}

// lowToken makes the token.
func lowToken() (windows.Token, error) {
	var own, low windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ALL_ACCESS, &own); err != nil {
		return 0, fmt.Errorf("open our token: %w", err)
	}
	defer own.Close()
	ok, _, err := createRestrictedToken.Call(uintptr(own), disableMaxPrivilege, 0, 0, 0, 0, 0, 0, uintptr(unsafe.Pointer(&low)))
	if ok == 0 {
		return 0, fmt.Errorf("make a token without privileges: %w", err)
	}
	sid, err := windows.CreateWellKnownSid(windows.WinLowLabelSid)
	if err != nil {
		low.Close()
		return 0, fmt.Errorf("make a token of low integrity: %w", err)
	}
	label := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: sid, Attributes: windows.SE_GROUP_INTEGRITY}}
	if err := windows.SetTokenInformation(low, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&label)), label.Size()); err != nil {
		low.Close()
		return 0, fmt.Errorf("make a token of low integrity: %w", err)
	}
	return low, nil
}

// mark sets who may get at a file or folder and what is in it.
func mark(path, descriptor string) error {
	sd, err := windows.SecurityDescriptorFromString(descriptor)
	if err != nil {
		return err
	}
	sacl, _, err := sd.SACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.LABEL_SECURITY_INFORMATION, nil, nil, nil, sacl)
}

// apply contains a command that is about to be started. It may write in its
// home and, if one is given, its directory.
func (c *confinement) apply(cmd *osexec.Cmd, home, dir string) error {
	for _, path := range []string{home, dir} {
		if err := mark(path, markOpen); err != nil {
			return fmt.Errorf("open %s to the command: %w", path, err)
		}
	}
	cmd.SysProcAttr.Token = syscall.Token(c.token)
	return nil
}

// protects are the paths kept from commands.
func (c *confinement) protects() []string { return c.protected }

// offers reports whether a folder may be given to a command.
func (c *confinement) offers(dir string) bool { return c.homes.offers(dir) }

func (c *confinement) close() { _ = c.token.Close() }

// escapeTest is a command that ends with 0 where a level holds.
const escapeTest = `copy NUL mine >NUL && (copy NUL "%USERPROFILE%\..\outside" >NUL 2>NUL && exit 1 || exit 0)`
