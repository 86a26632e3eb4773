package text

import "strings"

// spellings are what people write for a field that is called otherwise.
var spellings = map[string]string{
	"cmd": "command", "argv": "command", "args": "command", "shell": "command", "script": "command",
	"tag": "tags", "retries": "retry_count", "retry": "retry_count", "cpu": "cpus", "memory": "memory_limit_mb", "mem": "memory_limit_mb",
	"memory_mb": "memory_limit_mb", "disk": "disk_limit_mb", "disk_mb": "disk_limit_mb", "gpu": "gpus", "label": "labels",
	"node": "on", "host": "on", "cwd": "dir", "workdir": "dir", "directory": "dir", "environment": "env",
	"sandbox": "sandbox_level", "key": "idempotency_key", "input": "stdin",
}

// nearestField is the field that was probably meant, or empty.
func nearestField(name string) string {
	w := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	if f, ok := spellings[w]; ok {
		return f
	}
	return Nearest(w, Fields())
}

// Nearest is the word of a list that was probably meant by another, or empty. Case
// does not count.
func Nearest(word string, list []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+max(1, len(word)/3)
	for _, w := range list {
		if w == word {
			return w
		}
		if d := editDistance(word, strings.ToLower(w), least); d < least {
			best, least = w, d
		}
	}
	return best
}

// editDistance is how many letters must be put in, taken out or changed to
// make b of a; anything from most on may be returned as most.
func editDistance(a, b string, most int) int {
	if len(a) > len(b)+most || len(b) > len(a)+most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			up := row[j+1]
			cost := left
			if a[i] != b[j] {
				cost++
			}
			row[j+1] = min(cost, up+1, row[j]+1)
			left = up
		}
	}
	return row[len(b)]
}
