package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node"
	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/node/control"
	"github.com/adauldev/octaskly/queue/task"
)

func newPurgeCommand(env *environment) *cobra.Command {
	var outputs bool
	cmd := &cobra.Command{
		Use: "purge", Short: "remove everything Octaskly keeps for this user here", Args: exactly(0, ""),
		Long: `Remove everything that Octaskly keeps for this user on this machine: the
membership, the nodes' keys, the queue with all tasks, their output, and the
logs. The configuration file stays. Nothing of it can be brought back.

With --outputs, remove only what finished tasks wrote; the tasks and how they
ended stay. The nodes may go on running.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
			}
			if outputs {
				return purgeOutputs(env)
			}
			if _, err := env.configuration(); err != nil {
				return err
			}
			names, err := client.Running(env.ctx, env.Paths)
			if err != nil {
				return err
			}
			if len(names) > 0 {
				return task.Errorf(task.KindConflict, "node %s is running here", strings.Join(names, ", ")).
					WithHint("end it first, with Ctrl-C or a TERM signal")
			}
			return purgeEverything(env)
		},
	}
	cmd.Flags().BoolVar(&outputs, "outputs", false, "only the output of finished tasks")
	return cmd
}

// purgedOutputs is what purge --outputs removed.
type purgedOutputs struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

// purgeOutputs removes what finished tasks wrote. Which tasks are not finished
// the dispatcher says; where no node of this user runs, none is.
func purgeOutputs(env *environment) error {
	before := time.Now()
	held := map[task.ID]bool{}
	names, err := client.Running(env.ctx, env.Paths)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		c, err := env.connect()
		if err != nil {
			return err
		}
		defer c.close()
		q := control.Query{States: []task.State{task.Queued, task.Retry, task.Assigned, task.Running}}
		err = c.pages(env.ctx, q, 0, func(p control.Page) error {
			for i := range p.Tasks {
				held[p.Tasks[i].ID] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if ok, err := env.confirm("remove what finished tasks wrote? it cannot be brought back."); !ok || err != nil {
		return err
	}
	files, bytes, err := node.PurgeOutputs(env.Paths, held, before)
	if err != nil {
		return err
	}
	if env.out.json {
		return env.out.object(purgedOutputs{files, bytes})
	}
	return env.out.line("removed the output of finished tasks: %s, %s", plural(files, "file"), humanize.IBytes(uint64(max(0, bytes))))
}

// purgedPlace is a directory that will go, and what is in it.
type purgedPlace struct {
	Path  string `json:"path"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

func purgeEverything(env *environment) error {
	var places []purgedPlace
	for _, dir := range []string{env.Paths.Data, env.Paths.State, env.Paths.Runtime} {
		p, err := measure(dir)
		if err != nil {
			return err
		}
		if p.Path != "" {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		env.out.say("there is nothing to remove")
		return nil
	}
	for _, p := range places {
		env.out.say("%s: %s, %s", p.Path, plural(p.Files, "file"), humanize.IBytes(uint64(max(0, p.Bytes))))
	}
	if ok, err := env.confirm("remove all of it? it cannot be brought back."); !ok || err != nil {
		return err
	}
	for _, p := range places {
		if err := os.RemoveAll(p.Path); err != nil {
			return fmt.Errorf("remove %s: %w", p.Path, err)
		}
		if env.out.json {
			if err := env.out.object(p); err != nil {
				return err
			}
		} else if err := env.out.line("removed %s", p.Path); err != nil {
			return err
		}
	}
	return nil
}

// measure counts what is below a directory; a path that is none of ours, or
// not there, gives nothing.
func measure(dir string) (purgedPlace, error) {
	if dir == "" || filepath.Base(dir) != "octaskly" {
		return purgedPlace{}, nil
	}
	p := purgedPlace{Path: dir}
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		p.Files++
		if info, err := e.Info(); err == nil {
			p.Bytes += info.Size()
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return purgedPlace{}, nil
	}
	if err != nil {
		return purgedPlace{}, fmt.Errorf("look at what would be removed: %w", err)
	}
	return p, nil
}
