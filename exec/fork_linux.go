package exec

import (
	"sync"
	"syscall"
)

// userMaps is held alone while a process is made whose users are mapped: the standard
// library opens the maps of such a process without O_CLOEXEC, and lets others fork
// meanwhile, which would inherit a file to write in.
var userMaps sync.RWMutex

// forkExec starts a program as syscall.ForkExec does; all starts of this package go by
// it, so that the program inherits no file but those given.
func forkExec(file string, argv []string, attr *syscall.ProcAttr) (pid int, err error) {
	if attr.Sys != nil && attr.Sys.UidMappings != nil {
		userMaps.Lock()
		defer userMaps.Unlock()
	} else {
		userMaps.RLock()
		defer userMaps.RUnlock()
	}
	return syscall.ForkExec(file, argv, attr)
}
