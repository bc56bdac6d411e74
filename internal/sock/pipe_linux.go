package sock

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	pipeRoom  = 1 << 20 // the most that a pipe of somebody without privileges holds
	mostPipes = 16      // of a listener: what is kept is in memory twice
)

// pipe is what the kernel keeps bytes in, without having copied them.
type pipe struct{ r, w int }

// pipes are those of a listener. Making one costs as much as moving half a megabyte.
type pipes struct {
	mu     sync.Mutex
	idle   []pipe
	taken  int
	closed bool
}

// take returns an empty pipe, unless there are too many or the system gives none.
func (s *pipes) take() (pipe, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.taken >= mostPipes {
		return pipe{}, false
	}
	if n := len(s.idle); n > 0 {
		p := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.taken++
		return p, true
	}
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_NONBLOCK|syscall.O_CLOEXEC); err != nil {
		return pipe{}, false
	}
	p := pipe{fds[0], fds[1]}
	if _, err := unix.FcntlInt(uintptr(p.w), unix.F_SETPIPE_SZ, pipeRoom); err != nil { // this user has too many
		p.close()
		return pipe{}, false
	}
	s.taken++
	return p, true
}

// put takes a pipe back. One that is not empty is of no more use.
func (s *pipes) put(p pipe, empty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if !empty || s.closed {
		p.close()
		return
	}
	s.idle = append(s.idle, p)
}

// close closes the pipes, those that are in use when they come back.
func (s *pipes) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, p := range s.idle {
		p.close()
	}
	s.idle = nil
}

func (p pipe) close() {
	_ = syscall.Close(p.r) // there is nothing that could be lost
	_ = syscall.Close(p.w)
}
