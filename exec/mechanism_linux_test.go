package exec

import (
	"os"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// allowAll is a filter that filters nothing.
func (f *filterBuilder) allowAll() ([]unix.SockFilter, error) {
	f.add(bpf.RetConstant{Val: seccompAllow})
	return f.assemble()
}

// filterWithout is the filter of basic, but for some calls.
func filterWithout(t *testing.T, names ...string) []unix.SockFilter {
	t.Helper()
	id, rest, err := systemCalls()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		delete(rest, name)
	}
	c := testRunner(t).levels[Basic]
	filter, err := filterOf(c.rules(c.fence.abi), id, rest)
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

// filterWith is the filter of basic with other rules.
func filterWith(t *testing.T, change func(*filterRules)) []unix.SockFilter {
	t.Helper()
	c := testRunner(t).levels[Basic]
	rules := c.rules(c.fence.abi)
	change(&rules)
	filter, err := filterFor(rules)
	if err != nil {
		t.Fatal(err)
	}
	return filter
}

// weaken puts a weaker confinement in the place of a level's until the test ends.
func weaken(t *testing.T, l Level, off func(c *confinement)) {
	t.Helper()
	r := testRunner(t)
	good := r.levels[l]
	weak := &confinement{
		level: l, filter: good.filter, user: good.user, env: good.env, dirs: good.dirs, drop: good.drop, room: good.room, caged: good.caged, spaces: good.spaces,
		labels: good.labels, supervised: good.supervised, calls: good.calls,
		fence: &fence{abi: good.fence.abi, fixed: good.fence.fixed, spread: good.fence.spread, net: good.fence.net, protected: good.fence.protected, homes: good.fence.homes},
	}
	weak.cells.c, weak.cages.c = weak, weak
	off(weak)
	r.levels[l] = weak
	t.Cleanup(func() {
		r.levels[l] = good
		weak.cells.close()
		weak.cages.close()
		weak.fence.close()
	})
}

// TestTheSuiteSeesAMissingMechanism takes away one mechanism after the other:
// each time some probe must get through.
func TestTheSuiteSeesAMissingMechanism(t *testing.T) {
	needLevels(t, Basic, Strict)
	w := makeWorld(t)
	r := testRunner(t)
	allow, err := new(filterBuilder).allowAll()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]func(c *confinement){
		"landlock": func(c *confinement) {
			c.fence = &fence{abi: c.fence.abi, fixed: map[string]uint64{"/": accessAll}}
		},
		"landlock scopes":   func(c *confinement) { c.fence.abi = 5 },
		"protected folders": func(c *confinement) { c.fence.protected, c.fence.homes = nil, homes{} },
		"seccomp":           func(c *confinement) { c.filter = allow },
		"terminal requests": func(c *confinement) { c.filter = filterWithout(t, "ioctl") },
		"clone flags":       func(c *confinement) { c.filter = filterWithout(t, "clone") },
		"metadata":          func(c *confinement) { c.filter = filterWith(t, func(r *filterRules) { r.metadata = metadataOpen }) },
		"others' turns":     func(c *confinement) { c.filter = filterWith(t, func(r *filterRules) { r.turns = turnsOfOthers }) },
		"environment":       func(c *confinement) { c.env = os.Environ() },
	}
	for _, name := range []string{"ptrace", "mount", "unshare", "bpf", "io_uring_setup", "keyctl", "personality", "userfaultfd", "prlimit64", "setrlimit"} {
		cases["the call "+name] = func(c *confinement) { c.filter = filterWithout(t, name) }
	}
	if os.Geteuid() == 0 {
		cases["the other user"] = func(c *confinement) { c.user, c.dirs = nil, r.dirs }
		cases["capabilities"] = func(c *confinement) { c.drop = func() error { return nil } }
	}
	for name, off := range cases {
		t.Run(name, func(t *testing.T) {
			weaken(t, Basic, off)
			open := breaches(w.outcomes(t, Basic), testRunner(t).levels[Basic])
			if len(open) == 0 {
				t.Error("no probe noticed")
			}
			t.Log(open)
		})
	}
	t.Run("files closed", func(t *testing.T) {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
			t.Fatal(err)
		}
		if open := breaches(w.outcomes(t, Basic), testRunner(t).levels[Basic]); len(open) == 0 {
			t.Error("no probe noticed")
		}
	})
}

