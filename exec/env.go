package exec

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
)

// cookieName is the variable by which a process is known to belong to a
// command. A Spec cannot set it.
const cookieName = "OCTASKLY_COOKIE"

// defaultPath is used when this process has no usable PATH of its own.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// baseEnv is the part of the environment that is the same for every command.
// It is built from nothing: only what is named here passes from this process
// to a command.
//
//	PATH           as here, relative entries dropped
//	USER, LOGNAME  the user the commands run as
//	SHELL          /bin/sh
//	LANG           as here, else C.UTF-8
//	TZ             as here, if set
//
// On Windows also what no program starts without: SystemRoot, ComSpec, PATHEXT
// and the like. Per command come HOME, TMPDIR, PWD and the cookie.
func baseEnv(getenv func(string) string) []string {
	name := userName(getenv)
	env := []string{
		"PATH=" + cleanPath(getenv("PATH")),
		"USER=" + name,
		"LOGNAME=" + name,
		"LANG=" + orElse(getenv("LANG"), "C.UTF-8"),
	}
	if tz := getenv("TZ"); tz != "" {
		env = append(env, "TZ="+tz)
	}
	if runtime.GOOS != "windows" {
		return append(env, "SHELL=/bin/sh")
	}
	for _, k := range []string{"SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS", "ProgramFiles", "ProgramData"} {
		if v := getenv(k); v != "" {
			env = append(env, k+"="+v)
		}
	}
	return env
}

func userName(getenv func(string) string) string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return orElse(getenv("USER"), "nobody")
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

// cleanPath keeps the absolute entries of a PATH, so that what a name means
// does not depend on a command's directory.
func cleanPath(path string) string {
	var keep []string
	for _, p := range filepath.SplitList(path) {
		if filepath.IsAbs(p) {
			keep = append(keep, p)
		}
	}
	if len(keep) > 0 {
		return strings.Join(keep, string(os.PathListSeparator))
	}
	if runtime.GOOS == "windows" {
		return ""
	}
	return defaultPath
}

// buildEnv joins the base, what belongs to this one command, and what its spec
// names. A name in extra replaces the same name before it; the cookie cannot
// be replaced. Every name appears once.
func buildEnv(base []string, home workDir, dir, cookie string, extra []string) []string {
	env := make([]string, 0, len(base)+len(extra)+6)
	env = append(env, base...)
	env = append(env, "HOME="+home.path, "TMPDIR="+home.temp(), "PWD="+dir)
	if runtime.GOOS == "windows" {
		env = append(env, "TEMP="+home.temp(), "TMP="+home.temp(), "USERPROFILE="+home.path)
	}
	for _, kv := range extra {
		env = setEnv(env, kv)
	}
	return setEnv(env, cookieName+"="+cookie)
}

// setEnv replaces the entry of the same name or appends.
func setEnv(env []string, kv string) []string {
	name := kv[:strings.IndexByte(kv, '=')+1]
	for i, have := range env {
		if strings.HasPrefix(have, name) {
			env[i] = kv
			return env
		}
	}
	return append(env, kv)
}

// pathOf returns the PATH an environment holds.
func pathOf(env []string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			return v
		}
	}
	return ""
}
