package cli

type pathsObject struct {
	File    string  `json:"file"`
	Data    string  `json:"data"`
	State   string  `json:"state"`
	Runtime *string `json:"runtime"`
}

func printConfigPath(env *environment) error {
	cfg, err := env.configuration()
	if err != nil {
		return err
	}
	p := env.Paths
	if env.out.json {
		return env.out.object(pathsObject{cfg.File, p.Data, p.State, orNull(p.Runtime)})
	}
	if env.out.quiet {
		return env.out.line("%s", cfg.File)
	}
	return env.out.fields([]pair{{"file", cfg.File}, {"data", p.Data}, {"state", p.State}, {"sockets", p.Runtime}})
}
