package queue

import (
	"container/heap"
	"fmt"

	"github.com/adauldev/octaskly/queue/task"
)

// Apply applies committed entries in order and returns an answer for each. An
// entry at or below LogPosition was applied before and is answered with
// ErrReplayed. Everything here depends on the entries only: the time is the
// command's, nothing is drawn, no map is walked.
func (s *State) Apply(entries []Entry) []any {
	replies := make([]any, len(entries))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range entries {
		replies[i] = s.applyEntry(&entries[i])
	}
	s.feed.notify()
	return replies
}

// ErrReplayed answers an entry that was applied before.
var ErrReplayed = task.Errorf(task.KindInternal, "the change was applied before this start")

func (s *State) applyEntry(e *Entry) any {
	if e.Index <= s.top.index {
		return ErrReplayed
	}
	for s.full() && s.failed == nil && !s.closing {
		s.room.Wait()
	}
	if s.failed != nil {
		return s.failed
	}
	if s.closing {
		return task.Errorf(task.KindUnavailable, "the queue is being closed")
	}
	if e.Term > s.term {
		s.term = e.Term
		clear(s.burnt)
	}
	s.top.index, s.top.term = e.Index, e.Term
	reply := s.applyCommand(e)
	s.open.top = s.top
	s.work.Signal()
	return reply
}

func (s *State) applyCommand(e *Entry) any {
	kind, now, r := readCommand(e.Data)
	if r.err != nil {
		return badCommand(r.err)
	}
	s.now = now
	switch kind {
	case cmdSubmit:
		return s.applySubmit(r)
	case cmdGrant:
		return s.applyGrant(r, e.Term)
	case cmdRecord:
		return s.applyRecord(r)
	case cmdReturn:
		return s.applyReturn(r)
	case cmdCancel:
		return s.applyCancel(r)
	case cmdPurge:
		return s.applyPurge(r)
	}
	return s.applyMember(kind, r)
}

func badCommand(err error) error {
	return task.Errorf(task.KindInternal, "a command in the log can not be read: %w", err)
}

// move takes a task from one state to another, in memory.
func (s *State) move(id uint64, to task.State) (from task.State) {
	p := s.cells.page(id)
	i := id % pageSize
	cell := p.cell[i]
	from = task.State(cell & stateMask)
	s.counts[from]--
	s.counts[to]++
	if cell&readyBit != 0 {
		s.classes[p.class[i]].count--
		cell &^= readyBit
	}
	if cell&takenBit != 0 && to != task.Queued {
		delete(s.taken, id)
		cell &^= takenBit
	}
	p.cell[i] = cell&^stateMask | uint8(to)
	if to.Terminal() && !from.Terminal() {
		delete(s.burnt, id)
		s.leaveClass(p.class[i])
	}
	return from
}

// enready puts a waiting task that is not taken into its class's ready set.
func (s *State) enready(id uint64) {
	p := s.cells.page(id)
	i := id % pageSize
	if p.cell[i]&(readyBit|takenBit) != 0 {
		return
	}
	p.cell[i] |= readyBit
	k := s.classes[p.class[i]]
	k.count++
	heap.Push(&k.returned, id)
	s.wake()
}

func (s *State) isReady(id uint64) bool { return s.cells.flag(id, readyBit) }

// trim drops numbers from the front of a ready set that are not ready any more.
func (s *State) trim(slot uint32) {
	if k := s.classes[slot]; k != nil {
		k.next(s.isReady, false)
	}
}

func (s *State) applySubmit(r *reader) any {
	limit := int(r.uint())
	k, err := parseBlock(r.b)
	if err != nil {
		return badCommand(err)
	}
	slots := make([]uint32, len(k.classes))
	for i := range k.classes {
		if slots[i], err = s.slotOfClass(&k.classes[i]); err != nil {
			return badCommand(err)
		}
	}
	k.first = s.top.next
	reply := SubmitReply{Tasks: make([]Submitted, len(k.items)), Limit: limit}
	keep := k.items[:0] // moves the accepted ones together in place
	all := len(k.items)
	for i := range all {
		it := &k.items[:all][i]
		if verdict := s.admit(k, it, keep, limit); verdict.Verdict != Accepted {
			reply.Tasks[i] = verdict
			continue
		}
		id := k.first + uint64(len(keep))
		keep = append(keep, *it)
		s.submitOne(id, it, slots[it.class], k.by)
		reply.Tasks[i] = Submitted{task.ID(id), Accepted}
	}
	s.top.next += uint64(len(keep))
	reply.Waiting = s.unfinished()
	for _, slot := range slots { // those that nobody uses
		if c := s.classes[slot]; c != nil && c.tasks == 0 {
			c.tasks = 1
			s.leaveClass(slot)
		}
	}
	if len(keep) > 0 {
		s.putBlock(k, keep, len(keep) == all, r.b)
		s.wake()
	}
	return reply
}

