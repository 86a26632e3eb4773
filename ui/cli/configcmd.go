package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/adauldev/octaskly/node/config"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "where settings come from", Long: `Look at the settings of a node. A flag wins over the environment, that over the
file, that over the default.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(cmd, args[0])
			}
			return usageOf(cmd, "%s needs a verb: path, print or check", cmd.CommandPath())
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	printCmd := &cobra.Command{
		Use: "print", Short: "every setting, its value, and where that came from", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error { return a.configPrint() },
	}
	a.nodeFlags(printCmd)
	check := &cobra.Command{
		Use: "check", Short: "find what is wrong in the settings", Args: exactly(0, ""),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.configuration()
			if err != nil {
				return err
			}
			if _, err := screenKeys(cfg); err != nil {
				return err
			}
			for _, w := range cfg.Warnings {
				a.out.warn("warning: %s", cleanLine(w))
			}
			a.out.say("nothing is wrong")
			return nil
		},
	}
	a.nodeFlags(check)
	cmd.AddCommand(
		&cobra.Command{
			Use: "path", Short: "where the file and the data are", Args: exactly(0, ""),
			RunE: func(*cobra.Command, []string) error { return a.configPath() },
		},
		printCmd, check,
	)
	return cmd
}

type pathsObject struct {
	File    string  `json:"file"`
	Data    string  `json:"data"`
	State   string  `json:"state"`
	Runtime *string `json:"runtime"`
}

func (a *app) configPath() error {
	cfg, err := a.configuration()
	if err != nil {
		return err
	}
	p := a.Paths
	if a.out.json {
		return a.out.object(pathsObject{cfg.File, p.Data, p.State, orNull(p.Runtime)})
	}
	if a.out.quiet {
		return a.out.line("%s", cfg.File)
	}
	return a.out.fields([]pair{{"file", cfg.File}, {"data", p.Data}, {"state", p.State}, {"sockets", p.Runtime}})
}

type settingObject struct {
	Key    string   `json:"key"`
	Value  []string `json:"value"`
	Source string   `json:"source"`
	Where  *string  `json:"where"`
	Env    string   `json:"env"`
}

func (a *app) configPrint() error {
	cfg, err := a.configuration()
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
		if a.out.json {
			o := settingObject{s.Key, notNil(values), from.Kind, orNull(from.Where), s.Env()}
			if err := a.out.object(o); err != nil {
				return err
			}
			continue
		}
		t.row(s.Key, dash(strings.Join(values, ", ")), from.String())
	}
	if a.out.json {
		return nil
	}
	return a.out.table(t, 0)
}
