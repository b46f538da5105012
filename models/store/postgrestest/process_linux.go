package postgrestest

import (
	"os/exec"
	"runtime"
	"syscall"
)

// attributes have the program end with us, however we end.
func attributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account, Pdeathsig: syscall.SIGQUIT}
}

// run starts a program and waits for it. To the system our end is that of the
// thread that started it, so that thread stays.
func run(command *exec.Cmd) *process {
	p := &process{command: command, ended: make(chan struct{})}
	started := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(p.ended)
		p.err = command.Start()
		close(started)
		if p.err == nil {
			p.err = command.Wait()
		}
	}()
	<-started
	return p
}
