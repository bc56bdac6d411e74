package sim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// FaultKind is something that goes wrong.
type FaultKind string

// The faults.
const (
	Refuse       FaultKind = "refuse"        // the connection is refused (see Listener); inside a handler: dropped before any answer
	RateLimit    FaultKind = "rate_limit"    // 429 with Retry-After
	ServerError  FaultKind = "server_error"  // Status, by default 500
	StallHeaders FaultKind = "stall_headers" // nothing is answered
	StallStream  FaultKind = "stall_stream"  // nothing more after After writes; these faults of streams break a whole answer in its middle
	Cut          FaultKind = "cut"           // a clean end of the body after After writes
	Reset        FaultKind = "reset"         // TCP reset after After writes
	Garbage      FaultKind = "garbage"       // a line that is no event after After writes, then the rest
	HalfRune     FaultKind = "half_rune"     // the body ends inside a rune after After writes
	ErrorFirst   FaultKind = "error_first"   // status 200, and an error as the first event
	ErrorSecond  FaultKind = "error_second"  // an error as the second event, or after After writes
	ErrorIn200   FaultKind = "error_in_200"  // status 200 with an error for a body
	SlowLoad     FaultKind = "slow_load"     // Delay before the headers, as if a model were loaded
)

// Faults lists all kinds.
func Faults() []FaultKind {
	return []FaultKind{
		Refuse, RateLimit, ServerError, StallHeaders, StallStream, Cut, Reset, Garbage, HalfRune,
		ErrorFirst, ErrorSecond, ErrorIn200, SlowLoad,
	}
}

// Fault is a fault that is switched on. The zero Fault is none.
type Fault struct {
	Kind       FaultKind     `json:"kind"`
	Times      int           `json:"times,omitempty"`       // how many requests to models it hits; 0 = all, those about models too, until it is switched off
	After      int           `json:"after,omitempty"`       // writes of a stream that still go well; 0 = 2
	Status     int           `json:"status,omitempty"`      // of server_error
	RetryAfter int           `json:"retry_after,omitempty"` // seconds, of rate_limit; 0 = 1
	Delay      time.Duration `json:"delay,omitempty"`       // nanoseconds, of slow_load; 0 = 3 s
}

// Check refuses a fault that does not exist, or cannot be simulated.
func (f Fault) Check() error {
	switch {
	case f.Kind != "" && !slices.Contains(Faults(), f.Kind):
		return fmt.Errorf("fault %q is none of %v", f.Kind, Faults())
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d is not between 400 and 599", f.Status)
	case f.Times < 0 || f.After < 0 || f.RetryAfter < 0 || f.Delay < 0:
		return fmt.Errorf("times, after, retry_after and delay must not be negative")
	default:
		return nil
	}
}

const (
	defaultAfter = 2
	defaultDelay = 3 * time.Second
)

// before does what a fault does before anything is answered. It reports whether
// the request goes on.
func (s *Sim) before(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case Refuse:
		hangUp(w)
	case RateLimit:
		after := max(f.RetryAfter, 1)
		w.Header().Set("Retry-After", strconv.Itoa(after))
		s.refuse(w, http.StatusTooManyRequests, &scri.Error{Kind: scri.ErrRateLimited, Message: "simulated rate limit", RetryAfter: time.Duration(after) * time.Second})
	case ServerError:
		status := f.Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		s.refuse(w, status, &scri.Error{Kind: scri.ErrUnavailable, Message: "simulated server error"})
	case ErrorIn200:
		s.refuse(w, http.StatusOK, &scri.Error{Kind: scri.ErrOverloaded, Message: "simulated error in a 200"})
	case StallHeaders:
		<-r.Context().Done()
	case SlowLoad:
		d := f.Delay
		if d == 0 {
			d = defaultDelay
		}
		return wait(r.Context(), d) == nil
	default:
		return true
	}
	return false
}

func (s *Sim) refuse(w http.ResponseWriter, status int, e *scri.Error) {
	_, body := s.opt.Dialect.EncodeError(nil, e)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a gateway that went away is what is simulated
}

// hangUp resets the connection under an answer.
func hangUp(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the reset is a plain end, which is a fault too
	}
	_ = c.Close()
}

