package dialect

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/scri"
)

// pipes is a listener to which connections are handed.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.over); return nil }
func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

// listen serves h and returns the client's end of one connection, on which
// nothing is ever buffered.
func listen(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), over: make(chan struct{})}
	srv := &http.Server{Handler: h}
	go func() { _ = srv.Serve(l) }()
	client, server := net.Pipe()
	l.conns <- server
	t.Cleanup(func() {
		_ = client.Close()
		_ = srv.Close()
	})
	return client
}

func admitted(*http.Request) (string, scri.Caller, *scri.Error) { return "id1", scri.Caller{}, nil }

func refused(*http.Request) (string, scri.Caller, *scri.Error) {
	return "id1", scri.Caller{}, &scri.Error{Kind: scri.ErrAuth, Message: "who are you"}
}

// answers is a handler that gives steps.
func answers(steps ...step) scri.Handler {
	return func(ctx context.Context, _ *scri.Exchange) (scri.Stream, error) {
		return &script{ctx: ctx, steps: append([]step{}, steps...)}, nil
	}
}

// A body may be slow, but not for ever, whether it is wanted or not.
func TestSlowBodies(t *testing.T) {
	const chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	announced := func(n int) string { return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", n) }
	for _, c := range []struct {
		name   string
		head   string
		piece  string
		pieces int
		pause  time.Duration
		admit  func(*http.Request) (string, scri.Caller, *scri.Error)
		status int
		took   time.Duration // at most
	}{
		{"a byte a minute", announced(100), "x", 100, time.Minute, admitted, http.StatusRequestTimeout, time.Minute},
		{"a chunk a minute", chunked, "1\r\nx\r\n", 100, time.Minute, admitted, http.StatusRequestTimeout, time.Minute},
		{"nothing at all", announced(1 << 20), "", 0, 0, admitted, http.StatusRequestTimeout, time.Minute},
		{"nothing at all of what is refused", announced(100), "", 0, 0, refused, http.StatusUnauthorized, time.Minute},
		{"a chunk a minute of what is refused", chunked, "1\r\nx\r\n", 100, time.Minute, refused, http.StatusUnauthorized, time.Minute},
		{"large and slow", announced(2000 * 1024), strings.Repeat("x", 20<<10), 100, time.Second, admitted, http.StatusOK, 3 * time.Minute},
		{"large and slow in chunks", chunked, "5000\r\n" + strings.Repeat("x", 20<<10) + "\r\n", 100, time.Second, admitted, http.StatusOK, 3 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := listen(t, Serve(plain{}, Route{Op: scri.OpChat, Stream: Always}, answers(step{text: "a"}), ServeOptions{Admit: c.admit}))
				began := time.Now()
				sent := make(chan struct{})
				defer func() {
					_ = conn.Close()
					<-sent
				}()
				go func() {
					defer close(sent)
					_, _ = io.WriteString(conn, c.head)
					for range c.pieces {
						time.Sleep(c.pause)
						if _, err := io.WriteString(conn, c.piece); err != nil {
							return
						}
					}
					if c.head == chunked {
						_, _ = io.WriteString(conn, "0\r\n\r\n")
					}
				}()
				res, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); res.StatusCode != c.status || took > c.took {
					t.Errorf("status %d after %s", res.StatusCode, took)
				}
				if c.status == http.StatusOK {
					return
				}
				if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.ErrClosedPipe) {
					t.Error(err)
				}
				if took := time.Since(began); took > c.took+time.Second {
					t.Errorf("the connection was held for %s", took)
				}
			})
		})
	}
}

// After a body that came in time nothing bounds the wait for the answer, and the
// connection serves again.
func TestNoDeadlineAfterTheBody(t *testing.T) {
	for _, stream := range []string{"", "stream "} {
		synctest.Test(t, func(t *testing.T) {
			h := func(ctx context.Context, _ *scri.Exchange) (scri.Stream, error) {
				select {
				case <-time.After(time.Hour):
				case <-ctx.Done():
					return nil, ctx.Err()
				}
				return scri.Replay(&scri.ChatResponse{Choices: []scri.Choice{{Output: []scri.Message{{Parts: []scri.Part{scri.TextPart("late")}}}}}}), nil
			}
			conn := listen(t, Serve(plain{noPing: true}, Route{Op: scri.OpChat}, h, ServeOptions{}))
			r := bufio.NewReader(conn)
			for range 2 {
				go func() {
					_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%shi", len(stream)+2, stream)
				}()
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "late") {
					t.Errorf("%d %q %v", res.StatusCode, body, err)
				}
			}
		})
	}
}

