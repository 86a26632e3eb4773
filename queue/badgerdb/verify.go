package badgerdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	sst "github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// verifyTables looks at the list of tables of a Badger store, and at every
// table on it, before Badger does. Badger itself would delete tables that a
// shortened list does not name, leave out tables with a wrong checksum, and
// end the whole process over a table that is cut short.
func verifyTables(dir string, o badger.Options) error {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		if list, _ := filepath.Glob(filepath.Join(dir, "*.sst")); len(list) > 0 {
			return fmt.Errorf("%s is missing, but there are %d tables", badger.ManifestFilename, len(list))
		}
		return nil
	}
	if err != nil {
		return err
	}
	m, _, err := badger.ReplayManifestFile(f, 0, o)
	_ = f.Close()
	if err != nil {
		return fmt.Errorf("%s: %w", badger.ManifestFilename, err)
	}
	for id := range m.Tables {
		name := sst.NewFilename(id, dir)
		if err := verifyTable(name); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return nil
}

var errTable = errors.New("it is cut short or damaged")

// tail is a part of a file with something that is read from its end.
type tail struct {
	b   []byte
	err error
}

// sized takes a part off the end whose length stands behind it.
func (t *tail) sized() []byte {
	if len(t.b) < 4 {
		t.b, t.err = nil, errTable
		return nil
	}
	end := len(t.b) - 4
	n := uint64(binary.BigEndian.Uint32(t.b[end:]))
	if n > uint64(end) {
		t.b, t.err = nil, errTable
		return nil
	}
	part := t.b[end-int(n) : end]
	t.b = t.b[:end-int(n)]
	return part
}

// verifyTable checks a table file: blocks, each followed by its checksum, then
// their index, followed by its own.
func verifyTable(name string) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	t := tail{b: b}
	sum := t.sized()
	index := t.sized()
	if t.err != nil {
		return t.err
	}
	if err := verifySum(index, sum); err != nil {
		return err
	}
	root := fb.GetRootAsTableIndex(index, 0) // sound: its checksum is right
	var at fb.BlockOffset
	for i := range root.OffsetsLength() {
		if !root.Offsets(&at, i) {
			return errTable
		}
		from, n := uint64(at.Offset()), uint64(at.Len())
		if from+n > uint64(len(t.b)) {
			return errTable
		}
		block := tail{b: t.b[from : from+n]}
		sum := block.sized()
		if block.err != nil {
			return block.err
		}
		if err := verifySum(block.b, sum); err != nil {
			return err
		}
	}
	return nil
}

func verifySum(data, sum []byte) error {
	var c pb.Checksum
	if err := proto.Unmarshal(sum, &c); err != nil {
		return errTable
	}
	if err := y.VerifyChecksum(data, &c); err != nil {
		return errTable
	}
	return nil
}
