package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"

	"github.com/adauldev/octaskly/queue/task"
)

// socket is a named pipe: \\.\pipe\octaskly-SID-FOLDER-N, where FOLDER is a hash
// of the node's folder. Its access list names this user alone.
type socket struct {
	ln      net.Listener
	address string
}

const pipes = `\\.\pipe\`

func (s socket) accept() (net.Conn, error) {
	c, err := s.ln.Accept()
	if errors.Is(err, winio.ErrPipeListenerClosed) {
		err = net.ErrClosed
	}
	return c, err
}

// Close stops listening.
func (s socket) Close() error { return s.ln.Close() }

func listen(p Place) (socket, error) {
	sid, err := userSID()
	if err != nil {
		return socket{}, err
	}
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return socket{}, err
	}
	sum := sha256.Sum256([]byte(strings.ToLower(dir)))
	name := pipes + prefix(sid) + hex.EncodeToString(sum[:4]) + "-" + strconv.Itoa(p.N)
	ln, err := winio.ListenPipe(name, &winio.PipeConfig{SecurityDescriptor: "D:P(A;;GA;;;" + sid + ")"})
	if err != nil {
		return socket{}, task.Errorf(task.KindConflict, "listen on the local pipe %s: %w", name, err).
			WithHint("another node may use it: stop that, or give this node another folder with --node-dir")
	}
	return socket{ln: ln, address: name}, nil
}

func prefix(sid string) string { return "octaskly-" + sid + "-" }

func userSID() (string, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", task.Errorf(task.KindInternal, "ask the system which user this is: %w", err)
	}
	return u.User.Sid.String(), nil
}

// dial connects with an anonymous token, so that whoever listens there cannot act
// as this user.
func dial(ctx context.Context, address string) (net.Conn, error) {
	if !strings.HasPrefix(address, pipes) {
		return nil, task.Errorf(task.KindUsage, "%s is not the name of a local pipe", address)
	}
	c, err := winio.DialPipeContext(ctx, address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, task.Errorf(task.KindNoDispatcher, "no node listens on %s", address).WithHint("start one with `octaskly`")
	}
	if err != nil {
		return nil, task.Errorf(task.KindUnavailable, "connect to the node at %s: %w", address, err)
	}
	return c, nil
}

func findPlatform(string) []Address {
	sid, err := userSID()
	if err != nil {
		return nil
	}
	var found []Address
	files, _ := os.ReadDir(pipes)
	for _, f := range files {
		rest, ours := strings.CutPrefix(f.Name(), prefix(sid))
		_, number, cut := strings.Cut(rest, "-")
		if n, err := strconv.Atoi(number); ours && cut && err == nil {
			found = append(found, Address{N: n, Path: pipes + f.Name()})
		}
	}
	return found
}

// peerOf trusts the pipe's access list, which names one user.
func peerOf(net.Conn) (Peer, error) {
	sid, err := userSID()
	return Peer{User: sid}, err
}

// ownFile accepts what the user's own folders protect.
func ownFile(file string) error {
	info, err := os.Lstat(file)
	if err != nil {
		return task.Errorf(task.KindUnavailable, "read the local key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return task.Errorf(task.KindNotAllowed, "%s is not a file", file)
	}
	return nil
}