// admit decides on one task of a submit; earlier are those accepted before it.
func (s *State) admit(k *block, it *blockItem, earlier []blockItem, limit int) Submitted {
	if len(it.key) > 0 && !bugs.ForgetKey {
		var hit Submitted
		s.keys.each(s.keys.hashOf(k.by, it.key), func(id uint64) bool {
			by, other := k.by, (*blockItem)(nil)
			if id >= k.first {
				other = &earlier[id-k.first]
			} else if b, o, err := s.itemOf(id, true); err == nil {
				by, other = b.by, o
			}
			if other == nil || string(by) != string(k.by) || string(other.key) != string(it.key) {
				return false
			}
			hit = Submitted{task.ID(id), KeyConflict}
			if string(other.spec) == string(it.spec) {
				hit.Verdict = Duplicate
			}
			return true
		})
		if hit.ID != 0 {
			return hit
		}
	}
	if limit > 0 && s.unfinished() >= limit {
		return Submitted{Verdict: QueueFull}
	}
	return Submitted{Verdict: Accepted}
}

func (s *State) unfinished() int {
	return s.counts[task.Queued] + s.counts[task.Assigned] + s.counts[task.Running] + s.counts[task.Retry]
}

// submitOne makes the new task in memory.
func (s *State) submitOne(id uint64, it *blockItem, slot uint32, by []byte) {
	s.enter(id, it, slot, by, task.Queued)
	p := s.cells.page(id)
	p.cell[id%pageSize] |= readyBit
	k := s.classes[slot]
	k.count++
	k.appendTail(id)
	s.feed.add(s.top.index, &Change{Time: s.now, ID: task.ID(id), To: task.Queued})
}

// enter makes a task that is not finished known in memory.
func (s *State) enter(id uint64, it *blockItem, slot uint32, by []byte, st task.State) {
	p := s.cells.grow(id)
	i := id % pageSize
	p.cell[i], p.retry[i], p.class[i] = uint8(st), it.retry, slot
	p.live++
	s.counts[st]++
	s.classes[slot].tasks++
	if len(it.key) > 0 {
		s.keys.add(s.keys.hashOf(by, it.key), id)
	}
}

// putBlock stages the block of the accepted tasks; raw is the block as
// submitted, which is it when all were accepted.
func (s *State) putBlock(k *block, keep []blockItem, all bool, raw []byte) {
	from := len(s.open.arena)
	if all {
		s.open.arena = append(s.open.arena, raw...)
	} else {
		s.open.arena = appendBlock(s.open.arena, k, keep)
		k.items = keep
	}
	if len(raw) > 0 && raw[0] == blockPlain {
		k.own() // it refers to the command, which is not kept
	}
	sum := s.put(numKey{kind: kindBlock, id: k.first}, from)
	n := uint32(len(keep))
	s.blocks.refs = append(s.blocks.refs, blockRef{first: k.first, sum: sum, n: n, left: n})
	s.cache.put(k)
}

func (s *State) applyGrant(r *reader, term uint64) any {
	node := task.NodeID(r.string())
	list, err := readList(r, readGrant)
	if err != nil {
		return badCommand(err)
	}
	slot := s.slotOfNode(node)
	verdicts := make([]GrantVerdict, len(list))
	for i := range list {
		verdicts[i] = s.grant(&list[i], slot, term)
	}
	return verdicts
}

func (s *State) grant(g *Grant, node uint32, term uint64) GrantVerdict {
	id := uint64(g.ID)
	l := s.lives.get(id)
	switch v := s.judgeGrant(g, l, term); v {
	case Granted:
	case GrantStale:
		s.untake(id)
		return v
	default:
		return v
	}
	if l == nil {
		l = s.lives.add(id)
	}
	l.term, l.attempt, l.node = g.Fence.Term, g.Fence.Attempt, node
	l.granted, l.started, l.notBefore = s.now, 0, 0
	from := s.move(id, task.Assigned)
	p := s.cells.page(id)
	s.trim(p.class[id%pageSize])
	s.putLive(l, task.Assigned)
	s.feed.add(s.top.index, &Change{Time: s.now, ID: g.ID, From: from, To: task.Assigned, Node: s.nodes[node], Fence: g.Fence})
	return Granted
}

func (s *State) judgeGrant(g *Grant, l *live, term uint64) GrantVerdict {
	switch st := s.cells.state(uint64(g.ID)); {
	case st == task.Queued:
	case st == task.Retry && l.notBefore <= s.now:
	default:
		return GrantNotNow
	}
	if bugs.LowerTerm {
		return Granted
	}
	if g.Fence.Term != term || g.Fence.Attempt == 0 {
		return GrantStale
	}
	if l != nil && !(task.Fence{Term: l.term, Attempt: l.attempt}).Less(g.Fence) {
		return GrantStale
	}
	return Granted
}

