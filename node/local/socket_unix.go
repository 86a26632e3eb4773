//go:build unix

package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/adauldev/octaskly/queue/task"
)

// socket is a bound Unix socket.
type socket struct {
	ln      *net.UnixListener
	address string
	file    fs.FileInfo // as bound: only this file is ever removed
	once    *sync.Once
}

func (s socket) accept() (net.Conn, error) { return s.ln.Accept() }

// Close stops listening and removes the socket, unless another process has put
// its own in the place.
func (s socket) Close() error {
	err := net.ErrClosed
	s.once.Do(func() {
		if now, e := os.Lstat(s.address); e == nil && os.SameFile(now, s.file) {
			_ = os.Remove(s.address)
		}
		err = s.ln.Close()
	})
	return err
}

func listen(p Place) (socket, error) {
	name := strconv.Itoa(p.N) + suffix
	if dir, err := runtimeDir(p.Runtime); err != nil {
		return socket{}, err
	} else if dir != "" {
		s, err := bind(dir, name)
		if err == nil || !errors.Is(err, errTaken) {
			return s, err
		}
	}
	dir, err := filepath.Abs(p.Dir)
	if err == nil {
		err = ownDir(dir)
	}
	if err != nil {
		return socket{}, err
	}
	s, err := bind(dir, name)
	if errors.Is(err, errTaken) {
		return s, task.Errorf(task.KindConflict, "another node listens on %s", filepath.Join(dir, name)).
			WithHint("stop it, or give this node another folder with --node-dir")
	}
	return s, err
}

// runtimeDir makes sure of the folder for sockets. Empty means that there is
// none that is ours, which is nobody's fault; a folder of ours that somebody
// else could use is refused.
func runtimeDir(dir string) (string, error) {
	if dir == "" || !filepath.IsAbs(dir) {
		return "", nil
	}
	if ownDir(filepath.Dir(dir)) != nil {
		return "", nil //nolint:nilerr // there is none, which is nobody's fault
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", nil
	}
	return dir, ownDir(dir)
}

var errTaken = errors.New("another process listens there")

// bind takes the name in a folder that was checked. What a dead node left is
// replaced; a socket on which somebody listens is left alone.
func bind(dir, name string) (socket, error) {
	path := filepath.Join(dir, name)
	if err := clearName(path); err != nil {
		return socket{}, err
	}
	var ln *net.UnixListener
	err := shortened(dir, name, func(short string) (err error) {
		ln, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return socket{}, errTaken
	}
	if err != nil {
		return socket{}, task.Errorf(task.KindUnavailable, "listen on the local socket %s: %w", path, err)
	}
	ln.SetUnlinkOnClose(false) // the name it was bound by may be a detour
	err = os.Chmod(path, 0o600)
	info, e := os.Lstat(path)
	if err = errors.Join(err, e); err != nil {
		_ = ln.Close()
		return socket{}, task.Errorf(task.KindUnavailable, "protect the local socket: %w", err)
	}
	return socket{ln: ln, address: path, file: info, once: new(sync.Once)}, nil
}

// clearName removes a socket on which nobody listens any more.
func clearName(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return task.Errorf(task.KindUnavailable, "look at the local socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return task.Errorf(task.KindConflict, "%s is in the way of the local socket: it is %s", path, kindOf(info)).
			WithHint("see what it is, then remove it")
	}
	if err := ownedByUs(path, info); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := dial(ctx, path)
	if err == nil {
		_ = c.Close()
		return errTaken
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return errTaken // it is alive but busy
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return task.Errorf(task.KindUnavailable, "remove the socket that a dead node left: %w", err)
	}
	return nil
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nobody(path, err)
	}
	if err != nil {
		return nil, task.Errorf(task.KindUnavailable, "look at the local socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return nil, task.Errorf(task.KindNotAllowed, "%s is %s, not the socket of a node", path, kindOf(info))
	}
	if err := ownedByUs(path, info); err != nil {
		return nil, err
	}
	var c net.Conn
	err = shortened(filepath.Dir(path), filepath.Base(path), func(short string) (err error) {
		c, err = new(net.Dialer).DialContext(ctx, "unix", short)
		return err
	})
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
		return nil, nobody(path, err)
	}
	if err != nil {
		return nil, task.Errorf(task.KindUnavailable, "connect to the node at %s: %w", path, err)
	}
	return c, nil
}

func nobody(path string, err error) error {
	return task.Errorf(task.KindNoDispatcher, "no node listens on %s: %w", path, errors.Unwrap(err)).
		WithHint("start one with `octaskly`")
}

func findPlatform(runtime string) []Address {
	if runtime == "" {
		return nil
	}
	return socketsIn(runtime, -1)
}

// maxPath is the shortest room that a system has for a socket's name.
const maxPath = 100

// ownDir accepts a folder that is really one, ours, and closed to others.
func ownDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return task.Errorf(task.KindUnavailable, "look at the folder for the local socket: %w", err)
	}
	if !info.IsDir() {
		return task.Errorf(task.KindNotAllowed, "%s is %s, not a folder", dir, kindOf(info)).WithHint("see who put it there, then remove it")
	}
	if err := ownedByUs(dir, info); err != nil {
		return err
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return task.Errorf(task.KindNotAllowed, "the folder %s is open to other users (mode %04o)", dir, m).
			WithHint("look at what is in it, then close it: chmod 700 %s", dir)
	}
	return nil
}

// ownFile accepts a file that is really one, ours, and closed to others.
func ownFile(file string) error {
	info, err := os.Lstat(file)
	if err != nil {
		return task.Errorf(task.KindUnavailable, "read the local key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return task.Errorf(task.KindNotAllowed, "%s is %s, not a file", file, kindOf(info)).WithHint("see who put it there, then remove it")
	}
	if err := ownedByUs(file, info); err != nil {
		return err
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return task.Errorf(task.KindNotAllowed, "%s can be read by other users (mode %04o)", file, m).
			WithHint("remove it and start the nodes of this user again; a new one is made")
	}
	return nil
}

func ownedByUs(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return task.Errorf(task.KindInternal, "the system does not say whose %s is", path)
	}
	if int(st.Uid) != os.Geteuid() {
		return task.Errorf(task.KindNotAllowed, "%s belongs to user %d, this process runs as user %d", path, st.Uid, os.Geteuid()).
			WithHint("run this as the user who started the node")
	}
	return nil
}

func kindOf(info fs.FileInfo) string {
	switch t := info.Mode().Type(); {
	case t&fs.ModeSymlink != 0:
		return "a symbolic link"
	case t.IsDir():
		return "a folder"
	case t&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case t&fs.ModeSocket != 0:
		return "a socket"
	case t.IsRegular():
		return "an ordinary file"
	}
	return "a device"
}

// peerOf accepts a connection from a process of the same user.
func peerOf(c net.Conn) (Peer, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return Peer{}, task.Errorf(task.KindInternal, "%T is no Unix socket", c)
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var uid, pid int
	var credErr error
	if err := raw.Control(func(fd uintptr) { uid, pid, credErr = peerCred(int(fd)) }); err != nil {
		return Peer{}, err
	}
	if credErr != nil {
		return Peer{}, fmt.Errorf("ask the system who is at the other end: %w", credErr)
	}
	if uid != os.Geteuid() {
		return Peer{}, task.Errorf(task.KindNotAllowed, "the process at the other end runs as user %d, this one as user %d", uid, os.Geteuid())
	}
	return Peer{User: strconv.Itoa(uid), PID: pid}, nil
}
