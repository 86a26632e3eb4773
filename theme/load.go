package theme

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// file is a theme file: a name, the background it is made for, and tokens.
type file struct {
	Name       string `toml:"name"`
	Background string `toml:"background"`
	Tokens     struct {
		Text   Color `toml:"text"`
		Muted  Color `toml:"muted"`
		Faint  Color `toml:"faint"`
		Accent Color `toml:"accent"`
		Focus  Color `toml:"focus"`
		Run    Color `toml:"run"`
		OK     Color `toml:"ok"`
		Warn   Color `toml:"warn"`
		Err    Color `toml:"err"`
		Lost   Color `toml:"lost"`
		Cursor Color `toml:"cursor"`
		Track  Color `toml:"track"`
		Load1  Color `toml:"load1"`
		Load2  Color `toml:"load2"`
		Load3  Color `toml:"load3"`
		Load4  Color `toml:"load4"`
		Load5  Color `toml:"load5"`
	} `toml:"tokens"`
}

// Parse reads a theme file. Its errors name the file, the line and the cure.
// Tokens that are left out have the terminal's own colour.
func Parse(name string, b []byte) (Theme, error) {
	var f file
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Theme{}, explain(name, err)
	}
	if f.Name == "" {
		return Theme{}, fmt.Errorf("%s: the theme has no name; add name = \"…\"", name)
	}
	if f.Background != "dark" && f.Background != "light" && f.Background != "any" {
		return Theme{}, fmt.Errorf("%s: background is %q; write \"dark\", \"light\" or \"any\"", name, f.Background)
	}
	k := &f.Tokens
	return Theme{Name: f.Name, Light: f.Background == "light", Colors: [tokenCount]Color{
		k.Text, k.Muted, k.Faint, k.Accent, k.Focus, k.Run, k.OK, k.Warn, k.Err, k.Lost, k.Cursor, k.Track,
		k.Load1, k.Load2, k.Load3, k.Load4, k.Load5,
	}}, nil
}

func explain(name string, err error) error {
	var missing *toml.StrictMissingError
	if errors.As(err, &missing) && len(missing.Errors) > 0 {
		e := missing.Errors[0]
		row, _ := e.Position()
		key := e.Key()
		return fmt.Errorf("%s:%d: there is no token or setting %q; the tokens, under [tokens], are %v", name, row, key[len(key)-1], Tokens())
	}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		row, col := at.Position()
		return fmt.Errorf("%s:%d:%d: %w", name, row, col, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}
