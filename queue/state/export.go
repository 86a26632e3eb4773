package state

import (
	"bufio"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/adauldev/octaskly/queue/task"
)

// An exported state is its records, each as key and value with their lengths,
// then an empty key and the CRC-32C of everything before it.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const maxImport = 2 << 20 // bytes of one key or value

// Export writes the whole state, as it is at one position that is not before
// the current one.
func (s *State) Export(ctx context.Context, w io.Writer) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	bw := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<16)
	var position []byte
	err := s.store.Each(func(key, value []byte) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if key[0] == kindPosition {
			position = append([]byte{}, value...)
			return nil
		}
		return writePair(bw, key, value)
	})
	if err != nil {
		return err
	}
	if err := writePair(bw, []byte{kindPosition}, position); err != nil {
		return err
	}
	if err := bw.WriteByte(0); err != nil {
		return err
	}
	if err := bw.Flush(); err != nil {
		return err
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

func writePair(w *bufio.Writer, k, v []byte) error {
	var b [2 * binary.MaxVarintLen64]byte
	if _, err := w.Write(putUint(b[:0], uint64(len(k)))); err != nil {
		return err
	}
	if _, err := w.Write(k); err != nil {
		return err
	}
	if _, err := w.Write(putUint(b[:0], uint64(len(v)))); err != nil {
		return err
	}
	_, err := w.Write(v)
	return err
}

// Import replaces the whole state by an exported one. If it fails half way the
// store is refused at the next open.
func (s *State) Import(r io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.flushing != nil && s.failed == nil {
		s.room.Wait()
	}
	if s.failed != nil {
		return s.failed
	}
	err := s.importAll(bufio.NewReaderSize(r, 1<<16))
	if err == nil {
		s.clearMemory()
		err = s.load()
	}
	if err != nil {
		s.failed = err
		close(s.broken)
	}
	s.work.Signal()
	s.room.Broadcast()
	return err
}

func (s *State) importAll(r *bufio.Reader) error {
	var position []byte
	if err := s.store.Replace(func(w Writer) (err error) { position, err = copyRecords(r, w); return err }); err != nil {
		return err
	}
	return s.store.Commit(func(w Writer) error { return w.Set([]byte{kindPosition}, position) })
}

// copyRecords writes what is received, and returns the position, which is written
// last.
func copyRecords(r *bufio.Reader, w Writer) (position []byte, err error) {
	sum := crc32.New(castagnoli)
	for {
		k, err := readPart(r, sum)
		if err != nil {
			return nil, err
		}
		if len(k) == 0 {
			break
		}
		v, err := readPart(r, sum)
		if err != nil {
			return nil, err
		}
		if k[0] == kindPosition {
			position = v
			continue
		}
		if err := w.Set(k, v); err != nil {
			return nil, err
		}
	}
	var want [4]byte
	if _, err := io.ReadFull(r, want[:]); err != nil || binary.BigEndian.Uint32(want[:]) != sum.Sum32() || position == nil {
		return nil, task.Errorf(task.KindCorrupt, "the received state is damaged")
	}
	return position, nil
}

func readPart(r *bufio.Reader, sum io.Writer) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if n > maxImport {
		return nil, task.Errorf(task.KindCorrupt, "the received state is damaged")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	_, _ = sum.Write(putUint(nil, n))
	_, _ = sum.Write(b)
	return b, nil
}
