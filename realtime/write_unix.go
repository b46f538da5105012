//go:build unix

package realtime

import (
	"errors"
	"net"
	"syscall"
)

// scratch is what one goroutine needs to write for many sockets in turn. What
// the system call takes and gives lies here because a closure of its own would
// be an allocation for every write.
type scratch struct {
	joined []byte
	// followed are the traced events among what is being written.
	followed []*written

	data  []byte
	n     int
	err   error
	write func(fd uintptr) (done bool)
}

func newScratch(size int) *scratch {
	s := &scratch{joined: make([]byte, 0, size)}
	s.write = s.writeTo
	return s
}

func (s *scratch) writeTo(fd uintptr) (done bool) {
	for {
		s.n, s.err = syscall.Write(int(fd), s.data)
		if s.err != syscall.EINTR { //nolint:errorlint // a system call's number
			return true // never: the runtime would wait for room
		}
	}
}

// tryWrite writes what the connection takes at once, which may be nothing.
func (s *scratch) tryWrite(raw syscall.RawConn, data []byte) (n int, err error) {
	if raw == nil {
		return 0, nil
	}
	s.data, s.n, s.err = data, 0, nil
	err = raw.Write(s.write)
	s.data = nil
	if err == nil {
		err = s.err
	}
	if errors.Is(err, syscall.EAGAIN) {
		return 0, nil
	}
	return max(s.n, 0), err
}

// descriptor gives access to a connection's file descriptor; nil where it has none.
func descriptor(c net.Conn) syscall.RawConn {
	if system, ok := c.(syscall.Conn); ok {
		if raw, err := system.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}