// tampered returns a writer that does what a fault does to the body.
func (s *Sim) tampered(w http.ResponseWriter, r *http.Request, f Fault) http.ResponseWriter {
	after := f.After
	switch f.Kind {
	case StallStream, Cut, Reset, Garbage, HalfRune:
		if after == 0 {
			after = defaultAfter
		}
	case ErrorFirst:
		after = 0
	case ErrorSecond:
		if after == 0 {
			after = 1
		}
	default:
		return w
	}
	return &tamper{ResponseWriter: w, ctx: r.Context(), sim: s, kind: f.Kind, after: after, query: r.URL.Query()}
}

// tamper counts the writes of a body and breaks it at one of them.
type tamper struct {
	http.ResponseWriter
	ctx    context.Context // it lives as long as one answer
	sim    *Sim
	kind   FaultKind
	after  int
	query  url.Values // of the request, which may say how a stream looks
	writes int
	broken bool
}

// Unwrap lets http.ResponseController reach the connection.
func (t *tamper) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// Flush sends what was written.
func (t *tamper) Flush() {
	if f, ok := t.ResponseWriter.(http.Flusher); ok && !t.broken {
		f.Flush()
	}
}

// WriteHeader leaves out a length that the fault would belie.
func (t *tamper) WriteHeader(status int) {
	t.Header().Del("Content-Length")
	t.ResponseWriter.WriteHeader(status)
}

func (t *tamper) Write(b []byte) (int, error) {
	if t.broken {
		return 0, errBroken
	}
	if t.writes++; !t.stream() {
		return t.whole(b)
	}
	if t.writes <= t.after {
		return t.ResponseWriter.Write(b)
	}
	if t.kind == Garbage {
		t.kind = ""
		t.after = 1 << 30
		if _, err := t.ResponseWriter.Write(t.garbage()); err != nil {
			return 0, err
		}
		return t.ResponseWriter.Write(b)
	}
	return t.breakOff(b)
}

// stream reports whether the body is a stream.
func (t *tamper) stream() bool {
	mime := t.Header().Get("Content-Type")
	return strings.HasPrefix(mime, eventStream) || strings.HasPrefix(mime, "application/x-ndjson") || mime == "application/vnd.amazon.eventstream"
}

// whole breaks a whole answer in its middle.
func (t *tamper) whole(b []byte) (int, error) {
	switch t.kind {
	case ErrorFirst, ErrorSecond:
		_, b = t.sim.opt.Dialect.EncodeError(nil, &scri.Error{Kind: scri.ErrOverloaded, Message: "simulated error in a 200"})
		t.broken = true
		return t.ResponseWriter.Write(b)
	case Garbage:
		t.kind = ""
		b = append(t.garbage(), b...)
		return t.ResponseWriter.Write(b)
	case StallStream, Cut, Reset:
		if _, err := t.ResponseWriter.Write(b[:len(b)/2]); err != nil {
			return 0, err
		}
		t.Flush()
	default:
	}
	return t.breakOff(b)
}

var errBroken = fmt.Errorf("simulated fault: %w", http.ErrAbortHandler)

func (t *tamper) breakOff(b []byte) (int, error) {
	t.broken = true
	switch t.kind {
	case StallStream:
		<-t.ctx.Done()
	case Reset:
		hangUp(t.ResponseWriter)
	case HalfRune:
		_, _ = t.ResponseWriter.Write(append(b[:len(b)/2:len(b)/2], 0xd0))
	case ErrorFirst, ErrorSecond:
		enc := t.sim.opt.Dialect.EncodeStream(&dialect.Incoming{Query: t.query, Req: &scri.ChatRequest{Stream: true}})
		_, _ = t.ResponseWriter.Write(enc.End(nil, &scri.Error{Kind: scri.ErrOverloaded, Message: "simulated error in the stream"}))
	default:
	}
	return 0, errBroken
}

const eventStream = "text/event-stream"

// garbage is a line that is framed like an event and holds none.
func (t *tamper) garbage() []byte {
	if strings.HasPrefix(t.Header().Get("Content-Type"), eventStream) {
		return []byte("data: {\"simulated garbage\n\n")
	}
	return []byte("{\"simulated garbage\n")
}
