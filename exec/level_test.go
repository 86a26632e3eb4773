package exec

import (
	"encoding/json"
	"testing"
)

func TestParseLevel(t *testing.T) {
	for name, want := range map[string]Level{
		"none": None, "basic": Basic, "strict": Strict, "very-strict": VeryStrict,
		"verystrict": VeryStrict, "VeryStrict": VeryStrict, "very_strict": VeryStrict, " Basic ": Basic, "STRICT": Strict,
	} {
		if got, err := ParseLevel(name); err != nil || got != want {
			t.Errorf("%q is read as %v, %v", name, got, err)
		}
	}
	for _, bad := range []string{"", "very", "strictest", "0", "no ne"} {
		if l, err := ParseLevel(bad); err == nil {
			t.Errorf("%q is read as %v", bad, l)
		}
	}
}

func TestLevelText(t *testing.T) {
	for l := None; l.Valid(); l++ {
		b, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var back Level
		if err := json.Unmarshal(b, &back); err != nil || back != l {
			t.Errorf("%v became %s and %v, %v", l, b, back, err)
		}
	}
	if _, err := json.Marshal(Level(9)); err == nil {
		t.Error("a level that does not exist was written")
	}
	if Level(9).Valid() || Level(9).String() != "level(9)" {
		t.Error("level 9")
	}
	if Stricter(Basic, Strict) != Strict || Stricter(Strict, None) != Strict {
		t.Error("the weaker level was taken")
	}
}

func FuzzParseLevel(f *testing.F) {
	f.Add("very-strict")
	f.Fuzz(func(t *testing.T, name string) {
		l, err := ParseLevel(name)
		if err == nil && !l.Valid() {
			t.Errorf("%q is read as %v", name, l)
		}
	})
}
