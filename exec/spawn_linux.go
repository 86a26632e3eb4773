package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/adauldev/octaskly/exec/internal/account"
)

// start prepares everything, lets BeforeStart decide, and runs the command.
func (r *Runner) start(ctx context.Context, spec *Spec) (Run, error) {
	given, err := r.settleDir(spec)
	if err != nil {
		return nil, err
	}
	defer closeAll([]int{given}, -1)
	p := &process{r: r, spec: spec, given: given, pidfd: -1, counters: -1, fds: [3]int{-1, -1, -1}, held: [3]int{-1, -1, -1}}
	if err := r.house(p); err != nil {
		return nil, err
	}
	if spec.Dir != "" && spec.Limits.DiskBytes > 0 {
		p.dirBefore = account.CountDisk(spec.Dir, false, nil).Bytes
	}
	if err := p.spawn(); err != nil {
		p.closeFiles()
		p.vacate(true)
		return nil, err
	}
	p.arm(ctx)
	return p, nil
}

// settleDir refuses a directory that is none, that the command's user cannot get to,
// or that a contained command must not write in. What it lets pass stays open until
// the command has started, as a file or -1, and is named without links from then on:
// what is opened to the command is what was looked at, wherever its path leads by then.
func (r *Runner) settleDir(spec *Spec) (given int, err error) {
	c := r.levels[spec.Level]
	if c == nil || spec.Dir == "" {
		return -1, nil
	}
	dir := ""
	given, err = unix.Open(spec.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		dir, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", given))
	}
	var fs unix.Statfs_t
	if err == nil {
		err = unix.Fstatfs(given, &fs)
	}
	switch fs.Type {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC:
		err = errors.New("it shows the kernel and other processes, and holds no files")
	}
	if err == nil && c.user != nil && !c.user.enters(dir) {
		err = fmt.Errorf("%s, who commands run as here, may not enter it", c.user.name)
	}
	if err != nil {
		closeAll([]int{given}, -1)
		return -1, startError(ReasonBadDir, "the working directory %s cannot be used at sandbox level %s: %w", spec.Dir, spec.Level, err)
	}
	if p := c.fence.overlaps(dir); p != "" {
		unix.Close(given)
		return -1, startError(ReasonBadDir, "the working directory %s cannot be used at sandbox level %s: it would open %s to the command", spec.Dir, spec.Level, p)
	}
	if !c.fence.homes.offers(dir) {
		unix.Close(given)
		return -1, notListed(spec, dir)
	}
	spec.Dir = dir
	return given, nil
}

// userOf is who commands of a level run as, nil for ourselves.
func (r *Runner) userOf(l Level) *taskUser {
	if c := r.levels[l]; c != nil {
		return c.user
	}
	return nil
}

