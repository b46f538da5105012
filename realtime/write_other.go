//go:build !unix

package realtime

import (
	"net"
	"syscall"
)

// scratch is what one goroutine needs to write for many sockets in turn. Where
// there is no write that does not wait, each socket writes for itself.
type scratch struct {
	joined   []byte
	followed []*written
}

func newScratch(size int) *scratch { return &scratch{joined: make([]byte, 0, size)} }

// tryWrite writes nothing here.
func (s *scratch) tryWrite(syscall.RawConn, []byte) (n int, err error) { return 0, nil }

func descriptor(net.Conn) syscall.RawConn { return nil }
