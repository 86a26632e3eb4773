package peers

import (
	"strings"
	"testing"

	"github.com/adauldev/octaskly/node/config"
	"github.com/adauldev/octaskly/queue/task"
)

// TestBindOnce: a second --bind is not ignored.
func TestBindOnce(t *testing.T) {
	conn, err := Bind(&config.Config{Bind: []string{"127.0.0.1", "127.0.0.2"}}, false)
	if conn != nil {
		_ = conn.Close()
	}
	if task.KindOf(err) != task.KindUsage || !strings.Contains(err.Error(), "2 times") {
		t.Errorf("two --bind: %v", err)
	}
}
