package exec

import (
	"path/filepath"
	"strings"
)

// credentialPaths are where people keep what opens other doors.
func credentialPaths(home string) []string {
	if home == "" || home == "/" {
		return nil
	}
	var paths []string
	for _, name := range []string{
		".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".password-store", ".pki",
		".npmrc", ".pypirc", ".vault-token", ".terraform.d", ".config/gcloud", ".config/gh", ".config/hub", ".config/rclone",
		".config/op", ".cargo/credentials.toml", ".local/share/keyrings", ".mozilla", ".config/chromium", ".config/google-chrome",
		".bash_history", ".zsh_history",
	} {
		paths = append(paths, filepath.Join(home, name))
	}
	return paths
}

// realPath resolves links as far as the path exists.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		if found, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(found, rest)
		}
		if dir == filepath.Dir(dir) {
			return abs
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// below reports whether path lies under dir.
func below(path, dir string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, sep)+sep)
}

// overlapping returns the first of some paths that is at, above or below path.
func overlapping(protected []string, path string) string {
	for _, p := range protected {
		if p == path || below(p, path) || below(path, p) {
			return p
		}
	}
	return ""
}