// untake ends a reservation; the task is ready again if it waits.
func (s *State) untake(id uint64) {
	p := s.cells.page(id)
	if p == nil || p.cell[id%pageSize]&takenBit == 0 {
		return
	}
	s.burnt[id] = max(s.burnt[id], s.taken[id])
	delete(s.taken, id)
	p.cell[id%pageSize] &^= takenBit
	s.enready(id)
}

// putLive stages where an unfinished task stands.
func (s *State) putLive(l *live, st task.State) {
	r := record{
		state: st, cancel: l.cancel, term: l.term, attempt: l.attempt, failures: l.failures,
		history: l.history, crashes: l.crashes, notBefore: l.notBefore,
	}
	if st == task.Assigned {
		r.last = &task.Attempt{Fence: task.Fence{Term: l.term, Attempt: l.attempt}, Node: s.nodes[l.node], Assigned: l.granted}
	}
	s.putRecord(l.id, &r)
}

func (s *State) putRecord(id uint64, r *record) {
	from := len(s.open.arena)
	s.open.arena = r.append(s.open.arena)
	h := s.put(numKey{kind: kindState, id: id}, from)
	s.top.sum -= s.cells.page(id).setSum(id%pageSize, h)
}

// putAttempt stages an attempt that is over but was not the last.
func (s *State) putAttempt(l *live, a *task.Attempt) {
	from := len(s.open.arena)
	s.open.arena = appendAttempt(s.open.arena, a)
	s.put(numKey{kind: kindAttempt, id: l.id, sub: l.history}, from)
	l.history++
}

// finish ends a task for good. l may be nil; last may be nil.
func (s *State) finish(id uint64, l *live, to task.State, last *task.Attempt) {
	r := record{state: to, finished: s.now, last: last}
	c := Change{Time: s.now, ID: task.ID(id), To: to}
	if l != nil {
		r.term, r.attempt, r.failures, r.history, r.crashes = l.term, l.attempt, l.failures, l.history, l.crashes
		r.cancel = l.cancel
	}
	if last != nil {
		c.Node, c.Fence, c.Exit = last.Node, last.Fence, last.Exit
	}
	c.From = s.move(id, to)
	s.putRecord(id, &r)
	s.lives.drop(id)
	s.finished.add(id, s.now)
	s.feed.add(s.top.index, &c)
}

func (s *State) applyRecord(r *reader) any {
	n := r.count()
	if r.err == nil && n > task.MaxBatch {
		return badCommand(fmt.Errorf("%d outcomes", n))
	}
	replies := make([]RecordReply, 0, n)
	var o Outcome
	for range n {
		readOutcome(r, &o)
		if r.err != nil {
			break
		}
		replies = append(replies, s.record(&o))
	}
	if err := r.end(); err != nil {
		return badCommand(err)
	}
	return replies
}

func (s *State) record(o *Outcome) RecordReply {
	id := uint64(o.ID)
	st := s.cells.state(id)
	if st == 0 {
		return RecordReply{Verdict: UnknownTask}
	}
	l := s.lives.get(id)
	if !st.Holds() || (!bugs.NoFence && (l.term != o.Fence.Term || l.attempt != o.Fence.Attempt || o.Node != "" && s.nodes[l.node] != o.Node)) {
		return RecordReply{s.judgeLate(id, l, st, o.Fence), stored(st)}
	}
	a := task.Attempt{
		Fence: o.Fence, Node: o.Node, Assigned: l.granted, Started: o.Started, Ended: o.Ended,
		Exit: o.Exit, Usage: o.Usage, Enforced: o.Enforced, Output: o.Output,
	}
	if a.Node == "" {
		a.Node = s.nodes[l.node]
	}
	end := endState(&o.Exit, l.cancel)
	if (end == task.Failed || end == task.Timeout) && s.retries(id, l, &o.Exit) {
		s.delay(id, l, st, &a)
		return RecordReply{Recorded, task.Retry}
	}
	if end != task.Done && end != task.Cancelled {
		l.failures++
	}
	s.finish(id, l, end, &a)
	return RecordReply{Recorded, end}
}

// stored is the state as replicas know it: Running is volatile.
func stored(st task.State) task.State {
	if st == task.Running {
		return task.Assigned
	}
	return st
}

// judgeLate tells an outcome that was recorded before from one that is stale.
func (s *State) judgeLate(id uint64, l *live, st task.State, f task.Fence) RecordVerdict {
	var last task.Fence
	switch {
	case l != nil:
		last = task.Fence{Term: l.term, Attempt: l.attempt}
	case st.Terminal():
		if b, err := s.lookup(numKey{kind: kindState, id: id}); err == nil && b != nil {
			if r, err := parseRecord(b, false); err == nil {
				last = task.Fence{Term: r.term, Attempt: r.attempt}
			}
		}
	}
	if f == last && (st == task.Retry || st.Terminal()) {
		return AlreadyRecorded
	}
	return Fenced
}

