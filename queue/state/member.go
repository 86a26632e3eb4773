package state

import (
	"fmt"
	"slices"
	"strings"

	"github.com/adauldev/octaskly/queue/task"
)

// Member is a node that belongs to the cluster.
type Member struct {
	ID      task.NodeID `msgpack:"i"`
	Name    string      `msgpack:"n"` // unique among members; a clash gets a suffix
	Roles   []task.Role `msgpack:"r"`
	Cert    []byte      `msgpack:"c,omitempty"` // the leaf issued last, DER
	Addrs   []string    `msgpack:"a,omitempty"`
	Joined  int64       `msgpack:"j"`           // Unix ms
	Drained int64       `msgpack:"d,omitempty"` // Unix ms since when it takes no tasks; 0 is not draining
	By      string      `msgpack:"b,omitempty"` // who let it in
}

// Revocation says that a key is no longer welcome.
type Revocation struct {
	ID task.NodeID `msgpack:"i"`
	At int64       `msgpack:"a"` // Unix ms
	By string      `msgpack:"b,omitempty"`
}

// Invite is a code that lets nodes in. The code itself is never stored.
type Invite struct {
	ID      string        `msgpack:"i"` // names it in lists; derived from the code by the caller
	Proof   []byte        `msgpack:"p"` // what checking a code needs; the queue does not look inside
	Roles   []task.Role   `msgpack:"r"`
	Uses    int           `msgpack:"u"` // left
	Expires int64         `msgpack:"e"` // Unix ms
	UsedBy  []task.NodeID `msgpack:"U,omitempty"`
	By      string        `msgpack:"b,omitempty"`
}

// members is what the cluster knows about itself, all of it in memory.
type members struct {
	nodes   map[task.NodeID]Member
	revoked map[task.NodeID]Revocation
	invites map[string]Invite
	meta    map[string][]byte
}

func newMembers() members {
	return members{
		nodes:   map[task.NodeID]Member{},
		revoked: map[task.NodeID]Revocation{},
		invites: map[string]Invite{},
		meta:    map[string][]byte{},
	}
}

func (s *State) putThing(kind byte, id string, v any) {
	s.putNamed(string([]byte{kind})+id, pack(nil, v))
}

func (s *State) dropThing(kind byte, id string) { s.putNamed(string([]byte{kind})+id, nil) }

func (s *State) applyMember(kind commandKind, r *reader) any {
	switch kind {
	case cmdPutMember:
		var m Member
		return decoded(r, &m, func() any { return s.putMember(m) })
	case cmdRemoveMember:
		id, by := task.NodeID(r.string()), r.string()
		return read(r, func() any { return s.removeMember(id, by) })
	case cmdDrain:
		id, on := task.NodeID(r.string()), r.bool()
		return read(r, func() any { return s.drain(id, on) })
	case cmdPutInvite:
		var i Invite
		return decoded(r, &i, func() any {
			s.members.invites[i.ID] = i
			s.putThing(kindInvite, i.ID, i)
			return i
		})
	case cmdUseInvite:
		id, node := r.string(), task.NodeID(r.string())
		return read(r, func() any { return s.useInvite(id, node) })
	case cmdDropInvite:
		id := r.string()
		return read(r, func() any {
			delete(s.members.invites, id)
			s.dropThing(kindInvite, id)
			return struct{}{}
		})
	case cmdPutMeta:
		name, value, drop, once := r.string(), r.bytes(), r.bool(), r.bool()
		return read(r, func() any { return s.putMeta(name, value, drop, once) })
	}
	return badCommand(fmt.Errorf("kind %d is not known", kind))
}

// read does a change if all of its command could be read.
func read(r *reader, do func() any) any {
	if err := r.end(); err != nil {
		return badCommand(err)
	}
	return do()
}

func decoded(r *reader, v any, do func() any) any {
	b := r.bytes()
	if err := r.end(); err != nil {
		return badCommand(err)
	}
	if err := unpack(b, v); err != nil {
		return badCommand(err)
	}
	return do()
}

func (s *State) putMember(m Member) any {
	if r, ok := s.members.revoked[m.ID]; ok {
		return task.Errorf(task.KindNotAllowed, "node %s was removed from the cluster by %q and may not come back with the same key", m.ID.Short(), r.By).
			WithHint("give it a new identity: run 'octaskly purge' there, then let it join again")
	}
	if old, ok := s.members.nodes[m.ID]; ok {
		m.Joined, m.Drained = old.Joined, old.Drained
	} else if m.Joined == 0 {
		m.Joined = s.now
	}
	m.Name = s.freeName(m.Name, m.ID)
	s.members.nodes[m.ID] = m
	s.putThing(kindMember, string(m.ID), m)
	return m
}

