//go:build unix

package postgrestest

import (
	"io"
	"os/exec"
	"syscall"
)

// janitor ends the server of a folder, and removes the folder, once the process that
// hired it is gone, however it went: its end closes the pipe that the janitor reads.
type janitor struct {
	command *exec.Cmd
	pipe    io.Closer
}

const janitorsWork = `read -r _
pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
rm -rf "$0"`

func hire(folder string) (*janitor, error) {
	command := exec.Command("sh", "-c", janitorsWork, folder) //nolint:gosec,noctx // our own folder; it outlives us
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it outlives an interrupt that is for us
	pipe, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	return &janitor{command, pipe}, command.Start()
}

// dismiss ends the janitor, who has nothing left to do.
func (j *janitor) dismiss() error {
	err := j.pipe.Close()
	_ = j.command.Wait()
	return err
}
