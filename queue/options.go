package queue

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/adauldev/octaskly/queue/badgerdb"
	"github.com/adauldev/octaskly/queue/state"
)

// Options says where a queue lives and how much it keeps. The zero value of a
// field is its default.
type Options struct {
	Dir       string           // holds state/ and, by raftq, raft/; made if missing, mode 0700
	MaxSize   int              // most tasks that are not finished; default 1,000,000
	KeepAge   time.Duration    // finished tasks are removed after this; default 7 days, negative never
	KeepCount int              // most finished tasks kept; default 100,000, negative all
	MinFree   int64            // bytes; with less free space submits are refused; default 5 % of the disk, 256 to 512 MiB; negative never
	Ballast   int64            // bytes set aside, to get results stored on a full disk; default an eighth of MinFree
	TableSize int64            // bytes of a memory table of each store; default 16 MiB; less than 8 MiB is for tests with small tasks
	Now       func() time.Time // default time.Now
	Logger    *slog.Logger     // default slog.Default()
}

func (o Options) withDefaults() Options {
	if o.MaxSize == 0 {
		o.MaxSize = 1_000_000
	}
	if o.KeepAge == 0 {
		o.KeepAge = 7 * 24 * time.Hour
	}
	if o.KeepCount == 0 {
		o.KeepCount = 100_000
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func (o Options) space() badgerdb.SpaceOptions {
	return badgerdb.SpaceOptions{Dir: o.Dir, MinFree: o.MinFree, Ballast: o.Ballast, TableSize: o.TableSize, Logger: o.Logger}
}

// CheckSpace is called before the stores in o.Dir are opened, because opening them
// on a full disk kills the process. It gives up the ballast if that helps.
func CheckSpace(o Options) error {
	o = o.withDefaults()
	return badgerdb.CheckSpace(o.space())
}

// OpenState opens the store in o.Dir/state and reads it: see state.Open.
func OpenState(o Options) (*state.State, error) {
	o = o.withDefaults()
	store, err := badgerdb.OpenStore(filepath.Join(o.Dir, "state"), o.TableSize, o.Logger)
	if err != nil {
		return nil, err
	}
	return state.Open(store, o.Logger)
}
