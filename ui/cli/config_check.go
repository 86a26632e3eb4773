package cli

import (
	"errors"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/ui"
)

// screenKeys is the changes of the dashboard's keys. What cannot be changed is
// reported with the line of the file that asks for it.
func screenKeys(cfg *config.Loaded) (map[string][]string, error) {
	remap := make(map[string][]string, len(cfg.Screen.Keys))
	for action, k := range cfg.Screen.Keys {
		remap[action] = k.Keys
	}
	err := ui.CheckKeys(remap)
	var bad *ui.KeyError
	if !errors.As(err, &bad) {
		return remap, err
	}
	where := cfg.Screen.Keys[bad.Action].Where
	if where == "" {
		where = cfg.Screen.Keys[bad.Other].Where
	}
	return nil, task.Errorf(task.KindUsage, "%s: %w", where, bad).WithHint("the names and keys of all actions: press ? or : on the dashboard")
}
