package exec

import (
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseMounts(t *testing.T) {
	const table = `21 1 253:0 / / rw,relatime - ext4 /dev/root rw
22 21 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw
23 21 0:21 / /mnt/a\040b\134c ro,noatime - tmpfs tmpfs rw
nonsense

24 21 0:22 / /end\04 rw - tmpfs tmpfs rw
`
	want := []aMount{
		{path: "/"},
		{"/proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
		{`/mnt/a b\c`, unix.MS_RDONLY},
		{path: `/end\04`},
	}
	if got := parseMounts([]byte(table)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add([]byte(`1 1 0:1 / /a\040b ro - t t rw`))
	f.Fuzz(func(t *testing.T, table []byte) {
		for _, m := range parseMounts(table) {
			if m.path == "" {
				t.Errorf("%q holds a mount without a path", table)
			}
		}
	})
}
