package task

// Query selects tasks. Empty fields select all. Conditions are all required;
// entries of one list are alternatives.
type Query struct {
	IDs    []ID      `msgpack:"i,omitempty"`
	States []State   `msgpack:"s,omitempty"`
	Nodes  []string  `msgpack:"n,omitempty"` // names or ids of the last attempt's node
	Tags   []string  `msgpack:"t,omitempty"`
	Text   string    `msgpack:"x,omitempty"` // part of the command or name, case ignored
	Since  int64     `msgpack:"a,omitempty"` // submitted at or after, Unix ms
	By     Principal `msgpack:"b,omitempty"` // submitted by; empty is by anybody
	Oldest bool      `msgpack:"o,omitempty"` // oldest first instead of newest first
	After  ID        `msgpack:"c,omitempty"` // the last id of the page before; 0 is from the start
	Limit  int       `msgpack:"l,omitempty"` // 0 is DefaultPage; at most MaxPage
}

// How many tasks a page has.
const (
	DefaultPage = 50
	MaxPage     = 1000
)

// Page is a part of a list of tasks.
type Page struct {
	Tasks []Task `msgpack:"t"`
	More  bool   `msgpack:"m"`           // there may be further ones, even where Tasks is empty
	Total int    `msgpack:"n"`           // how many match in all; -1 if that was not counted
	Next  ID     `msgpack:"x,omitempty"` // how far was looked, when that is further than the last task
}

// Onward is Query.After for the page after this one; 0 if this is the last.
func (p *Page) Onward() ID {
	switch {
	case !p.More:
		return 0
	case p.Next == 0 && len(p.Tasks) > 0:
		return p.Tasks[len(p.Tasks)-1].ID
	}
	return p.Next
}
