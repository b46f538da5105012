//go:build unix && !linux

package postgrestest

import (
	"os/exec"
	"syscall"
)

func attributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account}
}

// run starts a program and waits for it.
func run(command *exec.Cmd) *process {
	p := &process{command: command, ended: make(chan struct{})}
	if p.err = command.Start(); p.err != nil {
		close(p.ended)
		return p
	}
	go func() {
		defer close(p.ended)
		p.err = command.Wait()
	}()
	return p
}