// A client that does not read what it asked for is given up.
func TestClientThatDoesNotRead(t *testing.T) {
	var steps []step
	for range 1000 {
		steps = append(steps, step{after: time.Second, text: strings.Repeat("x", 8<<10)})
	}
	for _, every := range []time.Duration{0, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			end := make(chan ending, 1)
			conn := listen(t, Serve(plain{}, Route{Op: scri.OpChat}, answers(steps...), ServeOptions{
				KeepaliveAfter: every,
				Done: func(_ *http.Request, _ *scri.Exchange, status int, err *scri.Error) {
					end <- ending{status, err.Kind}
				},
			}))
			began := time.Now()
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nstream hi")
			if got := <-end; got != (ending{499, scri.ErrCanceled}) || time.Since(began) > 2*writeTime {
				t.Errorf("%+v after %s", got, time.Since(began))
			}
		})
	}
}

// One that reads slowly is not: each piece gets its time.
func TestClientThatReadsSlowly(t *testing.T) {
	var steps []step
	for range 100 {
		steps = append(steps, step{text: strings.Repeat("x", flushAt), more: true})
	}
	synctest.Test(t, func(t *testing.T) {
		end := make(chan ending, 1)
		conn := listen(t, Serve(plain{}, Route{Op: scri.OpChat}, answers(steps...), ServeOptions{
			KeepaliveAfter: 10 * time.Second,
			Done:           func(_ *http.Request, _ *scri.Exchange, status int, _ *scri.Error) { end <- ending{status, ""} },
		}))
		_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nstream hi")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for buf := make([]byte, 8<<10); err == nil; time.Sleep(10 * time.Second) {
			var n int
			n, err = res.Body.Read(buf)
			got += n
		}
		if want := 100*flushAt + len("<end>"); got != want || (<-end).status != http.StatusOK {
			t.Errorf("%d bytes came of %d, then %v", got, want, err)
		}
	})
}

// What was held back for more is sent if no more comes.
func TestHeldBackIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := []step{{text: "a", more: true}, {after: 5 * time.Second, text: "b", more: true}, {after: 5 * time.Second}, {after: 14 * time.Second, text: "c"}}
		w, _, _ := serve(t, plain{}, "stream hi", ServeOptions{KeepaliveAfter: 10 * time.Second}, 0, steps, nil)
		if diff := cmp.Diff([]string{"0s a", "5s b", "15s <ping>", "24s c", "24s <end>"}, w.log); diff != "" {
			t.Error(diff)
		}
	})
}

// The keep-alive writes the headers while the handler is at work on the
// exchange. Run it with -race.
func TestKeepaliveLeavesTheExchangeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen scri.Exchange
		h := Serve(plain{}, Route{Op: scri.OpChat}, func(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
			for range 30 {
				x.Req = &scri.ChatRequest{}
				x.Lineage.Attempts = append(x.Lineage.Attempts, scri.Attempt{})
				x.Lineage.Reasons = append(x.Lineage.Reasons, scri.Reason{})
				x.Warnings = append(x.Warnings, scri.Warning{})
				time.Sleep(time.Second)
			}
			return scri.Replay(&scri.ChatResponse{}), nil
		}, ServeOptions{KeepaliveAfter: 10 * time.Second, Admit: admitted, Commit: func(_ http.Header, x *scri.Exchange, _ *scri.ChatResponse) {
			seen = *x
		}})
		h.ServeHTTP(newWritten(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("stream hi")))
		if seen.ID != "id1" || seen.Lineage.ID != "id1" || seen.Lineage.Asked != "m" || seen.Req == nil || len(seen.Lineage.Attempts)+len(seen.Warnings) > 0 {
			t.Errorf("%+v %+v", seen, seen.Lineage)
		}
	})
}

