package task

import "unicode"

// Guard says by what a node keeps one sandbox level or one limit.
type Guard struct {
	Name string `msgpack:"n"`           // of the level or limit
	By   string `msgpack:"b,omitempty"` // mechanisms, as in "landlock:6,seccomp"; empty is that it is not kept here
	Why  string `msgpack:"w,omitempty"` // then, in words
}

// Bounds of what a worker may say about itself.
const (
	maxGuards    = 16
	maxGuardText = 400
	maxWarnings  = 16
)

// Keeps reports whether the node keeps a limit. A node that says nothing about
// limits is taken to keep all.
func (c *Capacity) Keeps(limit string) bool {
	if len(c.Limits) == 0 {
		return true
	}
	for i := range c.Limits {
		if c.Limits[i].Name == limit {
			return c.Limits[i].By != ""
		}
	}
	return false
}

// Bound cuts what a worker says about how it keeps levels and limits to what can
// be stored and shown; nothing of it is trusted.
func (c *Capacity) Bound() {
	for _, list := range []*[]Guard{&c.Levels, &c.Limits} {
		*list = (*list)[:min(len(*list), maxGuards)]
		for i := range *list {
			g := &(*list)[i]
			g.Name, g.By, g.Why = Plain(g.Name, 32), Plain(g.By, maxGuardText), Plain(g.Why, maxGuardText)
		}
	}
	c.Kill = Plain(c.Kill, 32)
}

// BoundWarnings does the same for warnings.
func BoundWarnings(all []string) []string {
	all = all[:min(len(all), maxWarnings)]
	for i := range all {
		all[i] = Plain(all[i], maxGuardText)
	}
	return all
}

// Plain is a text as one line of at most so many bytes; what cannot be printed
// becomes a question mark.
func Plain(s string, most int) string {
	ok := len(s) <= most
	for _, r := range s {
		ok = ok && unicode.IsPrint(r) && r != unicode.ReplacementChar
	}
	if ok {
		return s
	}
	out := make([]rune, 0, min(len(s), most))
	size := 0
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			r = '?'
		}
		if size += len(string(r)); size > most {
			break
		}
		out = append(out, r)
	}
	return string(out)
}
