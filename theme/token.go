package theme

import (
	"fmt"
	"strconv"
	"strings"
)

// Token names a meaning that has a colour. Screens speak of tokens only, so
// a colour can change, or be taken away, without a screen knowing.
type Token uint8

// The tokens.
const (
	Text   Token = iota // content
	Muted               // labels, hints, stale data
	Faint               // borders, rules, empty part of a bar; never text
	Accent              // the product's name, keys one can press
	Focus               // focused border, cursor mark
	Run                 // running
	OK                  // done, up
	Warn                // retry, stale, draining
	Err                 // failed, timeout
	Lost                // lost, not trusted
	Cursor              // background of the row under the cursor
	Track               // empty part of a bar; never text
	Load1               // ramp for load, quiet
	Load2
	Load3
	Load4
	Load5 // ramp for load, full
	tokenCount
)

var tokenNames = [tokenCount]string{
	"text", "muted", "faint", "accent", "focus", "run", "ok", "warn", "err", "lost", "cursor", "track",
	"load1", "load2", "load3", "load4", "load5",
}

// String is the token's name in a theme file.
func (t Token) String() string {
	if t < tokenCount {
		return tokenNames[t]
	}
	return "unknown"
}

// Tokens lists every token.
func Tokens() []Token {
	all := make([]Token, tokenCount)
	for i := range all {
		all[i] = Token(i)
	}
	return all
}

// Color is one token's colour at each depth a terminal may have. The zero
// value is the terminal's own colour.
type Color struct {
	True string // "#RRGGBB"; empty is the terminal's default
	C256 int    // 0 to 255
	C16  int    // 0 to 15
	Set  bool   // a colour is given
	Bold bool
}

// UnmarshalText reads a colour as theme files write it: "default", or
// "#RRGGBB", then optionally the number in the 256 colours and in the 16, and
// optionally "bold". Numbers left out are the nearest.
func (c *Color) UnmarshalText(b []byte) error {
	*c = Color{}
	words := strings.Fields(string(b))
	if len(words) > 0 && words[len(words)-1] == "bold" {
		c.Bold, words = true, words[:len(words)-1]
	}
	if len(words) == 0 {
		if c.Bold {
			return nil
		}
		return fmt.Errorf("a colour is missing; write \"default\" or \"#RRGGBB\"")
	}
	if words[0] == "default" && len(words) == 1 {
		return nil
	}
	r, g, bl, err := parseHex(words[0])
	if err != nil {
		return err
	}
	c.Set, c.True = true, words[0]
	c.C256, c.C16 = nearest(r, g, bl, 16, 255), nearest(r, g, bl, 0, 15)
	if len(words) > 3 {
		return fmt.Errorf("%q has more than a colour, a number of the 256 and one of the 16", string(b))
	}
	for i, w := range words[1:] {
		most := []int{255, 15}[i]
		n, err := strconv.Atoi(w)
		if err != nil || n < 0 || n > most {
			return fmt.Errorf("%q is not a number from 0 to %d", w, most)
		}
		if i == 0 {
			c.C256 = n
		} else {
			c.C16 = n
		}
	}
	return nil
}

func parseHex(s string) (r, g, b uint8, err error) {
	n, perr := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if len(s) != 7 || s[0] != '#' || perr != nil {
		return 0, 0, 0, fmt.Errorf("%q is not a colour; write \"default\" or \"#RRGGBB\"", s)
	}
	return uint8(n >> 16), uint8(n >> 8), uint8(n), nil
}

// nearest is the number of the palette colour closest to r, g, b.
func nearest(r, g, b uint8, from, to int) int {
	best, dist := from, 1<<30
	for i := from; i <= to; i++ {
		pr, pg, pb := paletteRGB(i)
		dr, dg, db := int(r)-int(pr), int(g)-int(pg), int(b)-int(pb)
		if d := 2*dr*dr + 4*dg*dg + 3*db*db; d < dist {
			best, dist = i, d
		}
	}
	return best
}

var base16 = [16]uint32{
	0x000000, 0x800000, 0x008000, 0x808000, 0x000080, 0x800080, 0x008080, 0xc0c0c0,
	0x808080, 0xff0000, 0x00ff00, 0xffff00, 0x0000ff, 0xff00ff, 0x00ffff, 0xffffff,
}

// paletteRGB is what the standard 256-colour palette means by number i.
func paletteRGB(i int) (r, g, b uint8) {
	switch {
	case i < 16:
		return uint8(base16[i] >> 16), uint8(base16[i] >> 8), uint8(base16[i])
	case i < 232:
		step := [6]uint8{0, 95, 135, 175, 215, 255}
		i -= 16
		return step[i/36], step[i/6%6], step[i%6]
	default:
		v := uint8(8 + (i-232)*10)
		return v, v, v
	}
}
