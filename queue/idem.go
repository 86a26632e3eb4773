package queue

import (
	"hash/maphash"
	"math/bits"
)

// keyIndex finds tasks by principal and idempotency key. It holds 16 bytes a
// task and only hashes: a hit must be compared with the stored key. The seed
// is of this process and not part of the state.
type keyIndex struct {
	seed  maphash.Seed
	slots []keySlot // length is a power of two
	used  int       // with an id
	dead  int       // deleted
}

type keySlot struct{ hash, id uint64 }

const deadID = ^uint64(0)

func newKeyIndex() keyIndex { return keyIndex{seed: maphash.MakeSeed()} }

func (x *keyIndex) hash(by, key []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_, _ = h.Write(by)
	_ = h.WriteByte(0)
	_, _ = h.Write(key)
	return h.Sum64()
}

// each calls f with the tasks that may have this hash until f is satisfied.
func (x *keyIndex) each(hash uint64, f func(id uint64) bool) {
	if len(x.slots) == 0 {
		return
	}
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; x.slots[i].id != 0; i = (i + 1) & mask {
		if s := x.slots[i]; s.hash == hash && s.id != deadID && f(s.id) {
			return
		}
	}
}

func (x *keyIndex) add(hash, id uint64) {
	if (x.used+x.dead+1)*5 > len(x.slots)*4 {
		x.resize()
	}
	x.put(hash, id)
	x.used++
}

func (x *keyIndex) put(hash, id uint64) {
	mask := uint64(len(x.slots) - 1)
	i := hash & mask
	for x.slots[i].id != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = keySlot{hash, id}
}

func (x *keyIndex) drop(hash, id uint64) {
	if len(x.slots) == 0 {
		return
	}
	mask := uint64(len(x.slots) - 1)
	for i := hash & mask; x.slots[i].id != 0; i = (i + 1) & mask {
		if x.slots[i].id == id {
			x.slots[i].id = deadID
			x.used--
			x.dead++
			return
		}
	}
}

func (x *keyIndex) resize() {
	want := max(64, (x.used+1)*2)
	old := x.slots
	x.slots = make([]keySlot, 1<<bits.Len(uint(want-1)))
	x.dead = 0
	for _, s := range old {
		if s.id != 0 && s.id != deadID {
			x.put(s.hash, s.id)
		}
	}
}
