package text

import "testing"

// TestParseMiB: one reader for all faces. A letter alone and "GiB" count in 1024s,
// "GB" in 1000s, and what is not whole is rounded up.
func TestParseMiB(t *testing.T) {
	for in, want := range map[string]int64{
		"512": 512, "512MiB": 512, " 1g ": 1024, "1GiB": 1024, "2GB": 1908, "1.5g": 1536, "1": 1, "1b": 1, "0": 0, "1k": 1, "1tb": 953675, "500 MB": 477, "2T": 2 << 20,
	} {
		if got, err := ParseMiB(in); err != nil || got != want {
			t.Errorf("%q is %d MiB, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "-1", "1x", "1e400", "NaN", "1 2", "2000000t", "g"} {
		if got, err := ParseMiB(in); err == nil {
			t.Errorf("%q is %d MiB", in, got)
		}
	}
	for _, n := range []int64{1, 512, 1023, 1024, 1536, 3 << 20} {
		if got, err := ParseMiB(FormatMiB(n)); err != nil || got != n {
			t.Errorf("%d MiB is written %q and read as %d, %v", n, FormatMiB(n), got, err)
		}
	}
}