// freeName is the name, or the name with the lowest free suffix. Names differ
// if they differ in more than case.
func (s *State) freeName(name string, id task.NodeID) string {
	used := func(n string) bool {
		for other, m := range s.members.nodes {
			if other != id && strings.EqualFold(m.Name, n) {
				return true
			}
		}
		return false
	}
	n := name
	for i := 2; used(n); i++ {
		n = fmt.Sprintf("%s-%d", name, i)
	}
	return n
}

func noMember(id task.NodeID) error {
	return task.Errorf(task.KindNotFound, "node %s is not a member of this cluster", id.Short()).
		WithHint("octaskly nodes lists the members")
}

func (s *State) removeMember(id task.NodeID, by string) any {
	m, ok := s.members.nodes[id]
	if !ok {
		return noMember(id)
	}
	delete(s.members.nodes, id)
	s.dropThing(kindMember, string(id))
	rev := Revocation{ID: id, At: s.now, By: by}
	s.members.revoked[id] = rev
	s.putThing(kindRevoked, string(id), rev)
	return m
}

func (s *State) drain(id task.NodeID, on bool) any {
	m, ok := s.members.nodes[id]
	if !ok {
		return noMember(id)
	}
	if on == (m.Drained != 0) {
		return m
	}
	m.Drained = 0
	if on {
		m.Drained = s.now
	}
	s.members.nodes[id] = m
	s.putThing(kindMember, string(id), m)
	return m
}

func (s *State) useInvite(id string, node task.NodeID) any {
	i, ok := s.members.invites[id]
	switch {
	case !ok:
		return task.Errorf(task.KindNotFound, "there is no such invite").WithHint("make a new one with 'octaskly invite'")
	case slices.Contains(i.UsedBy, node):
		return i
	case i.Expires < s.now:
		return task.Errorf(task.KindTimeout, "the invite has expired").WithHint("make a new one with 'octaskly invite'")
	case i.Uses <= 0:
		return task.Errorf(task.KindConflict, "the invite is used up").WithHint("make a new one with 'octaskly invite'")
	}
	i.Uses--
	i.UsedBy = append(slices.Clone(i.UsedBy), node)
	s.members.invites[id] = i
	s.putThing(kindInvite, id, i)
	return i
}

func (s *State) putMeta(name string, value []byte, drop, once bool) any {
	old, exists := s.members.meta[name]
	switch {
	case exists && once:
		return slices.Clone(old)
	case drop:
		delete(s.members.meta, name)
		s.putNamed(string([]byte{kindMeta})+name, nil)
		return []byte(nil)
	}
	v := slices.Clone(value)
	s.members.meta[name] = v
	s.putNamed(string([]byte{kindMeta})+name, append([]byte{}, v...))
	return slices.Clone(v)
}

// load reads one stored fact about the cluster; ok is false if the key is
// of another kind.
func (m *members) load(key string, val []byte) (ok bool, err error) {
	r := reader{b: val}
	switch key[0] {
	case kindMember:
		var v Member
		err = unpack(r.bytes(), &v)
		m.nodes[v.ID] = v
	case kindRevoked:
		var v Revocation
		err = unpack(r.bytes(), &v)
		m.revoked[v.ID] = v
	case kindInvite:
		var v Invite
		err = unpack(r.bytes(), &v)
		m.invites[v.ID] = v
	case kindMeta:
		m.meta[key[1:]] = append([]byte{}, val...)
	default:
		return false, nil
	}
	return true, err
}

// Members lists the members by name.
func (s *State) Members() []Member {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := values(s.members.nodes)
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(a.Name+"\x00"+string(a.ID), b.Name+"\x00"+string(b.ID)) })
	return list
}

// Member is one member by id, or by name, case ignored.
func (s *State) Member(nameOrID string) (Member, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if m, ok := s.members.nodes[task.NodeID(nameOrID)]; ok {
		return m, true
	}
	for _, m := range s.members.nodes {
		if strings.EqualFold(m.Name, nameOrID) {
			return m, true
		}
	}
	return Member{}, false
}

// Revoked reports whether a key is no longer welcome.
func (s *State) Revoked(id task.NodeID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.members.revoked[id]
	return ok
}

// Revocations lists the revoked keys, oldest first.
func (s *State) Revocations() []Revocation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := values(s.members.revoked)
	slices.SortFunc(list, func(a, b Revocation) int {
		if a.At != b.At {
			return int(min(max(a.At-b.At, -1), 1))
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	return list
}

// Invites lists all stored invites by id, also used up and expired ones.
func (s *State) Invites() []Invite {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := values(s.members.invites)
	slices.SortFunc(list, func(a, b Invite) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Meta is a value stored by PutMeta, or nil.
func (s *State) Meta(name string) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.members.meta[name])
}

func values[K comparable, V any](m map[K]V) []V {
	list := make([]V, 0, len(m))
	for _, v := range m {
		list = append(list, v)
	}
	return list
}
