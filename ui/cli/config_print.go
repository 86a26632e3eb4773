package cli

import (
	"strings"

	"github.com/adauldev/octaskly/node/config"
)

type settingObject struct {
	Key    string   `json:"key"`
	Value  []string `json:"value"`
	Source string   `json:"source"`
	Where  *string  `json:"where"`
	Env    string   `json:"env"`
}

func printSettings(env *environment) error {
	cfg, err := env.configuration()
	if err != nil {
		return err
	}
	t := &table{head: []string{"SETTING", "VALUE", "FROM"}}
	for _, s := range config.Settings() {
		values := s.Text(&cfg.Config)
		if s.Secret && strings.Join(values, "") != "" {
			values = []string{"(not shown)"}
		}
		from := cfg.From(s.Key)
		if env.out.json {
			o := settingObject{s.Key, notNil(values), from.Kind, orNull(from.Where), s.Env()}
			if err := env.out.object(o); err != nil {
				return err
			}
			continue
		}
		t.row(s.Key, dash(strings.Join(values, ", ")), from.String())
	}
	if env.out.json {
		return nil
	}
	return env.out.table(t, 0)
}
