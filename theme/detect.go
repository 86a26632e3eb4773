package theme

import "strings"

// Depth is how much colour may be used.
type Depth uint8

// The depths, least first.
const (
	Plain    Depth = iota // no escape codes at all
	Mono                  // bold and reverse, no colour
	ANSI16                // the terminal's sixteen
	ANSI256               // the standard 256
	TrueDeep              // 24 bits
)

// Terminal is what is known about the terminal and the person's wishes before
// anything is drawn. Getenv must not be nil.
type Terminal struct {
	Color  string              // --color: "always", "never", "auto" or empty
	TTY    bool                // the output is a terminal
	Getenv func(string) string // the environment
}

// DetectDepth decides how much colour to use: --color first, then NO_COLOR,
// FORCE_COLOR and CLICOLOR_FORCE, CLICOLOR, TERM=dumb, and last the terminal.
func DetectDepth(t Terminal) Depth {
	env := t.Getenv
	able := ableDepth(env)
	switch {
	case t.Color == "never":
		return monoOrPlain(t)
	case t.Color == "always":
		return max(able, ANSI16)
	case env("NO_COLOR") != "":
		return monoOrPlain(t)
	}
	for _, name := range []string{"FORCE_COLOR", "CLICOLOR_FORCE"} {
		switch v := env(name); v {
		case "", "0", "false":
		case "2":
			return max(able, ANSI256)
		case "3":
			return TrueDeep
		default:
			return max(able, ANSI16)
		}
	}
	switch {
	case env("CLICOLOR") == "0":
		return monoOrPlain(t)
	case !t.TTY || env("TERM") == "dumb":
		return Plain
	}
	return able
}

// monoOrPlain is "no colour": selection must stay visible on a terminal, so
// bold and reverse remain there.
func monoOrPlain(t Terminal) Depth {
	if !t.TTY || t.Getenv("TERM") == "dumb" {
		return Plain
	}
	return Mono
}

func ableDepth(env func(string) string) Depth {
	term, ct := env("TERM"), env("COLORTERM")
	switch {
	case ct == "truecolor" || ct == "24bit", strings.HasSuffix(term, "-direct"), env("WT_SESSION") != "":
		return TrueDeep
	case strings.Contains(term, "256color"), term == "xterm-kitty", term == "xterm-ghostty", term == "alacritty", term == "wezterm":
		return ANSI256
	case strings.HasSuffix(term, "-m"), strings.HasSuffix(term, "-mono"), term == "vt100", term == "vt220":
		return Mono
	}
	return ANSI16
}

// DetectASCII reports whether only ASCII should be drawn: asked for, or the
// locale is not UTF-8. Windows has no locale variables and can draw them all.
func DetectASCII(asked, windows bool, env func(string) string) bool {
	if asked || env("TERM") == "linux" || env("TERM") == "dumb" {
		return true
	}
	if env("RUNEWIDTH_EASTASIAN") == "1" {
		return true
	}
	if windows {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(env(name)); v != "" {
			return !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
		}
	}
	return true
}

// DetectDark decides the background without asking the terminal: COLORFGBG,
// whose last number is the background. known is false when it says nothing.
func DetectDark(env func(string) string) (dark, known bool) {
	v := env("COLORFGBG")
	i := strings.LastIndexByte(v, ';')
	if i < 0 {
		return true, false
	}
	switch v[i+1:] {
	case "0", "1", "2", "3", "4", "5", "6", "8":
		return true, true
	case "7", "9", "10", "11", "12", "13", "14", "15":
		return false, true
	}
	return true, false
}
