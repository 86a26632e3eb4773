package exec

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// What a worker and the first process of a cage say to each other, over a pair
// of sockets: a length and JSON, and with an order the files of the command.

// cagePlan is the first message: how the cage is to be built.
type cagePlan struct {
	Level     Level
	ABI       int    // of Landlock, 0 if there is none
	Home      string // what may be written, at the same path inside
	Dir       string // a directory given, likewise; empty if none
	DirID     fileID // which that is
	Protected []string
	Closed    []string // homes, of which
	Readable  []string // this is shown
	Skip      cageStep
}

// cageStep names one of the things that make a cage hold, for tests that leave
// it out and see whether that is noticed.
type cageStep string

const (
	stepCapabilities cageStep = "capabilities"
	stepLandlock     cageStep = "landlock"
	stepFilter       cageStep = "seccomp"
	stepSeal         cageStep = "read-only tree"
	stepPivot        cageStep = "pivot_root"
	stepHide         cageStep = "hidden paths"
)

// cageOrder asks for a command to be started, or for the self-test.
type cageOrder struct {
	Test  bool
	File  string
	Argv  []string
	Env   []string
	Dir   string
	Tmpfs int64 // size of a home in memory, 0 for the one on disk
}

// cageReply answers a plan or an order; the zero value says that all is well.
type cageReply struct {
	Error string
	Errno int // of starting the program
}

// cageReport is the last message: how the main process ended.
type cageReport struct {
	Status  uint32
	CPU     int64 // nanoseconds
	MaxRSS  int64 // 0 if not known
	Written int64
	Swept   int  // processes that were left
	Full    bool // the home in memory was full
}

// maxCageMessage is more than arguments and environment can be.
const maxCageMessage = 16 << 20

// sendMessage sends a message, with files if there are any.
func sendMessage(sock int, v any, files ...int) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	msg := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	var oob []byte
	if len(files) > 0 {
		oob = unix.UnixRights(files...)
	}
	for len(msg) > 0 {
		n, err := unix.SendmsgN(sock, msg, oob, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("speak to a sandbox: %w", err)
		}
		msg, oob = msg[n:], nil
	}
	return nil
}

// receiveMessage receives a message and the files that came with it.
func receiveMessage(sock int, v any) (files []int, err error) {
	head := make([]byte, 4)
	if files, err = receiveFull(sock, head); err != nil {
		return files, err
	}
	n := binary.BigEndian.Uint32(head)
	if n > maxCageMessage {
		return files, errors.New("a message from a sandbox is too long")
	}
	body := make([]byte, n)
	more, err := receiveFull(sock, body)
	files = append(files, more...)
	if err != nil {
		return files, err
	}
	return files, json.Unmarshal(body, v)
}

func receiveFull(sock int, buf []byte) (files []int, err error) {
	oob := make([]byte, unix.CmsgSpace(8*4))
	for len(buf) > 0 {
		n, on, _, _, err := unix.Recvmsg(sock, buf, oob, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return files, err
		case n == 0:
			return files, io.EOF
		}
		buf = buf[n:]
		msgs, _ := unix.ParseSocketControlMessage(oob[:on])
		for _, m := range msgs {
			if fds, err := unix.ParseUnixRights(&m); err == nil {
				files = append(files, fds...)
			}
		}
	}
	return files, nil
}