// An error that is remembered and given to many is not written to.
func TestSharedErrors(t *testing.T) {
	for _, body := range []string{"hi", "stream hi"} {
		shared := &scri.Error{Kind: scri.ErrUnavailable, Message: "down"}
		serve(t, plain{}, body, ServeOptions{}, 0, nil, shared)
		serve(t, plain{}, body, ServeOptions{}, 0, []step{{text: "a"}, {err: shared}}, nil)
		if shared.RequestID != "" {
			t.Errorf("%s: the error got the id %s", body, shared.RequestID)
		}
	}
}

// The length of a body alone takes little memory.
func TestAnnouncedLengthIsNotTrusted(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", short{strings.NewReader("hi")})
		r.ContentLength = 30 << 20
		if _, err := readBody(httptest.NewRecorder(), r, DefaultMaxBody, new([]byte), new(*sock.Kept)); err == nil {
			t.Fatal("a body without an end")
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / 100; n > 2*bodyTrust {
		t.Errorf("%d bytes for a body of two", n)
	}
}

// A long stream does not hold on to the body of its request.
func TestStreamsLetTheBodyGo(t *testing.T) {
	freed := make(chan struct{})
	s := &waiting{until: freed}
	h := Serve(aliasing{}, Route{Op: scri.OpChat, Stream: Always}, func(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
		runtime.AddCleanup(unsafe.StringData(x.In.User), func(struct{}) { close(freed) }, struct{}{})
		return s, nil
	}, ServeOptions{Commit: func(_ http.Header, x *scri.Exchange, _ *scri.ChatResponse) {
		if x.Lineage.Asked != "xxxx" {
			t.Errorf("asked for %q", x.Lineage.Asked)
		}
	}})
	h.ServeHTTP(newWritten(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 1<<20))))
	if s.tries > mostTries {
		t.Error("the body is still there")
	}
}

// aliasing decodes requests whose strings lie in the body.
type aliasing struct{ plain }

func (aliasing) DecodeRequest(in *Incoming) (*scri.ChatRequest, error) {
	all := unsafe.String(unsafe.SliceData(in.Body), len(in.Body))
	return &scri.ChatRequest{Model: all[:4], User: all}, nil
}

// mostTries is how often a collection may leave to another what is not used any more.
const mostTries = 1000

// waiting is a stream that goes on until something was freed.
type waiting struct {
	until chan struct{}
	tries int
	e     scri.StreamEvent
}

func (s *waiting) Next() (*scri.StreamEvent, error) {
	runtime.GC()
	s.tries++
	select {
	case <-s.until:
		return nil, io.EOF
	case <-time.After(time.Millisecond):
	}
	if s.tries > mostTries {
		return nil, io.EOF
	}
	s.e = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText("x")}
	return &s.e, nil
}

func (*waiting) Close() error { return nil }

// Bodies of all lengths around the borders come as they were sent.
func TestBodiesArePieced(t *testing.T) {
	for _, n := range []int{0, 1, 8 << 10, bodyPiece - 1, bodyPiece, bodyPiece + 1, bodyTrust - 1, bodyTrust, bodyTrust + 1, 3*bodyTrust + 7} {
		want := make([]byte, n)
		for i := range want {
			want[i] = byte(i * 7 >> 3)
		}
		for _, announced := range []bool{true, false} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(want)))
			if !announced {
				r.ContentLength = -1
			}
			b, err := readBody(httptest.NewRecorder(), r, int64(n), new([]byte), new(*sock.Kept))
			if err != nil || string(b) != string(want) {
				t.Errorf("%d bytes, announced %v: %d, %v", n, announced, len(b), err)
			}
			if n == 0 {
				continue
			}
			r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(want)))
			r.ContentLength = -1
			if _, err := readBody(httptest.NewRecorder(), r, int64(n-1), new([]byte), new(*sock.Kept)); err == nil || err.HTTPStatus() != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes, one too many: %v", n, err)
			}
		}
	}
}

// panicky panics where it is told to.
type panicky struct {
	plain
	at string
}

func (p panicky) DecodeRequest(in *Incoming) (*scri.ChatRequest, error) {
	p.maybe("decode")
	return p.plain.DecodeRequest(in)
}

func (p panicky) EncodeResponse(b []byte, in *Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	p.maybe("response")
	return p.plain.EncodeResponse(b, in, r)
}

func (p panicky) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	p.maybe("error")
	return p.plain.EncodeError(b, e)
}

