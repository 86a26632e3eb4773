package text

import (
	"encoding/json"
	"testing"
	"unicode"
)

// TestJSONHasNothingHidden: what a task or a member wrote cannot act on the terminal
// on which somebody looks at JSON, and programs still read what it was.
func TestJSONHasNothingHidden(t *testing.T) {
	for name, c := range attacks {
		b, err := JSON(map[string]string{"text": c.in})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(b[:len(b)-1]) {
			if r < ' ' || r == 0x7f || hidden(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%s: %s holds %U", name, b, r)
			}
		}
		var got, want map[string]string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%s: %s: %v", name, b, err)
		}
		plain, _ := json.Marshal(map[string]string{"text": c.in})
		_ = json.Unmarshal(plain, &want)
		if got["text"] != want["text"] {
			t.Errorf("%s: %q is read back, want %q", name, got["text"], want["text"])
		}
	}
	if b, _ := JSON("<a> & \u202e\U000e0041"); string(b) != `"<a> & \u202e\udb40\udc41"`+"\n" {
		t.Errorf("%s", b)
	}
}
