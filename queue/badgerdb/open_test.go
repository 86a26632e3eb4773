package badgerdb

import (
	"log/slog"
	"testing"
)

func TestSkipValueLogSync(t *testing.T) {
	db, err := Open("state", t.TempDir(), 0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if !skipValueLogSync(db) {
		t.Error("Badger keeps its switch elsewhere: every commit waits for the disk twice")
	}
	if !db.Opts().SyncWrites {
		t.Error("the log that has the values is not synced either")
	}
}
