package sim

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/corpus"
	"github.com/aratta-gateway/aratta/internal/wire"
)

// Recorded reads the exchanges of a dialect below a folder. The request that a
// provider got is in the format of its own dialect, so only those are of use.
func Recorded(dir, dialect string) ([]Case, error) {
	list, err := corpus.Read(dir)
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, x := range list {
		if x.Dialect != dialect || x.Skip != "" || len(x.Request) == 0 {
			continue
		}
		cases = append(cases, NewCase(x))
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no exchange of the dialect %s is recorded in %s", dialect, dir)
	}
	return cases, nil
}

// NewCase makes a case of a recorded exchange.
func NewCase(x *corpus.Exchange) Case {
	c := Case{ID: x.ID, Path: x.Path, Request: x.Request, Status: x.Status, Header: x.RespHeader, Body: x.Body, Chunks: x.Chunks}
	if x.Stream != nil {
		c.Body = x.Stream
	}
	return c
}

// Case is a recorded exchange: a request that equals it gets its answer.
type Case struct {
	ID      string
	Path    string
	Request []byte // JSON
	Status  int
	Header  http.Header
	Body    []byte // as it came, whole or stream
	Chunks  []int  // sizes of the reads in which a stream came; nil = in one piece
}

// HeaderCase names a case in a request, for requests that no longer equal the
// recorded one.
const HeaderCase = "X-Sim-Case"

// Next makes the named case the answer to the next request, whatever it asks.
func (s *Sim) Next(id string) bool {
	for i := range s.opt.Cases {
		if s.opt.Cases[i].ID == id {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.next = &s.opt.Cases[i]
			return true
		}
	}
	return false
}

// find returns the recorded answer to a request, or nil.
func (s *Sim) find(r *http.Request, body []byte) *Case {
	s.mu.Lock()
	next := s.next
	s.next = nil
	s.mu.Unlock()
	if next != nil {
		return next
	}
	id := r.Header.Get(HeaderCase)
	for i := range s.opt.Cases {
		c := &s.opt.Cases[i]
		if c.ID == id || id == "" && (bytes.Equal(c.Request, body) || len(c.Request) > 0 && wire.Equal(c.Request, body)) {
			return c
		}
	}
	return nil
}

// write sends the recorded answer, in the pieces in which it came.
func (c *Case) write(w http.ResponseWriter) {
	for k, v := range c.Header {
		if k != "Content-Length" && k != "Content-Encoding" && k != "Transfer-Encoding" && k != "Connection" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(c.Status)
	rest := c.Body
	for _, n := range c.Chunks {
		n = min(n, len(rest))
		if _, err := w.Write(rest[:n]); err != nil {
			return
		}
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		rest = rest[n:]
	}
	_, _ = w.Write(rest) // a gateway that went away is its own affair
}
