package queue

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/adauldev/octaskly/queue/task"
)

// BadgerOptions are the settings that both stores of a dispatcher use, the
// state's and the raft log's. Writes are synced before they are acknowledged.
// No value ever reaches ValueThreshold, so the value log, whose failed syncs
// are only logged by Badger, stays empty. Badger verifies no table: OpenBadger
// has done so before.
func BadgerOptions(dir string, table int64, logger *slog.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithLogger(badgerLog{logger}).
		WithMetricsEnabled(false).
		WithSyncWrites(!bugs.NoSync).
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

// defaultTable is the size of a memory table: what a crash makes replay at
// most, and about what each store takes of memory.
const defaultTable = 16 << 20

// OpenBadger opens one of the two stores, which name says ("state" or "raft").
// Whatever Badger does with a damaged store, also a panic, becomes an error of
// task.KindCorrupt that names the store.
func OpenBadger(name, dir string, table int64, logger *slog.Logger) (db *badger.DB, err error) {
	if table == 0 {
		table = defaultTable
	}
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, Corrupt(name, dir, "opening it failed badly: %v", p)
		}
	}()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the %s store: %w", name, err)
	}
	o := BadgerOptions(dir, table, logger)
	if err := verifyTables(dir, o); err != nil {
		if os.IsPermission(err) {
			return nil, fmt.Errorf("open the %s store in %s: %w", name, dir, err)
		}
		return nil, Corrupt(name, dir, "%v", err)
	}
	if err := removeEmptyMemtables(dir); err != nil {
		return nil, fmt.Errorf("open the %s store in %s: %w", name, dir, err)
	}
	db, err = badger.Open(o)
	switch {
	case err == nil:
		spareValueLog(db)
		return db, nil
	case strings.Contains(err.Error(), "Cannot acquire directory lock"):
		return nil, task.Errorf(task.KindConflict, "the %s store in %s is in use by another process", name, dir).
			WithHint("stop the other node, or start this one with another --node-dir")
	case os.IsPermission(err):
		return nil, fmt.Errorf("open the %s store in %s: %w", name, dir, err)
	}
	return nil, Corrupt(name, dir, "%v", err)
}

// removeEmptyMemtables removes the logs of memory tables that have no byte. Badger
// creates such a file and gives it its length in two steps; a process that was
// killed between them leaves one that Badger then refuses to open for good.
// Nothing was ever written to it: writes come after its length.
func removeEmptyMemtables(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if info.Size() > 0 {
			continue
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// spareValueLog keeps Badger from syncing the empty value log before each sync
// of the log that has the values: every commit would wait for the disk twice.
// Badger has one setting for both. It reports whether it found the switch.
func spareValueLog(db *badger.DB) bool {
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