// retries reports whether a failed attempt is followed by another.
func (s *State) retries(id uint64, l *live, x *task.Exit) bool {
	terms := s.cells.page(id).retry[id%pageSize]
	if l.failures >= uint32(terms&retryCount) {
		return false
	}
	var list []int32
	if terms&retryOnList != 0 {
		if _, it, err := s.itemOf(id, true); err == nil {
			if spec, err := decodeSpec(it.spec); err == nil {
				list = spec.RetryOn
			}
		}
	}
	return worthRetry(x, list)
}

// delay makes a task wait for its next attempt.
func (s *State) delay(id uint64, l *live, from task.State, a *task.Attempt) {
	l.failures++
	fixed := s.cells.page(id).retry[id%pageSize]&retryFixed != 0
	l.notBefore = s.now + RetryDelay(task.ID(id), l.failures, fixed).Milliseconds()
	s.putAttempt(l, a)
	s.move(id, task.Retry)
	s.putLive(l, task.Retry)
	heap.Push(&s.delayed, due{l.notBefore, id})
	if s.delayed[0].id == id {
		select {
		case s.sooner <- struct{}{}:
		default:
		}
	}
	s.feed.add(s.top.index, &Change{Time: s.now, ID: task.ID(id), From: from, To: task.Retry, Node: a.Node, Fence: a.Fence, Exit: a.Exit})
}

func (s *State) applyReturn(r *reader) any {
	list, err := readList(r, readReturn)
	if err != nil {
		return badCommand(err)
	}
	replies := make([]ReturnReply, len(list))
	for i := range list {
		replies[i] = s.giveBack(&list[i])
	}
	return replies
}

func (s *State) giveBack(t *Return) ReturnReply {
	id := uint64(t.ID)
	st := s.cells.state(id)
	l := s.lives.get(id)
	if !st.Holds() || l.term != t.Fence.Term || l.attempt != t.Fence.Attempt {
		return ReturnReply{false, stored(st)}
	}
	clean := t.Why == Declined || t.Why == NeverStarted
	a := task.Attempt{
		Fence: t.Fence, Node: s.nodes[l.node], Assigned: l.granted, Ended: s.now,
		Exit: task.Exit{Reason: task.ReasonNodeLost, Message: t.Message},
	}
	if clean {
		a.Exit.Reason = task.ReasonDeclined
	} else {
		l.crashes++
	}
	p := s.cells.page(id)
	switch {
	case l.cancel:
		s.finish(id, l, task.Cancelled, &a)
		return ReturnReply{true, task.Cancelled}
	case clean:
	case s.classes[p.class[id%pageSize]].delivery == task.AtMostOnce:
		s.finish(id, l, task.Lost, &a)
		return ReturnReply{true, task.Lost}
	case l.crashes >= MaxCrashes:
		a.Exit = task.Exit{Reason: task.ReasonPoison, Message: fmt.Sprintf("%d workers were lost while they ran it", l.crashes)}
		s.finish(id, l, task.Failed, &a)
		return ReturnReply{true, task.Failed}
	default:
		s.putAttempt(l, &a)
	}
	l.node = 0
	s.move(id, task.Queued)
	s.putLive(l, task.Queued)
	s.enready(id)
	s.feed.add(s.top.index, &Change{Time: s.now, ID: t.ID, From: st, To: task.Queued, Node: a.Node, Fence: t.Fence, Exit: a.Exit})
	return ReturnReply{true, task.Queued}
}

func (s *State) applyCancel(r *reader) any {
	_ = r.bytes() // on whose behalf; in the log for the audit
	list, err := readList(r, readID)
	if err != nil {
		return badCommand(err)
	}
	replies := make([]CancelReply, len(list))
	for i, id := range list {
		replies[i] = s.cancel(uint64(id))
	}
	return replies
}

func (s *State) cancel(id uint64) CancelReply {
	st := s.cells.state(id)
	c := CancelReply{ID: task.ID(id), State: stored(st)}
	switch {
	case st == 0:
		c.Verdict = CancelNotFound
	case st.Terminal():
		c.Verdict = CancelTooLate
	case st.Holds():
		l := s.lives.get(id)
		c.Verdict, c.Node, c.Fence = CancelPending, s.nodes[l.node], task.Fence{Term: l.term, Attempt: l.attempt}
		if !l.cancel {
			l.cancel = true
			s.putLive(l, task.Assigned)
		}
	default:
		c.Verdict, c.State = CancelDone, task.Cancelled
		slot := s.cells.page(id).class[id%pageSize]
		s.finish(id, s.lives.get(id), task.Cancelled, nil)
		s.trim(slot)
	}
	return c
}
