package raftq

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// guard is a small file that remembers how far the log had come, because
// Badger cannot tell a damaged end of its own log from one that was never
// written. It is written after each synced write of the log, so that it never
// runs ahead of it; a crash of the process loses nothing of it, a loss of
// power at most the last quarter of a second. Terms and votes are synced at
// once.
//
// It has two slots, written in turn, each: magic, sequence, last index, last
// term, current term, vote term, CRC-32C.
type guard struct {
	mu    sync.Mutex
	f     *os.File
	seq   uint64
	known mark
	dirty bool
	err   error
}

type mark struct {
	last, lastTerm, term, vote uint64
}

const (
	guardMagic = 0x6f637471 // "octq"
	guardSlot  = 2048
	guardSize  = 4 + 5*8 + 4
	guardEvery = 250 * time.Millisecond
)

// openGuard opens or makes the file. fresh is true if nothing was in it.
func openGuard(path string) (g *guard, fresh bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	g = &guard{f: f}
	fi, err := f.Stat()
	if err == nil && fi.Size() == 0 {
		syncDir(filepath.Dir(path))
		return g, true, nil
	}
	if err == nil {
		err = g.read()
	}
	if err != nil {
		_ = f.Close()
		return nil, false, err
	}
	return g, false, nil
}

// syncDir makes a new file's name durable, where the system lets it.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

var errGuard = errors.New("both halves of the guard file are damaged")

func (g *guard) read() error {
	found := false
	for i := range int64(2) {
		b := make([]byte, guardSize)
		if _, err := g.f.ReadAt(b, i*guardSlot); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if m, seq, ok := parseMark(b); ok && (!found || seq > g.seq) {
			g.known, g.seq, found = m, seq, true
		}
	}
	if !found {
		return errGuard
	}
	return nil
}

func (m mark) append(b []byte, seq uint64) []byte {
	b = binary.BigEndian.AppendUint32(b, guardMagic)
	for _, v := range []uint64{seq, m.last, m.lastTerm, m.term, m.vote} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func parseMark(b []byte) (m mark, seq uint64, ok bool) {
	if len(b) != guardSize || binary.BigEndian.Uint32(b) != guardMagic ||
		binary.BigEndian.Uint32(b[guardSize-4:]) != crc32.Checksum(b[:guardSize-4], castagnoli) {
		return mark{}, 0, false
	}
	u := func(i int) uint64 { return binary.BigEndian.Uint64(b[4+8*i:]) }
	return mark{u(1), u(2), u(3), u(4)}, u(0), true
}

// put writes the other slot; g.mu is held.
func (g *guard) put(sync bool) error {
	if g.err != nil {
		return g.err
	}
	g.seq++
	var b [guardSize]byte
	_, err := g.f.WriteAt(g.known.append(b[:0], g.seq), int64(g.seq%2)*guardSlot)
	g.dirty = true
	if err == nil && sync {
		err = g.f.Sync()
		g.dirty = false
	}
	g.err = err
	return err
}

// end notes that the log has this last entry, synced.
func (g *guard) end(index, term uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known.last, g.known.lastTerm = index, term
	return g.put(false)
}

// shorten notes that the log is about to lose everything after this entry.
func (g *guard) shorten(index, term uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known.last, g.known.lastTerm = index, term
	return g.put(true)
}

func (g *guard) term(t uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known.term = t
	return g.put(true)
}

func (g *guard) vote(t uint64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known.vote = t
	return g.put(true)
}

func (g *guard) mark() mark {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.known
}

// run syncs the file from time to time until ctx ends.
func (g *guard) run(ctx context.Context) {
	t := time.NewTicker(guardEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			g.mu.Lock()
			dirty, f := g.dirty, g.f
			g.dirty = false
			g.mu.Unlock()
			if dirty {
				_ = f.Sync() // a failure leaves the guard older than it could be, which is allowed
			}
		}
	}
}

func (g *guard) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.f.Sync()
	if e := g.f.Close(); err == nil {
		err = e
	}
	if g.err == nil {
		g.err = os.ErrClosed
	}
	return err
}
