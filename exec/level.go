package exec

import (
	"fmt"
	"strings"
)

// Level says how strongly a command is contained. Higher is stricter, and each
// level keeps every promise of the ones below it.
type Level uint8

const (
	// None contains nothing beyond an environment of its own, a working
	// directory, a timeout and the removal of everything the command started.
	None Level = iota
	// Basic adds limits, takes away every way to gain privileges, and lets the
	// command write only under its working directory.
	Basic
	// Strict adds: no reading of homes, no network, no other process in reach.
	Strict
	// VeryStrict adds a file tree, process table and network of its own.
	VeryStrict
)

// levelCount is the number of levels there are.
const levelCount = int(VeryStrict) + 1

var levelNames = [levelCount]string{"none", "basic", "strict", "very-strict"}

// String returns the name of the level as it is written everywhere.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// Valid reports whether l is one of the four levels.
func (l Level) Valid() bool { return int(l) < levelCount }

// ParseLevel reads the name of a level. Case does not matter, and very-strict
// may be written with a hyphen, an underscore or in one word.
func ParseLevel(name string) (Level, error) {
	key := strings.ToLower(strings.TrimSpace(name))
	key = strings.NewReplacer("-", "", "_", "").Replace(key)
	switch key {
	case "none":
		return None, nil
	case "basic":
		return Basic, nil
	case "strict":
		return Strict, nil
	case "verystrict":
		return VeryStrict, nil
	}
	return None, fmt.Errorf("sandbox level %q is not known: use none, basic, strict or very-strict", name)
}

// Stricter returns the stricter of the two levels.
func Stricter(a, b Level) Level { return max(a, b) }

// MarshalText writes the name of the level.
func (l Level) MarshalText() ([]byte, error) {
	if !l.Valid() {
		return nil, fmt.Errorf("sandbox level %d does not exist", uint8(l))
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads what ParseLevel reads.
func (l *Level) UnmarshalText(text []byte) error {
	v, err := ParseLevel(string(text))
	if err != nil {
		return err
	}
	*l = v
	return nil
}