// spawn makes the pipes and starts the main process.
func (p *process) spawn() error {
	r, spec := p.r, p.spec
	dir := p.dir()
	base := r.base
	start := func(p *process, file string, argv []string, attr *syscall.ProcAttr) (int, error) {
		return r.forkExec(p, func(fork func()) { fork() }, file, argv, attr)
	}
	if c := r.levels[spec.Level]; c != nil {
		base = c.env
		start = func(p *process, file string, argv []string, attr *syscall.ProcAttr) (int, error) {
			return c.launch(r, p, file, argv, attr)
		}
	}
	env := buildEnv(base, p.home, dir, spec.Cookie, spec.Env)
	argv := spec.Argv
	if spec.Shell != "" {
		argv = []string{"sh", "-c", spec.Shell}
	}
	file, ferr := r.find.find(argv[0], pathOf(env))
	if spec.Shell != "" && ferr != nil {
		file, ferr = "/bin/sh", nil
	}
	if ferr != nil {
		return ferr
	}
	files, err := p.openFiles()
	if err != nil {
		return err
	}
	child := files[:]
	defer func() { closeAll(child, int(r.null.Fd())) }()
	gate := -1
	if spec.Limits.needsGate(r.groups) {
		ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return startError(ReasonHost, "make a gate for the command's start: %w", err)
		}
		gate, child = ends[1], append(child, ends[0])
		defer unix.Close(gate)
		if err := executable(file, dir, argv[0]); err != nil {
			return err
		}
		atGate := buildEnv(base, p.home, dir, spec.Cookie, nil)
		p.opening = gateLines(env, atGate) + gateOpen
		argv = spec.behindGate(file, r.limitsFirst(spec))
		file, env = "/bin/sh", atGate
	} else if err := held(spec); err != nil {
		return err
	}
	attr := &syscall.ProcAttr{
		Dir: dir, Env: env, Files: make([]uintptr, len(child)),
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &p.pidfd},
	}
	for i, fd := range child {
		attr.Files[i] = uintptr(fd)
	}
	_, err = start(p, file, argv, attr)
	if err != nil && r.find.forget(argv[0]) {
		if file, ferr = r.find.find(argv[0], pathOf(env)); ferr != nil {
			return ferr
		}
		_, err = start(p, file, argv, attr)
	}
	if err != nil {
		if c := r.levels[spec.Level]; c != nil && errors.Is(err, syscall.EACCES) && c.fence.homes.hides(realPath(inDir(dir, file))) {
			return hiddenProgram(spec, argv[0], file)
		}
		return explainStart(err, argv[0], file, dir)
	}
	if os.Geteuid() != 0 && p.cage == nil {
		p.counters = account.OpenCounters(p.pid)
	}
	p.hold(child)
	if gate >= 0 {
		unix.Close(child[len(child)-1]) // else the gate stays open when the command dies
		child = child[:len(child)-1]
		if err := p.passGate(gate); err != nil {
			p.abandon()
			return err
		}
	}
	return nil
}

// hiddenProgram says what to do about a program in a closed home.
func hiddenProgram(spec *Spec, name, file string) *StartError {
	return startError(ReasonNotExecutable, "run %s: it is in a home, and homes are closed at sandbox level %s; "+
		"--allow-read %s at the worker, or allow-read in its configuration, opens it to tasks at basic", name, spec.Level, filepath.Dir(file))
}

// inDir is where a program named from a directory is.
func inDir(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// executable says what keeps a file from being executed, for a command that is
// started by a shell, which would say it in its own way.
func executable(file, dir, name string) error {
	file = inDir(dir, file)
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return explainStart(syscall.ENOENT, name, file, dir)
	case st.IsDir() || st.Mode()&0o111 == 0:
		return explainStart(syscall.EACCES, name, file, dir)
	}
	return nil
}

// forkExec starts the main process with a label, on the thread that on runs it on.
func (r *Runner) forkExec(p *process, on func(fork func()), file string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	r.labels.give(func(label uint64) {
		p.label = label // before it can be found
		on(func() { pid, err = r.forkListed(p, file, argv, attr) })
	})
	return pid, err
}

// forkListed starts the main process and lists it among the live ones, so that
// no other command's sweep can take it for a stray.
func (r *Runner) forkListed(p *process, file string, argv []string, attr *syscall.ProcAttr) (int, error) {
	r.forking.RLock()
	defer r.forking.RUnlock()
	r.births.Add(1)
	defer r.births.Add(-1)
	r.mu.Lock()
	r.starting[p.spec.Cookie] = true
	r.mu.Unlock()
	p.started = time.Now()
	pid, err := forkExec(file, argv, attr)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.starting, p.spec.Cookie)
	if err != nil {
		return 0, err
	}
	p.pid = pid // before it can be found
	r.live[pid] = p
	return pid, nil
}

