package state

import (
	"context"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// Get is one task with all its attempts; KindNotFound if there is none.
func (s *State) Get(id task.ID) (task.Task, error) {
	for range 4 { // a change between two of the reads makes them disagree
		t, again, err := s.get(uint64(id))
		if !again {
			return t, err
		}
	}
	return task.Task{}, task.Errorf(task.KindInternal, "task %d changes too fast to be read", id).
		WithHint("ask again")
}

func (s *State) get(id uint64) (t task.Task, again bool, err error) {
	s.mu.RLock()
	st := s.table.state(id)
	var rec []byte
	recKnown := false
	var started int64
	if st != 0 {
		if s.table.page(id).sum == nil || s.table.page(id).sum[id%pageSize] == 0 {
			recKnown = true // it has none
		} else {
			rec, recKnown = s.staged(numKey{kind: kindState, id: id})
		}
	}
	if l := s.active.get(id); l != nil {
		started = l.started
	}
	s.mu.RUnlock()
	if st == 0 {
		return t, false, notFound(task.ID(id))
	}
	b, it, err := s.itemOf(id, false)
	if err != nil {
		return t, false, err
	}
	if t.Spec, err = decodeSpec(it.spec); err != nil {
		return t, false, s.store.Damaged("task %d: %v", id, err)
	}
	t.ID, t.Key, t.By, t.State, t.Submitted = task.ID(id), string(it.key), task.Principal(b.by), st, b.time
	if !recKnown {
		if rec, err = s.stored(numKey{kind: kindState, id: id}); err != nil {
			return t, false, err
		}
	}
	if rec == nil {
		return t, st != task.Queued, nil
	}
	r, err := parseRecord(rec, true)
	if err != nil {
		return t, false, s.store.Damaged("task %d: %v", id, err)
	}
	if r.state != stored(st) {
		return t, true, nil
	}
	t.NotBefore, t.Finished, t.Cancelling = r.notBefore, r.finished, r.cancel && !st.Terminal()
	for i := range r.history {
		raw, err := s.read(numKey{kind: kindAttempt, id: id, sub: i})
		if err != nil || raw == nil {
			return t, err == nil, err
		}
		p := reader{b: raw}
		t.Attempts = append(t.Attempts, readAttempt(&p))
	}
	if r.last != nil {
		if st.Holds() {
			r.last.Started = started
		}
		t.Attempts = append(t.Attempts, *r.last)
	}
	return t, false, nil
}

// listScan bounds how many tasks one List looks into whose state matches but
// whose spec has to be read; the page is cut there, with More set.
const listScan = 200_000

// List is a page of tasks with all their attempts; the nodes of the query are
// ids, and Next is set whenever there is more. With conditions on more
// than state and number it looks into at most 200,000 tasks and then returns
// what it has, with More set; After is then the number to go on from.
func (s *State) List(ctx context.Context, f task.Query) (task.Page, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = task.DefaultPage
	}
	limit = min(limit, task.MaxPage)
	page := task.Page{Total: -1}
	deep := len(f.Nodes) > 0 || len(f.Tags) > 0 || f.Text != "" || f.Since > 0 || f.By != ""
	if !deep {
		page.Total = s.total(&f)
	}
	text := strings.ToLower(f.Text)
	looked := 0
	for id := range s.walk(&f) {
		if looked++; looked%1024 == 0 && ctx.Err() != nil {
			return page, context.Cause(ctx)
		}
		if len(page.Tasks) == limit || deep && looked > listScan {
			page.More = true
			break
		}
		page.Next = task.ID(id)
		if deep && !s.specMatches(id, &f, text) {
			continue
		}
		t, err := s.Get(task.ID(id))
		if task.KindOf(err) == task.KindNotFound {
			continue
		}
		if err != nil {
			return page, err
		}
		if !recordMatches(&t, &f) {
			continue
		}
		page.Tasks = append(page.Tasks, t)
	}
	if n := len(page.Tasks); n == limit {
		page.Next = page.Tasks[n-1].ID
	}
	if !page.More {
		page.Next = 0
	}
	return page, nil
}

// total counts the tasks that match by state or number alone.
func (s *State) total(f *task.Query) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	if len(f.IDs) > 0 {
		for _, id := range f.IDs {
			if matchesState(s.table.state(uint64(id)), f.States) {
				n++
			}
		}
		return n
	}
	for st, c := range s.counts {
		if matchesState(task.State(st), f.States) {
			n += c
		}
	}
	return n
}

