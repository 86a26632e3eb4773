package badgerdb

import (
	"log/slog"
	"testing"
)

func TestPauseCompaction(t *testing.T) {
	db, err := Open("state", t.TempDir(), 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	c := NewCompactions(db)
	for range 3 {
		c.Pause()
		c.Pause()
		if c.Crowded() {
			t.Fatal("an empty store is crowded")
		}
		c.Resume()
	}
	c.Pause()
	c.Close()
	c.Pause()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
