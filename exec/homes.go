package exec

import (
	"os"
	"path/filepath"
	"slices"
)

// homes says what commands at basic and above see of people's homes, and which folders
// may be given to one to work in. Both are closed but for what the worker's owner lists:
// nobody knows all the places where programs keep credentials, or from where they
// run what they find. All paths are absolute and without links.
type homes struct {
	closed   []string // nothing in them can be read, but for
	readable []string // these, where programs are, and what the owner lists
	scratch  []string // folders that are for everybody's temporary files
	listed   []string // what the owner lists for commands to work in
}

// programFolders are where tools that people install for themselves put programs, seen
// from a home. No such tool keeps credentials there.
var programFolders = []string{
	".local/bin", ".local/lib", ".local/pipx/venvs", ".local/share/pipx/venvs", ".local/share/uv/tools", ".local/share/uv/python",
	".local/share/mise/installs", ".asdf/installs", ".cargo/bin", ".rustup/toolchains", ".nvm/versions", ".volta/tools",
	".pyenv/versions", ".rbenv/versions", ".sdkman/candidates", "go/bin", "sdk", "miniconda3", "miniforge3", "anaconda3",
}

// findHomes looks at the home of this process, those of everybody, and the options.
func findHomes(home, path string, opt Options) homes {
	var h homes
	for _, dir := range []string{home, "/home", "/root", "/Users"} {
		if dir = realPathOf(dir); dir != "" && !isSystemFolder(dir) && !slices.Contains(h.closed, dir) {
			h.closed = append(h.closed, dir)
		}
	}
	candidates := slices.Clone(opt.AllowRead)
	if home != "" {
		for _, name := range programFolders {
			candidates = append(candidates, filepath.Join(home, name))
		}
	}
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) && realPathOf(dir) != realPathOf(home) {
			candidates = append(candidates, dir)
		}
	}
	for _, dir := range candidates {
		if dir = realPathOf(dir); dir != "" && h.isClosed(dir) && !slices.Contains(h.readable, dir) {
			h.readable = append(h.readable, dir)
		}
	}
	for _, dir := range []string{"/tmp", "/var/tmp", os.TempDir()} {
		if dir = realPathOf(dir); dir != "" && dir != realPathOf(home) && !slices.Contains(h.scratch, dir) {
			h.scratch = append(h.scratch, dir)
		}
	}
	for _, dir := range opt.AllowDirs {
		h.listed = append(h.listed, realPath(dir))
	}
	return h
}

// realPathOf is realPath of a folder that may not be named at all.
func realPathOf(dir string) string {
	if dir == "" {
		return ""
	}
	return realPath(dir)
}

// isSystemFolder reports whether a home is one of the folders that hold a system, as it
// is with users that are made for services: such a home cannot be closed.
func isSystemFolder(dir string) bool {
	return filepath.Dir(dir) == dir || filepath.Dir(filepath.Dir(dir)) == filepath.Dir(dir) && dir != "/home" && dir != "/root" && dir != "/Users"
}

// isClosed reports whether a path is a closed home or in one.
func (h homes) isClosed(path string) bool { return within(path, h.closed) }

// hides reports whether commands cannot read a path because it is in a home.
func (h homes) hides(path string) bool { return h.isClosed(path) && !within(path, h.readable) }

// offers reports whether a folder may be given to a command to work in. A folder for
// temporary files that has a home in it opens nothing of that home.
func (h homes) offers(dir string) bool {
	if within(dir, h.listed) {
		return true
	}
	return slices.ContainsFunc(h.scratch, func(scratch string) bool {
		return within(dir, []string{scratch}) && !slices.ContainsFunc(h.closed, func(home string) bool {
			return within(dir, []string{home}) && !below(scratch, home)
		})
	})
}

// within reports whether a path is one of some folders or in one.
func within(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(dir string) bool { return path == dir || below(path, dir) })
}

// notListed says what to do about a directory that may not be given.
func notListed(spec *Spec, dir string) *StartError {
	return startError(ReasonBadDir, "the working directory %s cannot be used at sandbox level %s: the owner of this worker has not listed it; "+
		"--allow-dir %s there, or allow-dir in its configuration, opens it to tasks", spec.Dir, spec.Level, dir)
}
