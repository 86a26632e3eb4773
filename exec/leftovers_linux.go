package exec

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// SweepLeftovers kills what an earlier Runner left; see Starter. Processes of
// this Runner's own commands are spared.
//
// A process is taken for a leftover when its cookie has the prefix, when it has
// a label of WorkRoot's or is in a directory below that, or when it is in a
// session or below a parent of one that is. One that has shed all of these is not
// found. When all are gone their directories are removed, but for those that were
// to be kept.
func (r *Runner) SweepLeftovers(ctx context.Context, cookiePrefix string) (int, error) {
	if cookiePrefix == "" {
		return 0, fmt.Errorf("find processes left running: no cookie is given")
	}
	killed := 0
	look := func() snapshot {
		if ctx.Err() != nil {
			return snapshot{} // enough
		}
		r.mu.Lock()
		strays := r.strays
		r.mu.Unlock()
		return snapshot{members: r.leftovers(cookiePrefix), strays: strays}
	}
	left := r.killAll(look, func(int) { killed++ })
	switch {
	case ctx.Err() != nil:
		return killed, fmt.Errorf("kill processes left running: %w", ctx.Err())
	case len(left) > 0:
		return killed, fmt.Errorf("kill processes left running: these will not end: %v", left)
	}
	r.nextReap.Store(0)
	r.reapStrays() // where this process is the one that orphans fall to
	for _, dirs := range r.roots() {
		if err := dirs.removeOld(); err != nil {
			return killed, err
		}
	}
	return killed, nil
}

// leftovers takes one look. The caller holds forking.
func (r *Runner) leftovers(prefix string) []procStat {
	seen := make(map[int]procStat)
	mark := make(map[int]bool)
	sessions := make(map[int]bool)
	var order []int
	own := make(map[string]bool)
	live := r.liveNow()
	for _, p := range live {
		own[p.spec.Cookie] = true
	}
	_ = r.table.all(func(pid int) bool {
		s, ok := readStat(pid)
		if !ok || s.dead() || pid == r.self || pid == 1 || s.sid == r.sid {
			return true
		}
		seen[pid] = s
		order = append(order, pid)
		c := readCookie(pid)
		if own[c] {
			return true
		}
		if strings.HasPrefix(c, prefix) || r.inOldDir(pid) || r.labels.earlier(pid) {
			mark[pid], sessions[s.sid] = true, true
		}
		return true
	})
	delete(sessions, 0)
	var found []procStat
	for _, pid := range order {
		s := seen[pid]
		// A parent has been decided on before its children in most cases; what
		// is missed is found by the next look.
		if live[s.sid] == nil && (mark[pid] || sessions[s.sid] || mark[s.ppid]) {
			mark[pid] = true
			found = append(found, s)
		}
	}
	return found
}

// inOldDir reports whether a process is in a command's directory that no live
// command has.
func (r *Runner) inOldDir(pid int) bool {
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	if err != nil {
		return false
	}
	cwd = strings.TrimSuffix(cwd, " (deleted)")
	if !slices.ContainsFunc(r.roots(), func(root *workDirs) bool { return below(cwd, root.root) }) {
		return false
	}
	for _, p := range r.liveNow() {
		if cwd == p.home.path || below(cwd, p.home.path) {
			return false
		}
	}
	return true
}

// roots are the folders that hold commands' directories.
func (r *Runner) roots() []*workDirs {
	all := []*workDirs{r.dirs}
	for _, c := range r.levels {
		if c != nil && !slices.Contains(all, c.dirs) {
			all = append(all, c.dirs)
		}
	}
	return all
}
