package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// machineFile names the machine on which a node's directory was used last. One
// home may be shared by several machines, and a node must find its own again.
const machineFile = "machine"

// initialHostnames is the namespace of host names that a Linux machine starts
// with. In any other one, of a container, the host name is part of who it is.
const initialHostnames = "uts:[4026531838]"

// Machine is what tells this machine from others that share the user's folders.
// It stays the same when the host is renamed. Empty where that cannot be told.
func Machine() string {
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		id, _ = os.ReadFile("/etc/hostid") // neither: not known on this system
	}
	names, err := os.Readlink("/proc/self/ns/uts")
	if err != nil {
		return strings.TrimSpace(string(id))
	}
	host, _ := os.Hostname()
	return machineOf(strings.TrimSpace(string(id)), names, host)
}

func machineOf(id, hostnames, host string) string {
	if hostnames == initialHostnames && id != "" {
		return id
	}
	return strings.TrimPrefix(id+"/"+host, "/")
}

// usedOn is the machine on which a directory was used last; empty if that is not
// known.
func usedOn(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, machineFile))
	if err != nil || len(b) > 1<<10 {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// settle makes a slot this machine's.
func (s *Slot) settle(machine string) error {
	was := usedOn(s.Path())
	if machine == "" || was == machine {
		return nil
	}
	s.MovedFrom = was
	if err := os.WriteFile(filepath.Join(s.Path(), machineFile), []byte(machine+"\n"), 0o600); err != nil {
		return fmt.Errorf("write down whose node directory %s is: %w", s.Path(), err)
	}
	return nil
}