// TestTheSuiteSeesAMissingPartOfStrict does the same for what strict has beyond basic.
func TestTheSuiteSeesAMissingPartOfStrict(t *testing.T) {
	needLevels(t, Basic, Strict)
	w := makeWorld(t)
	basic := testRunner(t).levels[Basic]
	cases := map[string]func(c *confinement){
		"sockets":    func(c *confinement) { c.filter = basic.filter },
		"file rules": func(c *confinement) { c.fence.fixed, c.fence.spread = basic.fence.fixed, true },
	}
	if os.Geteuid() != 0 { // else that commands run as another user makes up for it
		cases["scopes"] = func(c *confinement) { c.fence.abi = 5 }
	}
	for name, off := range cases {
		t.Run(name, func(t *testing.T) {
			weaken(t, Strict, off)
			open := breaches(w.outcomes(t, Strict), testRunner(t).levels[Strict])
			if len(open) == 0 {
				t.Error("no probe noticed")
			}
			t.Log(open)
		})
	}
	// TCP is closed twice: without the filter Landlock must still do it, and alone.
	for _, denied := range []bool{true, false} {
		weaken(t, Strict, func(c *confinement) { c.filter, c.fence.net = basic.filter, denied })
		if got := w.outcomes(t, Strict)["reach a TCP port"]; (got == "EACCES") != denied {
			t.Errorf("with TCP denied by Landlock %v, to reach a port gives %s", denied, got)
		}
	}
}

// TestTheSuiteSeesAMissingPartOfACage does the same at very-strict. What the
// other parts make up for is found by the self-test, or by both.
func TestTheSuiteSeesAMissingPartOfACage(t *testing.T) {
	needLevels(t, VeryStrict)
	w := makeWorld(t)
	cases := map[string]func(c *confinement){}
	for _, step := range []cageStep{stepCapabilities, stepLandlock, stepFilter, stepPivot} {
		cases[string(step)] = func(c *confinement) { c.skip = step }
	}
	for _, ns := range cageNamespaces {
		if ns.flag == unix.CLONE_NEWNS || ns.flag == unix.CLONE_NEWUSER {
			continue // the view would be built for the whole machine; nobody could be mapped
		}
		cases[ns.name+" namespace"] = func(c *confinement) { c.spaces &^= ns.flag }
	}
	for name, off := range cases {
		t.Run(name, func(t *testing.T) {
			weaken(t, VeryStrict, off)
			c := testRunner(t).levels[VeryStrict]
			if err := c.selfTest(); err != nil {
				t.Logf("the self-test: %v", err)
				return
			}
			open := breaches(w.outcomes(t, VeryStrict), testRunner(t).levels[VeryStrict])
			if len(open) == 0 {
				t.Error("nothing noticed")
			}
			t.Log(open)
		})
	}
}

// TestTheSuiteSeesAMissingPartOfAnOldKernelsCage does it for the levels that are
// built of namespaces where there is no Landlock.
func TestTheSuiteSeesAMissingPartOfAnOldKernelsCage(t *testing.T) {
	needLevels(t, Basic, Strict, VeryStrict)
	r := testRunner(t)
	for _, l := range []Level{Basic, Strict} {
		good := r.levels[l]
		c, err := newConfinement(l, setup{user: good.user, dirs: good.dirs, labels: r.labels, protect: []string{r.dirs.root}})
		if err != nil {
			t.Fatal(err)
		}
		w := makeWorld(t)
		r.levels[l] = c
		t.Cleanup(func() {
			r.levels[l] = good
			c.cages.close()
			c.fence.close()
		})
		// Without scopes some is open that this machine's own level would close.
		before := breaches(w.outcomes(t, l), c)
		cases := map[string]func(c *confinement){
			"pid namespace": func(c *confinement) { c.spaces &^= unix.CLONE_NEWPID },
		}
		for _, step := range map[Level][]cageStep{
			Basic:  {stepCapabilities, stepFilter, stepSeal, stepHide, stepPivot},
			Strict: {stepCapabilities, stepFilter, stepPivot},
		}[l] {
			cases[string(step)] = func(c *confinement) { c.skip = step }
		}
		for name, off := range cases {
			t.Run(l.String()+" "+name, func(t *testing.T) {
				weaken(t, l, off)
				weak := r.levels[l]
				if err := weak.selfTest(); err != nil {
					t.Logf("the self-test: %v", err)
					return
				}
				open := breaches(w.outcomes(t, l), weak)
				if len(open) <= len(before) {
					t.Error("nothing noticed")
				}
				t.Log(open)
			})
		}
	}
}
