package exec

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// finder looks programs up in a PATH and remembers the answers for the one
// PATH that nearly every command has. An answer that turns out stale is
// dropped with forget.
type finder struct {
	path string
	mu   sync.Mutex
	seen map[string]string
}

func newFinder(path string) *finder { return &finder{path: path, seen: make(map[string]string)} }

// find returns the file to execute for name. A name with a slash is returned
// as it is: the kernel will say whether it is there.
func (f *finder) find(name, path string) (string, *StartError) {
	if strings.IndexByte(name, '/') >= 0 {
		return name, nil
	}
	if path != f.path {
		return searchPath(name, path)
	}
	f.mu.Lock()
	file, ok := f.seen[name]
	f.mu.Unlock()
	if ok {
		return file, nil
	}
	file, err := searchPath(name, path)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) >= 1024 {
		clear(f.seen)
	}
	f.seen[name] = file
	return file, nil
}

// forget drops what is remembered of name and reports whether there was
// anything to drop.
func (f *finder) forget(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.seen[name]
	delete(f.seen, name)
	return ok
}

// searchPath looks through the absolute entries of a PATH.
func searchPath(name, path string) (string, *StartError) {
	found := ""
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, name)
		st, err := os.Stat(file)
		if err != nil || st.IsDir() {
			continue
		}
		if st.Mode()&0o111 != 0 {
			return file, nil
		}
		found = file
	}
	if found != "" {
		return "", startError(ReasonNotExecutable, "run %s: %s is not executable; set its x bit with chmod", name, found)
	}
	return "", startError(ReasonNotFound, "run %s: no such program in PATH (%s)", name, path)
}
