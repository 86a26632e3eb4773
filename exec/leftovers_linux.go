package exec

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SweepLeftovers kills what an earlier Runner left; see Starter. Processes of
// this Runner's own commands are spared.
//
// A process is taken for a leftover when its cookie has the prefix, when it is
// in a directory below WorkRoot, or when it is in a session or below a parent
// of one that is. One that has shed all of these is not found. When all are
// gone their directories are removed, but for those that were to be kept.
func (r *Runner) SweepLeftovers(ctx context.Context, cookiePrefix string) (int, error) {
	if cookiePrefix == "" {
		return 0, fmt.Errorf("find processes left running: no cookie is given")
	}
	killed := make(map[int]bool)
	deadline := time.Now().Add(killWait)
	pause := time.Millisecond
	for empty := 0; empty < 2; {
		if err := ctx.Err(); err != nil {
			return len(killed), fmt.Errorf("kill processes left running: %w", err)
		}
		found := r.leftovers(cookiePrefix)
		for _, s := range found {
			_ = unix.Kill(s.pid, unix.SIGSTOP)
		}
		for _, s := range found {
			if same(s) {
				_ = unix.Kill(s.pid, unix.SIGKILL)
				killed[s.pid] = true
			}
		}
		if len(found) == 0 {
			empty++
			continue
		}
		empty = 0
		if time.Now().After(deadline) {
			return len(killed), fmt.Errorf("kill processes left running: %d of them will not end, the first has id %d", len(found), found[0].pid)
		}
		time.Sleep(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
	r.nextReap.Store(0)
	r.reapStrays() // where this process is the one that orphans fall to
	for _, dirs := range r.roots() {
		if err := dirs.removeOld(); err != nil {
			return len(killed), err
		}
	}
	return len(killed), nil
}

// leftovers takes one look.
func (r *Runner) leftovers(prefix string) []procStat {
	r.forking.Lock()
	defer r.forking.Unlock()
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
		if strings.HasPrefix(c, prefix) || r.inOldDir(pid) {
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