func (p panicky) EncodeStream(in *Incoming) StreamEncoder {
	return &panickyStream{StreamEncoder: p.plain.EncodeStream(in), at: p}
}

func (p panicky) maybe(where string) {
	if p.at == where {
		panic(where)
	}
}

type panickyStream struct {
	StreamEncoder
	at panicky
}

func (s *panickyStream) Event(b []byte, e *scri.StreamEvent) []byte {
	if e.Delta.String() != "a" {
		s.at.maybe("event")
	}
	return s.StreamEncoder.Event(b, e)
}

func (s *panickyStream) End(b []byte, err *scri.Error) []byte {
	s.at.maybe("end")
	return s.StreamEncoder.End(b, err)
}

func (s *panickyStream) Ping(b []byte) []byte {
	if b != nil { // the first call only asks whether there are any
		s.at.maybe("ping")
	}
	return s.StreamEncoder.Ping(b)
}

// A panic ends one exchange: the client is told, the end is told, the stream is
// closed, and the process goes on.
func TestPanics(t *testing.T) {
	ok := []step{{text: "a"}, {after: 25 * time.Second, text: "b"}}
	for _, c := range []struct {
		at, body string
		steps    []step
		status   int
		want     []string
		end      ending
		abort    bool
	}{
		{at: "decode", body: "hi", status: 500, want: []string{"0s internal  the gateway failed id1"}, end: ending{500, scri.ErrInternal}},
		{at: "response", body: "hi", status: 500, want: []string{"0s internal  the gateway failed id1"}, end: ending{500, scri.ErrInternal}},
		{at: "event", body: "stream hi", steps: ok[1:], status: 200, want: []string{"10s <ping>", "20s <ping>", "25s <internal id1>"}, end: ending{200, scri.ErrInternal}},
		{at: "event", body: "stream hi", steps: ok, status: 200, want: []string{"0s a", "20s <ping>", "25s <internal id1>"}, end: ending{200, scri.ErrInternal}},
		{at: "ping", body: "stream hi", steps: ok, status: 200, want: []string{"0s a", "25s <internal id1>"}, end: ending{200, scri.ErrInternal}},
		{at: "end", body: "stream hi", steps: ok[:1], status: 200, want: []string{"0s a"}, end: ending{500, scri.ErrInternal}, abort: true},
		{at: "error", body: "bad", end: ending{500, scri.ErrInternal}, abort: true},
	} {
		t.Run(c.at+" "+c.body, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var end ending
				var told []string
				times := 0
				s := &script{ctx: t.Context(), steps: append([]step{}, c.steps...)}
				h := Serve(panicky{at: c.at}, Route{Op: scri.OpChat}, func(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
					if !x.Req.Stream {
						return &failing{s}, nil
					}
					return s, nil
				}, ServeOptions{
					KeepaliveAfter: 10 * time.Second, Admit: admitted,
					Done: func(_ *http.Request, _ *scri.Exchange, status int, err *scri.Error) {
						end, times = ending{status, err.Kind}, times+1
					},
					Panicked: func(_ *scri.Exchange, p any) { told = append(told, fmt.Sprint(p)) },
				})
				w := newWritten()
				aborted := func() (aborted bool) {
					defer func() { aborted = errors.Is(asError(recover()), http.ErrAbortHandler) }()
					h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body)))
					return false
				}()
				if w.status != c.status || end != c.end || times != 1 || aborted != c.abort || len(told) != 1 || !strings.HasPrefix(told[0], c.at) {
					t.Errorf("status %d, end %+v told %d times, aborted %v, panic %q", w.status, end, times, aborted, told)
				}
				if diff := cmp.Diff(c.want, w.log); diff != "" {
					t.Error(diff)
				}
				if c.at != "decode" && c.at != "error" && s.closed == 0 {
					t.Error("the stream was not closed")
				}
			})
		})
	}
}

func asError(p any) error {
	err, _ := p.(error)
	return err
}

// failing is a whole answer, closed as s.
type failing struct{ *script }

func (f *failing) Next() (*scri.StreamEvent, error) {
	if len(f.steps) == 0 && f.closed == 0 {
		f.steps = []step{{text: "x"}}
		return &scri.StreamEvent{Kind: scri.EventFinish, Finish: &scri.Finish{}}, nil
	}
	return nil, io.EOF
}
