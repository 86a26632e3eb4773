package exec

import (
	"bytes"
	"fmt"
	"os"
	osexec "os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/queue/task/testlength"
)

// kernelEnv makes the test binary believe that it runs on another kernel.
const kernelEnv = "OCTASKLY_TEST_KERNEL"

// kernel is one of those people have. Calls get their numbers in the order in which
// they were added, so a kernel is imitated by refusing all after its last one.
type kernel struct {
	name         string
	lastCall     uint32 // none after it is there
	landlock     int    // version, 0 if it was not built or is turned off
	noNamespaces bool   // an ordinary user may make none
	missing      string // the levels it cannot have, as OCTASKLY_MISSING_LEVELS wants them
}

var kernels = []kernel{
	{name: "4.18, as in RHEL 8", lastCall: 334, missing: "very-strict=no Landlock"},
	{name: "5.10, as in Debian 11", lastCall: 440, missing: "very-strict=no Landlock"},
	{name: "5.15, as in Ubuntu 22.04", lastCall: 448, landlock: 1},
	{name: "6.1, as in Debian 12", lastCall: 450, landlock: 2},
	{name: "6.6, with Landlock turned off", lastCall: 453, missing: "very-strict=no Landlock"},
	{name: "6.8, as in Ubuntu 24.04", lastCall: 461, landlock: 4, noNamespaces: true, missing: "strict=no namespaces,very-strict=no namespaces"},
	{name: "6.12, as in Debian 13", lastCall: 463, landlock: 6},
}

// TestOnOlderKernels runs the suite as if this machine had older kernels: every
// level that is offered there holds there.
func TestOnOlderKernels(t *testing.T) {
	if landlockABI() < 6 || os.Getenv(kernelEnv) != "" {
		t.Skip("this kernel is itself too old to imitate others")
	}
	few := testing.Short() || testlength.Of(true, false, false)
	for i, k := range kernels {
		if few && i%3 != 0 {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			cmd := osexec.Command(os.Args[0], "-test.run=^(TestEveryWayOutIsClosed|TestOrdinaryProgramsWork|TestLevelsLeaveNothingBehind|TestHomesAreClosedAtEachLevel|TestADirectoryMustBeListed|TestWhatAnOlderKernelOffers)$", "-test.short", "-test.v")
			cmd.Env = append(os.Environ(), kernelEnv+"="+k.name, "OCTASKLY_MISSING_LEVELS="+k.missing, "CI=true")
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("--- PASS: TestWhatAnOlderKernelOffers")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestWhatAnOlderKernelOffers looks, in the process that is made to believe, at what
// is offered and that nothing else is.
func TestWhatAnOlderKernelOffers(t *testing.T) {
	k, ok := imitated()
	if !ok {
		t.Skip("no other kernel is imitated")
	}
	caps := testRunner(t).Capabilities()
	for l := Basic; l.Valid(); l++ {
		info := caps.Levels[l]
		t.Logf("%s: %v by %q; %s", l, info.Available, info.Mechanisms, info.Reason)
		if listed := listedMissing(k.missing, l); listed == info.Available {
			t.Errorf("%s is there: %v, but listed as missing: %v (%s)", l, info.Available, listed, info.Reason)
		}
		if by := fmt.Sprintf("landlock:%d", k.landlock); info.Available && strings.Contains(info.Mechanisms, by) == (k.landlock == 0) {
			t.Errorf("%s is made of %s, on a kernel with Landlock %d", l, info.Mechanisms, k.landlock)
		}
	}
}

// imitated is the kernel this process is to believe in.
func imitated() (kernel, bool) {
	for _, k := range kernels {
		if os.Getenv(kernelEnv) == k.name {
			return k, true
		}
	}
	return kernel{}, false
}

// imitateKernel makes this process and all it starts see another kernel, if asked to.
func imitateKernel() {
	k, ok := imitated()
	if !ok {
		return
	}
	if err := k.imitate(); err != nil {
		fmt.Fprintln(os.Stderr, "imitate a kernel:", err)
		os.Exit(1)
	}
}

func (k kernel) imitate() error {
	runtime.LockOSThread() // both calls are of a thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	landlockABI = func() int { return k.landlock }
	var f filterBuilder
	f.add(bpf.LoadAbsolute{Off: seccompNumber, Size: 4})
	if k.landlock == 0 {
		f.names = map[string]int{"a": unix.SYS_LANDLOCK_CREATE_RULESET, "b": unix.SYS_LANDLOCK_ADD_RULE, "c": unix.SYS_LANDLOCK_RESTRICT_SELF}
		for name := range f.names {
			f.deny(name, unix.EOPNOTSUPP)
		}
	}
	f.names = map[string]int{"clone": unix.SYS_CLONE, "unshare": unix.SYS_UNSHARE}
	if k.noNamespaces {
		f.denyBits("clone", 0, unix.CLONE_NEWUSER)
		f.denyBits("unshare", 0, unix.CLONE_NEWUSER)
	}
	f.add(bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: k.lastCall, SkipFalse: 1}, bpf.RetConstant{Val: seccompErrno | uint32(unix.ENOSYS)},
		bpf.RetConstant{Val: seccompAllow})
	prog, err := f.assemble()
	if err != nil {
		return err
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog))); errno != 0 {
		return errno
	}
	return nil
}
