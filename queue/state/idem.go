package state

import (
	"hash/maphash"
	"math/bits"
)

// keyIndex finds tasks by principal and idempotency key. It holds 9 bytes a
// slot and only hashes: a hit must be compared with the stored key. The seed is
// of this process and not part of the state.
type keyIndex struct {
	seed maphash.Seed
	hash []uint32 // slots; length is a power of two
	lo   []uint32 // task number, lower 32 bits
	hi   []uint8  // and the 8 bits above; 0, 0 is an empty slot
	used int      // with a task
	dead int      // deleted
}

// deadID marks a deleted slot; task numbers stay below it.
const deadID = 1<<40 - 1

func newKeyIndex() keyIndex { return keyIndex{seed: maphash.MakeSeed()} }

// hashOf is the hash of a key.
func (x *keyIndex) hashOf(by, key []byte) uint32 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_, _ = h.Write(by)
	_ = h.WriteByte(0)
	_, _ = h.Write(key)
	return uint32(h.Sum64())
}

func (x *keyIndex) id(slot uint32) uint64 { return uint64(x.hi[slot])<<32 | uint64(x.lo[slot]) }

func (x *keyIndex) set(slot, hash uint32, id uint64) {
	x.hash[slot], x.lo[slot], x.hi[slot] = hash, uint32(id), uint8(id>>32)
}

// each calls f with the tasks that may have this hash until f is satisfied.
func (x *keyIndex) each(hash uint32, f func(id uint64) bool) {
	if len(x.hash) == 0 {
		return
	}
	mask := uint32(len(x.hash) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		id := x.id(i)
		if id == 0 || x.hash[i] == hash && id != deadID && f(id) {
			return
		}
	}
}

func (x *keyIndex) add(hash uint32, id uint64) {
	if (x.used+x.dead+1)*5 > len(x.hash)*4 {
		x.resize()
	}
	x.put(hash, id)
	x.used++
}

func (x *keyIndex) put(hash uint32, id uint64) {
	mask := uint32(len(x.hash) - 1)
	i := hash & mask
	for x.id(i) != 0 {
		i = (i + 1) & mask
	}
	x.set(i, hash, id)
}

func (x *keyIndex) drop(hash uint32, id uint64) {
	if len(x.hash) == 0 {
		return
	}
	mask := uint32(len(x.hash) - 1)
	for i := hash & mask; x.id(i) != 0; i = (i + 1) & mask {
		if x.id(i) == id {
			x.set(i, 0, deadID)
			x.used--
			x.dead++
			return
		}
	}
}

func (x *keyIndex) resize() {
	old := *x
	n := 1 << bits.Len(uint(max(64, (x.used+1)*5/4+1)-1))
	if n*4 < (x.used+1)*6 { // leave room to grow, not only to fit
		n *= 2
	}
	x.hash, x.lo, x.hi = make([]uint32, n), make([]uint32, n), make([]uint8, n)
	x.dead = 0
	for i := range old.hash {
		if id := old.id(uint32(i)); id != 0 && id != deadID {
			x.put(old.hash[i], id)
		}
	}
}
