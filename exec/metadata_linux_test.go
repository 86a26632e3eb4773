package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMetadataOfOthersIsOutOfReach: what belongs to the user of a command, but is not
// in its directory, keeps its mode, owner, times and attributes.
func TestMetadataOfOthersIsOutOfReach(t *testing.T) {
	needLevels(t, Basic)
	dir := publicDir(t, "octaskly-metadata-")
	file := filepath.Join(dir, "authority")
	old := time.Unix(1e9, 0)
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
		script := strings.ReplaceAll(`
			chmod 644 FILE; chmod 700 DIR; touch FILE; touch -h FILE; chown $(id -u) FILE
			setfattr -n user.a -v b FILE; setfacl -m o::r FILE; chattr +d FILE
			ln -s FILE link; chmod 644 link; touch -h link; ln -s DIR way; chmod 644 way/authority
			cd / && chmod 644 .FILE
			python3 - <<'P'
import os
def attempt(f, *a, **k):
    try: f(*a, **k)
    except OSError: pass
attempt(os.chmod, 'FILE', 0o644)
attempt(os.chmod, 'FILE', 0o644, follow_symlinks=False)
attempt(os.utime, 'FILE', (5, 5))
attempt(os.setxattr, 'FILE', 'user.a', b'b')
for flags in (os.O_RDONLY, os.O_PATH):
    try: fd = os.open('FILE', flags)
    except OSError: continue
    attempt(os.fchmod, fd, 0o644)
    attempt(os.chmod, '/proc/self/fd/%d' % fd, 0o644)
    attempt(os.utime, fd, (5, 5))
    attempt(os.utime, '/proc/self/fd/%d' % fd, (5, 5))
    attempt(os.setxattr, '/proc/self/fd/%d' % fd, 'user.a', b'b')
fd = os.open('DIR', os.O_PATH)
attempt(os.chmod, 'authority', 0o644, dir_fd=fd)
attempt(os.utime, 'authority', (5, 5), dir_fd=fd)
P
			true`, "FILE", file)
		res, _ := do(t, Spec{Shell: strings.ReplaceAll(script, "DIR", dir), Level: l})
		if res.Code != 0 {
			t.Errorf("%s: %+v", l, res)
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().Perm() != 0o600 || !st.ModTime().Equal(old) {
			t.Errorf("%s: a command made it %v of %v", l, st.Mode(), st.ModTime())
		}
		if above, err := os.Stat(dir); err != nil || above.Mode().Perm() != 0o777 {
			t.Errorf("%s: the folder: %v %v", l, above.Mode(), err)
		}
		if n, err := unix.Listxattr(file, nil); err == nil && n > 0 {
			t.Errorf("%s: it has attributes", l)
		}
	}
}

// TestMetadataOfItsOwnIsACommands: what archives, compilers and copies do.
func TestMetadataOfItsOwnIsACommands(t *testing.T) {
	needLevels(t, Basic)
	commands := []string{
		"echo x > a; chmod 750 a; test $(stat -c %a a) = 750",
		"umask 022; mkdir d; chmod 711 d; (cd d && echo y > b && chmod 640 b && touch -d @1000000000 b); cp -a d e; test \"$(stat -c '%a %Y' e/b)\" = '640 1000000000'",
		"mkdir d; echo x > d/a; chmod 4 d/a; chmod 604 d/a; touch -d @1000000000 d/a; ln -s a d/l; touch -h -d @1000000001 d/l; tar cf x.tar d; mkdir o; tar xpf x.tar -C o; test \"$(stat -c '%a %Y' o/d/a) $(stat -c %Y o/d/l)\" = '604 1000000000 1000000001'",
		"printf 'b: a\\n\\tcp a b; touch b\\na:\\n\\techo > a; touch -d @1000000000 a\\n' > Makefile; make -s && make -q",
		"install -m 751 /dev/null f; test $(stat -c %a f) = 751",
		"echo > f; chgrp $(id -g) f; chown -h $(id -u) f; touch f; touch -r /etc/passwd f; test $(stat -c %Y f) = $(stat -c %Y /etc/passwd)",
		"git init -q r && cd r && echo x > x.sh && chmod +x x.sh && git add x.sh && git -c user.name=a -c user.email=b commit -q -m x && git clone -q . ../c && test -x ../c/x.sh",
		`python3 -c "
import os, shutil, tempfile, zipfile
fd, name = tempfile.mkstemp(); os.fchmod(fd, 0o640); os.utime(fd, ns=(1, 2)); shutil.copy2(name, 'copy')
assert os.stat('copy').st_mode & 0o777 == 0o640 and os.stat('copy').st_mtime_ns == 2
os.link('copy', 'second'); os.chmod('second', 0o600); d = os.open('.', os.O_RDONLY); os.chmod('copy', 0o644, dir_fd=d); os.utime('copy', dir_fd=d)
try: os.chmod('nothing', 0o600); raise SystemExit('no error')
except FileNotFoundError: pass
os.unlink('copy'); os.fchmod(fd, 0o600); os.utime('/proc/self/fd/%d' % fd)
"`,
		// Threads change their own turn by their ids.
		`nice -n 1 true && renice -n 19 $$ > /dev/null && (sleep 1 & renice -n 19 $! > /dev/null && taskset -p 1 $! > /dev/null; kill $!)`,
	}
	for l := Basic; l.Valid(); l++ {
		if !haveLevel(t, l) {
			continue
		}
		for _, command := range commands {
			tool := strings.Fields(command)[0]
			if res, c := do(t, Spec{Shell: "set -e; " + command, Level: l}); res.Code != 0 && !strings.Contains(c.err.String(), "not found") {
				t.Errorf("%s: %s: %+v %s%s", l, fmt.Sprintf("%s…: %.60s", tool, command), res.Message, c.out.String(), c.err.String())
			}
		}
	}
}
