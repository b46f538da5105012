package realtime

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

// parking waits for the next bytes of sockets that have been quiet, all in one
// goroutine: one of its own costs a socket a stack and a buffer. Each is waited
// for once (EPOLLONESHOT) and then read by a goroutine again, until it is quiet
// for the next time.
type parking struct {
	log   *slog.Logger
	file  *os.File // of the epoll instance: the runtime waits for it like for any other
	raw   syscall.RawConn
	ended sync.WaitGroup

	mu sync.Mutex
	// sockets are found by their numbers. A descriptor's own would be another
	// connection's after it was closed.
	sockets map[uint64]*conn
	last    uint64
}

// startParking is nil, with a word in the log, where the system has none of it.
func startParking(log *slog.Logger) *parking {
	p := &parking{log: log, sockets: map[uint64]*conn{}}
	if err := p.open(); err != nil {
		log.Warn("idle sockets will take more memory", "error", err)
		return nil
	}
	p.ended.Go(p.run)
	return p
}

func (p *parking) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	p.file = os.NewFile(uintptr(fd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// stop ends the waiting. No socket may be parked any more.
func (p *parking) stop() {
	if p == nil {
		return
	}
	_ = p.file.Close()
	p.ended.Wait()
}

// wait has c woken at its next bytes, or its end. After an error it is not, and
// may be tried again.
func (p *parking) wait(c *conn) error {
	number, operation := p.place(c)
	if number == 0 {
		return errClosed
	}
	event := syscall.EpollEvent{
		Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT,
		Fd:     int32(uint32(number)), Pad: int32(uint32(number >> 32)), //nolint:gosec // 64 bits that the system gives back
	}
	var err error
	controlErr := c.raw.Control(func(fd uintptr) {
		controlErr := p.raw.Control(func(epoll uintptr) {
			err = syscall.EpollCtl(int(epoll), operation, int(fd), &event)
		})
		if err == nil {
			err = controlErr
		}
	})
	if err == nil {
		err = controlErr
	}
	if err != nil {
		if operation == syscall.EPOLL_CTL_ADD {
			p.giveBack(c)
		}
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

// place gives c its number, the first time; 0 where c has ended meanwhile.
func (p *parking) place(c *conn) (number uint64, operation int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.forgotten {
		return 0, 0
	}
	if c.number != 0 {
		return c.number, syscall.EPOLL_CTL_MOD
	}
	p.last++
	c.number = p.last
	p.sockets[c.number] = c
	return c.number, syscall.EPOLL_CTL_ADD
}

// giveBack takes back a number that the system does not know.
func (p *parking) giveBack(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sockets, c.number)
	c.number = 0
}

// forget is called before c is closed. Whoever was about to park it comes too late.
func (p *parking) forget(c *conn) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sockets, c.number)
	c.forgotten = true
}

func (p *parking) run() {
	events := make([]syscall.EpollEvent, 128)
	for {
		var n int
		var err error
		waitErr := p.raw.Read(func(epoll uintptr) (done bool) {
			n, err = syscall.EpollWait(int(epoll), events, 0)
			return n != 0 || (err != nil && err != syscall.EINTR)
		})
		if waitErr != nil { // closed
			return
		}
		if err != nil && err != syscall.EINTR {
			p.log.Error("wait for idle sockets", "error", err)
			return
		}
		for _, event := range events[:max(n, 0)] {
			p.wake(uint64(uint32(event.Fd)) | uint64(uint32(event.Pad))<<32) //nolint:gosec // 64 bits that we gave
		}
	}
}

func (p *parking) wake(number uint64) {
	p.mu.Lock()
	c := p.sockets[number]
	p.mu.Unlock()
	if c != nil {
		c.wake()
	}
}