func matchesState(st task.State, list []task.State) bool {
	return st != 0 && (len(list) == 0 || slices.Contains(list, st))
}

// specMatches looks at what the task was submitted with.
func (s *State) specMatches(id uint64, f *task.Query, text string) bool {
	if f.Since == 0 && len(f.Tags) == 0 && text == "" {
		return true
	}
	b, it, err := s.itemOf(id, false)
	if err != nil || b.time < f.Since {
		return false
	}
	if len(f.Tags) == 0 && text == "" {
		return true
	}
	spec, err := decodeSpec(it.spec)
	if err != nil {
		return false
	}
	if len(f.Tags) > 0 && !slices.ContainsFunc(f.Tags, func(t string) bool { return slices.Contains(spec.Tags, t) }) {
		return false
	}
	return text == "" || strings.Contains(strings.ToLower(spec.Name+"\x00"+spec.Shell+"\x00"+strings.Join(spec.Argv, " ")), text)
}

func recordMatches(t *task.Task, f *task.Query) bool {
	if !matchesState(t.State, f.States) || f.By != "" && t.By != f.By {
		return false
	}
	return len(f.Nodes) == 0 || t.Last() != nil && slices.Contains(f.Nodes, string(t.Last().Node))
}

// walk yields the numbers of existing tasks that match by number and state,
// in the asked order, looking at 1,024 at a time so that no lock is held
// while the caller reads.
func (s *State) walk(f *task.Query) func(yield func(uint64) bool) {
	if len(f.IDs) > 0 {
		return s.walkIDs(f)
	}
	return func(yield func(uint64) bool) {
		s.mu.RLock()
		lo, hi := s.table.base<<pageBits, s.position.next-1
		s.mu.RUnlock()
		at := hi
		if f.Oldest {
			at = max(lo, 1)
		}
		switch {
		case f.After == 0:
		case f.Oldest:
			at = max(at, uint64(f.After)+1)
		default:
			at = min(at, uint64(f.After)-1)
		}
		var buf [pageSize]uint64
		for at >= 1 && at >= lo && at <= hi {
			var n int
			n, at = s.scanPage(at, f, &buf)
			for _, id := range buf[:n] {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// scanPage collects matches in the page of at, from at on, and returns where
// to go on.
func (s *State) scanPage(at uint64, f *task.Query, buf *[pageSize]uint64) (n int, next uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	first := at >> pageBits << pageBits
	p := s.table.page(at)
	if f.Oldest {
		for id := at; p != nil && id < first+pageSize && id < s.position.next; id++ {
			if matchesState(task.State(p.status[id%pageSize]&stateMask), f.States) {
				buf[n] = id
				n++
			}
		}
		return n, first + pageSize
	}
	for i := int(at - first); p != nil && i >= 0; i-- {
		if matchesState(task.State(p.status[i]&stateMask), f.States) {
			buf[n] = first + uint64(i)
			n++
		}
	}
	return n, first - 1 // wraps to a huge number at the end, which walk sees
}

func (s *State) walkIDs(f *task.Query) func(yield func(uint64) bool) {
	ids := slices.Clone(f.IDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if !f.Oldest {
		slices.Reverse(ids)
	}
	return func(yield func(uint64) bool) {
		for _, id := range ids {
			if f.After != 0 && (f.Oldest && id <= f.After || !f.Oldest && id >= f.After) {
				continue
			}
			s.mu.RLock()
			ok := matchesState(s.table.state(uint64(id)), f.States)
			s.mu.RUnlock()
			if ok && !yield(uint64(id)) {
				return
			}
		}
	}
}

// Counts is the number of tasks in each state.
func (s *State) Counts() map[task.State]int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := make(map[task.State]int, len(s.counts))
	for _, st := range task.States() {
		m[st] = s.counts[st]
	}
	return m
}

// ReadyCount is the number of tasks that could start now: in all classes, not
// taken.
func (s *State) ReadyCount() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, k := range s.classes {
		if k != nil {
			n += k.count
		}
	}
	return n
}

// Position is the number of ready tasks that go before this one, by priority
// and then by number; 0 if it is not waiting.
func (s *State) Position(id task.ID) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.isReady(uint64(id)) {
		return 0
	}
	own := s.classes[s.table.page(uint64(id)).class[uint64(id)%pageSize]]
	n := 0
	for _, k := range s.classes {
		switch {
		case k == nil || k.priority < own.priority:
		case k.priority > own.priority:
			n += k.count
		default:
			n += k.before(uint64(id), s.isReady)
		}
	}
	return n
}
