package exec

import (
	"strings"
	"testing"
	"time"
)

// TestNothingEscapesTheDiskLimit: neither what is written where we cannot look, nor
// what has no name any more, nor what is written too fast to be seen.
func TestNothingEscapesTheDiskLimit(t *testing.T) {
	const mib = 1 << 20
	fill := `i=0; while [ $i -lt 400 ]; do i=$((i+1)); head -c 100000 /dev/zero > f$i || exit 1; done; sleep 300`
	tests := map[string]string{
		"unreadable": "mkdir d; chmod 300 d; cd d; " + fill,
		"deeper than paths reach": `exec python3 -c "
import os, time
for i in range(40): # 40 times 200 bytes
    os.mkdir('d' * 200); os.chdir('d' * 200)
for i in range(60): open('f%d' % i, 'wb').write(bytes(900000))
time.sleep(300)"`,
		"deeper than anybody looks": `exec python3 -c "
import os, time
for i in range(600): os.mkdir('d'); os.chdir('d')
time.sleep(300)"`,
		"no name": `exec python3 -c "
import os, time
fs = []
for i in range(60):
    f = open('f', 'wb'); os.unlink('f'); f.write(bytes(900000)); f.flush(); fs.append(f)
time.sleep(300)"`,
		"in a burst": "for i in 1 2 3 4; do head -c 900000 /dev/zero > f$i & done; wait; exit 0",
		"one file, kept on by its writer": `python3 -c "
try: open('f','wb').write(bytes(5000000))
except OSError: raise SystemExit(3)"`,
	}
	needLevels(t, Basic)
	for name, shell := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := searchPath("python3", defaultPath); err != nil && strings.Contains(shell, "python3") {
				t.Skip(err)
			}
			res, c := do(t, Spec{Shell: shell, Limits: Limits{DiskBytes: mib}, Level: Basic, Timeout: time.Minute})
			if res.Reason != ReasonLimitDisk || res.Code == 0 {
				t.Errorf("%s %d %q\n%s", res.Reason, res.Code, res.Message, c.err.String())
			}
			t.Log(res.Message)
		})
	}
}