// openFiles makes what the command gets as its files 0, 1 and 2, and keeps our
// ends in p.
func (p *process) openFiles() (child [3]int, err error) {
	null := int(p.r.null.Fd())
	child = [3]int{null, null, null}
	if p.spec.Output != nil {
		for i := 1; i <= 2; i++ {
			var ends [2]int
			if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
				closeAll(child[:], null)
				return child, startError(ReasonHost, "make a pipe for the command's output: %w", err)
			}
			p.fds[i], child[i] = ends[0], ends[1]
			if u := p.r.userOf(p.spec.Level); u != nil {
				// Else a command could not open /dev/stderr.
				_ = unix.Fchown(ends[0], int(u.uid), int(u.gid))
			}
			var st unix.Stat_t
			if unix.Fstat(ends[0], &st) == nil {
				p.inodes[i] = st.Ino
			}
		}
	}
	if p.spec.Stdin == nil {
		return child, nil
	}
	if fd, ok := regularFile(p.spec.Stdin); ok {
		child[0] = fd
		return child, nil
	}
	child[0], err = p.openStdin()
	if err != nil {
		closeAll(child[:], null)
		return child, startError(ReasonHost, "make a pipe for the command's input: %w", err)
	}
	return child, nil
}

// regularFile returns a descriptor of its own for input that is a file: the
// command can read it without our help.
func regularFile(r io.Reader) (int, bool) {
	f, ok := r.(*os.File)
	if !ok {
		return -1, false
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return -1, false
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	return fd, err == nil
}

// smallInput fits into any pipe, also where a user has so many that new ones
// are made small.
const smallInput = 4096

// openStdin makes the pipe that carries Spec.Stdin. What is known to fit into
// it is written at once, so that no goroutine is needed.
func (p *process) openStdin() (int, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, err
	}
	if l, ok := p.spec.Stdin.(interface{ Len() int }); ok && l.Len() <= smallInput {
		buf := make([]byte, l.Len())
		n, _ := io.ReadFull(p.spec.Stdin, buf)
		_, err := unix.Write(ends[1], buf[:n])
		unix.Close(ends[1])
		return ends[0], err
	}
	if err := unix.SetNonblock(ends[1], true); err != nil {
		closeAll(ends[:], -1)
		return -1, err
	}
	p.stdin = os.NewFile(uintptr(ends[1]), "stdin of a command")
	return ends[0], nil
}

// explainStart turns the error of a failed start into words. The kernel gives
// the same error for a missing directory and a missing program, so it looks.
func explainStart(err error, name, file, dir string) error {
	var refused *StartError
	if errors.As(err, &refused) {
		return refused
	}
	if st, serr := os.Stat(dir); serr != nil || !st.IsDir() {
		if serr == nil {
			serr = syscall.ENOTDIR
		}
		return startError(ReasonBadDir, "run %s: the working directory %s cannot be used: %w", name, dir, errors.Unwrap(pathErr(serr)))
	}
	switch {
	case errors.Is(err, syscall.E2BIG):
		return startError(ReasonInvalid, "run %s: its arguments and environment are too long for this system: %w", name, err)
	case errors.Is(err, syscall.ENAMETOOLONG):
		return startError(ReasonInvalid, "run %.80s…: the name is too long: %w", name, err)
	case errors.Is(err, syscall.EACCES) && unix.Access(dir, unix.X_OK) != nil:
		return startError(ReasonBadDir, "run %s: the working directory %s may not be entered: %w", name, dir, err)
	case errors.Is(err, syscall.ENOENT):
		if _, serr := os.Stat(file); serr == nil {
			return startError(ReasonNotExecutable, "run %s: the interpreter it names is not there: %w", name, err)
		}
		return startError(ReasonNotFound, "run %s: no such program: %w", name, err)
	case errors.Is(err, syscall.ENOTDIR):
		return startError(ReasonNotFound, "run %s: no such program: %w", name, err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOEXEC),
		errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ETXTBSY), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ELIBBAD):
		return startError(ReasonNotExecutable, "run %s: it cannot be executed: %w", name, err)
	}
	return startError(ReasonHost, "run %s: %w", name, err)
}

// pathErr wraps an error so that Unwrap gives its cause once.
func pathErr(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe
	}
	return &os.PathError{Err: err}
}

// closeAll closes every descriptor but keep.
func closeAll(fds []int, keep int) {
	for _, fd := range fds {
		if fd >= 0 && fd != keep {
			unix.Close(fd)
		}
	}
}
