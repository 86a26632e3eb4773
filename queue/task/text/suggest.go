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

// Nearest is the word of a list that was probably meant by another, or empty if none
// is near. Case, - and _ do not count.
func Nearest(word string, known []string) string {
	w := normal(word)
	best, least := "", 1+max(1, len(w)/3)
	for _, k := range known {
		n := normal(k)
		if n == w {
			return k
		}
		if d := distance(w, n); d < least {
			best, least = k, d
		}
	}
	return best
}

func normal(s string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s))
}

// distance is how many single letters must be put in, taken out, changed or
// swapped with their neighbour to make b of a. Long words are cut.
func distance(a, b string) int {
	const most = 64
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
