package exec

import (
	"fmt"
	"os"
	osexec "os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is the job object a command runs in. It ends with this process.
type tree struct{ job windows.Handle }

// prepare makes the job and lets the command start suspended, so that nothing
// of it runs outside the job.
func (t *tree) prepare(cmd *osexec.Cmd, spec *Spec) error {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return fmt.Errorf("make a job object: %w", err)
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	limitJob(&info, spec.Limits)
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		_ = windows.CloseHandle(job)
		return fmt.Errorf("set up a job object: %w", err)
	}
	t.job = job
	cmd.SysProcAttr = &syscall.SysProcAttr{
		HideWindow:    true,
		CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP,
	}
	if spec.Shell != "" {
		cmd.SysProcAttr.CmdLine = `cmd /D /S /C "` + spec.Shell + `"`
	}
	return nil
}

// limitJob sets what the kernel keeps for all processes of a job together.
func limitJob(info *windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION, l Limits) {
	basic := &info.BasicLimitInformation
	if l.MemoryBytes > 0 {
		basic.LimitFlags |= windows.JOB_OBJECT_LIMIT_JOB_MEMORY
		info.JobMemoryLimit = uintptr(l.MemoryBytes)
	}
	if l.Processes > 0 {
		basic.LimitFlags |= windows.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
		basic.ActiveProcessLimit = uint32(l.Processes)
	}
	if l.CPUTime > 0 {
		basic.LimitFlags |= windows.JOB_OBJECT_LIMIT_JOB_TIME
		basic.PerJobUserTimeLimit = int64(l.CPUTime / 100) // in steps of 100 ns
	}
}

// started puts the suspended process into the job and lets it go.
func (t *tree) started(p *os.Process) error {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return fmt.Errorf("open the new process: %w", err)
	}
	defer windows.CloseHandle(h)
	if err := windows.AssignProcessToJobObject(t.job, h); err != nil {
		return fmt.Errorf("put the new process into its job: %w", err)
	}
	return resume(uint32(p.Pid))
}

// resume continues the threads of a process.
func resume(pid uint32) error {
	snap, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	defer windows.CloseHandle(snap)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snap, &entry); err == nil; err = windows.Thread32Next(snap, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		h, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return fmt.Errorf("open the new thread: %w", err)
		}
		_, err = windows.ResumeThread(h)
		_ = windows.CloseHandle(h)
		if err != nil {
			return fmt.Errorf("resume the new process: %w", err)
		}
	}
	return nil
}

func (t *tree) ask(p *os.Process) {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(p.Pid))
}

func (t *tree) kill(*os.Process) { _ = windows.TerminateJobObject(t.job, 137) }

func (t *tree) close() {
	_ = windows.CloseHandle(t.job)
	t.job = 0
}

func shellArgv(string) []string {
	if c := os.Getenv("ComSpec"); c != "" {
		return []string{c}
	}
	return []string{"cmd.exe"}
}

func signalOf(*os.ProcessState) int { return 0 }

func maxRSS(*os.ProcessState) int64 { return 0 }

const (
	killBy        = "job"
	noneMechanism = "job"
	treeLimits    = "job"
)
