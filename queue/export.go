package queue

import (
	"bufio"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"

	badger "github.com/dgraph-io/badger/v4"

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
	var top []byte
	err := s.db.View(func(tx *badger.Txn) error {
		it := tx.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			err := it.Item().Value(func(v []byte) error {
				if it.Item().Key()[0] == kindTop {
					top = append([]byte{}, v...)
					return nil
				}
				return writePair(bw, it.Item().Key(), v)
			})
			if err != nil {
				return err
			}
		}
		return writePair(bw, []byte{kindTop}, top)
	})
	if err != nil {
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
	if err := s.db.DropAll(); err != nil {
		return err
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
	sum := crc32.New(castagnoli)
	wb := s.db.NewWriteBatch()
	defer wb.Cancel()
	var top []byte
	for {
		k, err := readPart(r, sum)
		if err != nil {
			return err
		}
		if len(k) == 0 {
			break
		}
		v, err := readPart(r, sum)
		if err != nil {
			return err
		}
		if k[0] == kindTop {
			top = v
			continue
		}
		if err := wb.Set(k, v); err != nil {
			return err
		}
	}
	var want [4]byte
	if _, err := io.ReadFull(r, want[:]); err != nil || binary.BigEndian.Uint32(want[:]) != sum.Sum32() || top == nil {
		return task.Errorf(task.KindCorrupt, "the received state is damaged")
	}
	if err := wb.Flush(); err != nil {
		return err
	}
	return s.db.Update(func(tx *badger.Txn) error { return tx.Set([]byte{kindTop}, top) })
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
