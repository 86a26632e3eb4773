package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/client"
	"github.com/adauldev/octaskly/queue/task"
)

func newPurgeCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "purge", Short: "remove everything Octaskly keeps for this user here", Args: exactly(0, ""),
		Long: `Remove everything that Octaskly keeps for this user on this machine: the
membership, the nodes' keys, the queue with all tasks, their output, and the
logs. The configuration file stays. Nothing of it can be brought back.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := env.writes(cmd); err != nil {
				return err
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
