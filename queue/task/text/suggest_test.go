package text

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"port", "dispatcher-port", "max-jobs"}
	for word, want := range map[string]string{"prot": "port", "max_jobs": "max-jobs", "maxjobs": "max-jobs", "dispatcherport": "dispatcher-port", "zebra": "", "": ""} {
		if got := Nearest(word, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
}
