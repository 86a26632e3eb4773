package badgerdb

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/adauldev/octaskly/queue/internal/bugs"
	"github.com/adauldev/octaskly/queue/task"
)

// optionsFor are the settings that both stores of a dispatcher use, the
// state's and the raft log's. Writes are synced before they are acknowledged.
// No value ever reaches ValueThreshold, so the value log, whose failed syncs
// are only logged by Badger, stays empty. Badger verifies no table: Open has
// done so before.
func optionsFor(dir string, table int64, logger *slog.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithLogger(badgerLog{logger}).
		WithMetricsEnabled(false).
		WithSyncWrites(!bugs.Planted.NoSync).
		WithDetectConflicts(false).
		WithNumVersionsToKeep(1).
		WithMemTableSize(table).
		WithNumMemtables(1).
		WithValueThreshold(min(1<<20, table/10)).
		WithValueLogFileSize(4 << 20).
		WithNumLevelZeroTables(2).
		WithNumLevelZeroTablesStall(8).
		WithNumCompactors(2).
		WithNumGoroutines(2).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithBaseTableSize(min(1<<20, table)).
		WithBaseLevelSize(min(8<<20, 4*table)).
		WithChecksumVerificationMode(options.NoVerification).
		WithCompactL0OnClose(false)
}

// DefaultTable is the size of a memory table: what a crash makes replay at
// most, and about what each store takes of memory.
const DefaultTable = 16 << 20

// Open opens one of the two stores, which name says ("state" or "raft").
// Whatever Badger does with a damaged store, also a panic, becomes an error of
// task.KindCorrupt that names the store.
func Open(name, dir string, table int64, logger *slog.Logger) (db *badger.DB, err error) {
	if table == 0 {
		table = DefaultTable
	}
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, Corrupt(name, dir, "opening it failed badly: %v", p)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the %s store: %w", name, err)
	}
	o := optionsFor(dir, table, logger)
	if err := verifyTables(dir, o); err != nil {
		if os.IsPermission(err) {
			return nil, fmt.Errorf("open the %s store in %s: %w", name, dir, err)
		}
		return nil, Corrupt(name, dir, "%v", err)
	}
	empty := emptyMemtables(dir)
	db, err = badger.Open(o)
	locked := err != nil && strings.Contains(err.Error(), "Cannot acquire directory lock")
	if err != nil && !locked && len(empty) > 0 {
		for _, file := range empty {
			_ = os.Remove(file) // if it stays, the next line says why
		}
		db, err = badger.Open(o)
	}
	switch {
	case err == nil:
		skipValueLogSync(db)
		return db, nil
	case locked:
		return nil, task.Errorf(task.KindConflict, "the %s store in %s is in use by another process", name, dir).
			WithHint("stop the other node, or start this one with another --node-dir")
	case os.IsPermission(err):
		return nil, fmt.Errorf("open the %s store in %s: %w", name, dir, err)
	}
	return nil, Corrupt(name, dir, "%v", err)
}

// emptyMemtables lists the logs of memory tables that have no byte. Badger creates
// such a file and gives it its length in two steps; a process that was killed between
// them leaves one that Badger refuses to open for good. Nothing was ever written to
// it: writes come after its length. It may be removed by who knows that nobody else
// has the store: its owner may just be creating one.
func emptyMemtables(dir string) (empty []string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.mem"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Size() == 0 {
			empty = append(empty, file)
		}
	}
	return empty
}

// skipValueLogSync keeps Badger from syncing the empty value log before each sync
// of the log that has the values: every commit would wait for the disk twice.
// Badger has one setting for both. It reports whether it found the switch.
func skipValueLogSync(db *badger.DB) bool {
	f := reflect.ValueOf(db).Elem().FieldByName("vlog")
	for _, name := range []string{"opt", "SyncWrites"} {
		if f.Kind() != reflect.Struct {
			return false
		}
		f = f.FieldByName(name)
	}
	if f.Kind() != reflect.Bool {
		return false
	}
	*(*bool)(f.Addr().UnsafePointer()) = false
	return true
}

// Corrupt is the refusal to work with a damaged store.
func Corrupt(name, dir, format string, a ...any) error {
	return task.Errorf(task.KindCorrupt, "the %s store in %s is damaged: %s", name, dir, fmt.Sprintf(format, a...)).
		WithHint("nothing was changed on purpose; put back a copy of the whole node directory, or move the directory away to start with an empty queue")
}

// badgerLog carries Badger's talk into slog, its chatter as debug.
type badgerLog struct{ l *slog.Logger }

var _ badger.Logger = badgerLog{}

func (b badgerLog) Errorf(f string, a ...any)   { b.l.Error(line(f, a)) }
func (b badgerLog) Warningf(f string, a ...any) { b.l.Warn(line(f, a)) }
func (b badgerLog) Infof(f string, a ...any)    { b.l.Debug(line(f, a)) }
func (b badgerLog) Debugf(string, ...any)       {}

func line(f string, a []any) string { return "store: " + strings.TrimSpace(fmt.Sprintf(f, a...)) }
