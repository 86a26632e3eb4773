package node_test

import (
	"fmt"
	"testing"
)

// bigOutput runs a task on host 2 whose output is far larger than a packet.
func (l *lan) bigOutput() {
	l.t.Helper()
	l.until("a large output from host 2", func() (bool, string) {
		out, err := l.run(1, "run", "--on", "host2", "--timeout", "20s", "seq 1 200000")
		return err == nil && len(out) == 1288894, fmt.Sprint(len(out), err)
	})
}

// TestNarrowLinks: a worker behind a tunnel joins and works, and a path that
// carries large packets no longer is got over.
func TestNarrowLinks(t *testing.T) {
	for name, narrow := range map[string]func(l *lan){
		"a tunnel with an MTU of 1280":     func(l *lan) { l.ip("-n", l.ns(2), "link", "set", "eth0", "mtu", "1280") },
		"a switch that drops what is over": func(l *lan) { l.ip("-n", l.name+"s", "link", "set", "v2", "mtu", "1240") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLAN(t, 2)
			narrow(l)
			l.cluster(2)
			l.bigOutput()
		})
	}
	t.Run("it becomes narrow while they talk", func(t *testing.T) {
		l := newLAN(t, 2)
		l.cluster(2)
		l.bigOutput()
		l.ip("-n", l.name+"s", "link", "set", "v2", "mtu", "1240")
		l.bigOutput()
	})
}
