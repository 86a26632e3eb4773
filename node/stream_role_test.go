package node

import (
	"testing"

	"github.com/adauldev/octaskly/queue/task"
	"github.com/adauldev/octaskly/quicnet/wire"
)

func TestStreamsNeedRoles(t *testing.T) {
	for _, k := range []wire.StreamKind{wire.StreamWork, wire.StreamOutput, wire.StreamBlob} {
		if roleFor(k) != task.RoleWorker {
			t.Errorf("%s needs role %q", k, roleFor(k))
		}
	}
}
