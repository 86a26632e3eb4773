//go:build unix && !linux

package local

import (
	"os"
	"path/filepath"
)

// shortened calls use with a name for dir/name that is short enough for a socket
// address: through a link in a folder of ours when the path itself is too long.
func shortened(dir, name string, use func(path string) error) error {
	if p := filepath.Join(dir, name); len(p) < maxPath {
		return use(p)
	}
	tmp, err := os.MkdirTemp("/tmp", "o")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	link := filepath.Join(tmp, "d")
	if err := os.Symlink(dir, link); err != nil {
		return err
	}
	return use(filepath.Join(link, name))
}
