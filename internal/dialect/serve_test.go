package dialect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/scri"
)

// plain is a dialect for tests: the body of a request is its text, "stream"
// before it asks for a stream, and answers are their text.
type plain struct {
	Dialect // what is not needed
	noPing  bool
}

func (plain) Name() string { return "plain" }

func (plain) DecodeRequest(in *Incoming) (*scri.ChatRequest, error) {
	text, stream := strings.CutPrefix(string(in.Body), "stream ")
	if text == "bad" {
		return nil, &scri.Error{Kind: scri.ErrInvalid, Message: "bad", Path: "/text"}
	}
	return &scri.ChatRequest{Model: "m", Stream: stream, Messages: []scri.Message{{Role: scri.RoleUser, Parts: []scri.Part{scri.TextPart(text)}}}}, nil
}

func (plain) EncodeResponse(b []byte, _ *Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	return append(b, r.Choices[0].Output[0].Parts[0].Text.String()...), []scri.Warning{{Code: "dropped", Path: "/x"}}
}

func (p plain) EncodeStream(*Incoming) StreamEncoder { return &plainStream{p} }

func (plain) EncodeError(b []byte, e *scri.Error) (int, []byte) {
	return e.HTTPStatus(), append(b, string(e.Kind)+" "+e.Path+" "+e.Message+" "+e.RequestID...)
}

func (plain) EncodeCount(b []byte, _ *Incoming, c *scri.CountResponse) []byte {
	return strconv.AppendInt(b, c.Input, 10)
}

// counting has the optional half of counting.
type counting struct {
	plain
	Counter
}

func (c counting) EncodeCount(b []byte, in *Incoming, r *scri.CountResponse) []byte {
	return c.plain.EncodeCount(b, in, r)
}

type plainStream struct{ plain }

func (*plainStream) ContentType() string { return "text/plain-stream" }

func (*plainStream) Event(b []byte, e *scri.StreamEvent) []byte {
	return append(b, e.Delta.String()...)
}

func (*plainStream) End(b []byte, err *scri.Error) []byte {
	if err != nil {
		return append(b, "<"+string(err.Kind)+" "+err.RequestID+">"...)
	}
	return append(b, "<end>"...)
}

func (s *plainStream) Ping(b []byte) []byte {
	if s.noPing {
		return b
	}
	return append(b, "<ping>"...)
}

func (*plainStream) Warnings() []scri.Warning { return nil }

// step is an event of a script: after a pause a text, or an error.
type step struct {
	after time.Duration
	text  string
	err   error
	more  bool // the next event is at hand
}

// script is a stream that plays steps.
type script struct {
	ctx    context.Context
	steps  []step
	e      scri.StreamEvent
	more   bool
	closed int
}

func (s *script) Next() (*scri.StreamEvent, error) {
	if len(s.steps) == 0 {
		return nil, io.EOF
	}
	st := s.steps[0]
	s.steps = s.steps[1:]
	s.more = st.more
	select {
	case <-time.After(st.after):
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	}
	if st.err != nil {
		return nil, st.err
	}
	s.e = scri.StreamEvent{Kind: scri.EventDelta, Delta: scri.NewText(st.text)}
	return &s.e, nil
}

func (s *script) Pending() bool { return s.more }

func (s *script) Close() error { s.closed++; return nil }

// written is a client that notes each write with its time.
type written struct {
	header http.Header
	status int
	began  time.Time
	log    []string
	fail   bool
}

func newWritten() *written { return &written{header: http.Header{}, began: time.Now()} }

func (w *written) Header() http.Header    { return w.header }
func (w *written) WriteHeader(status int) { w.status = status }
func (w *written) Flush()                 {}

func (w *written) Write(b []byte) (int, error) {
	if w.fail {
		return 0, errors.New("broken pipe")
	}
	w.log = append(w.log, strconv.Itoa(int(time.Since(w.began).Seconds()))+"s "+string(b))
	return len(b), nil
}

// ending is what Done was told.
type ending struct {
	status int
	kind   scri.ErrorKind
}

// serve lets an endpoint answer one request.
func serve(t *testing.T, d Dialect, body string, opt ServeOptions, before time.Duration, steps []step, failed error) (*written, *script, ending) {
	t.Helper()
	var end ending
	times := 0
	opt.Admit = func(*http.Request) (string, scri.Caller, *scri.Error) { return "id1", scri.Caller{}, nil }
	opt.Done = func(_ *http.Request, _ *scri.Exchange, status int, err *scri.Error) {
		times++
		end.status = status
		if err != nil {
			end.kind = err.Kind
		}
	}
	var s *script
	h := Serve(d, Route{Op: scri.OpChat}, func(ctx context.Context, _ *scri.Exchange) (scri.Stream, error) {
		select {
		case <-time.After(before):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if failed != nil {
			return nil, failed
		}
		s = &script{ctx: ctx, steps: steps}
		return s, nil
	}, opt)
	w := newWritten()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
	if times != 1 {
		t.Errorf("the end was told %d times", times)
	}
	return w, s, end
}

func TestStreams(t *testing.T) {
	busy := &scri.Error{Kind: scri.ErrOverloaded, Message: "busy"}
	for _, c := range []struct {
		name   string
		before time.Duration
		steps  []step
		failed error
		noPing bool
		status int
		want   []string
		end    ending
	}{
		{
			name: "what comes together leaves together", steps: []step{{text: "a", more: true}, {text: "b", more: true}, {text: "c"}, {after: time.Second, text: "d"}},
			status: 200, want: []string{"0s abc", "1s d", "1s <end>"}, end: ending{200, ""},
		},
		{
			name: "silence before the answer", before: 25 * time.Second, steps: []step{{text: "a"}},
			status: 200, want: []string{"10s <ping>", "20s <ping>", "25s a", "25s <end>"}, end: ending{200, ""},
		},
		{
			name: "silence in the answer", steps: []step{{text: "a"}, {after: 35 * time.Second, text: "b"}},
			status: 200, want: []string{"0s a", "20s <ping>", "30s <ping>", "35s b", "35s <end>"}, end: ending{200, ""},
		},
		{
			name: "no silence", steps: []step{{text: "a"}, {after: 9 * time.Second, text: "b"}, {after: 9 * time.Second, text: "c"}, {after: 9 * time.Second, text: "d"}},
			status: 200, want: []string{"0s a", "9s b", "18s c", "27s d", "27s <end>"}, end: ending{200, ""},
		},
		{
			name: "a format without pings waits", noPing: true, before: 25 * time.Second, steps: []step{{text: "a"}},
			status: 200, want: []string{"25s a", "25s <end>"}, end: ending{200, ""},
		},
		{
			name: "an error before anything", before: time.Second, failed: busy,
			status: 503, want: []string{"1s overloaded  busy id1"}, end: ending{503, scri.ErrOverloaded},
		},
		{
			name: "an error as the first event", steps: []step{{err: busy}},
			status: 503, want: []string{"0s overloaded  busy id1"}, end: ending{503, scri.ErrOverloaded},
		},
		{
			name: "an error after a ping", before: 15 * time.Second, failed: busy,
			status: 200, want: []string{"10s <ping>", "15s <overloaded id1>"}, end: ending{200, scri.ErrOverloaded},
		},
		{
			name: "an error after content", steps: []step{{text: "a"}, {after: time.Second, err: busy}},
			status: 200, want: []string{"0s a", "1s <overloaded id1>"}, end: ending{200, scri.ErrOverloaded},
		},
		{
			name: "an error in a burst does not lose what came before", steps: []step{{text: "a", more: true}, {err: busy}},
			status: 200, want: []string{"0s a<overloaded id1>"}, end: ending{200, scri.ErrOverloaded},
		},
		{
			name: "an error that nobody classified", steps: []step{{text: "a"}, {err: errors.New("odd")}},
			status: 200, want: []string{"0s a", "0s <internal id1>"}, end: ending{200, scri.ErrInternal},
		},
		{
			name: "nothing at all", status: 200, want: []string{"0s <end>"}, end: ending{200, ""},
		},
		{
			name: "events without words", steps: []step{{text: ""}, {text: ""}}, status: 200, want: []string{"0s <end>"}, end: ending{200, ""},
		},
		{
			name: "the time for the whole is over", before: 3 * time.Minute,
			status: 200, want: []string{"10s <ping>", "20s <ping>", "30s <ping>", "40s <ping>", "50s <ping>", "55s <timeout id1>"}, end: ending{200, scri.ErrTimeout},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s, end := serve(t, plain{noPing: c.noPing}, "stream hi", ServeOptions{KeepaliveAfter: 10 * time.Second, Timeout: 55 * time.Second}, c.before, c.steps, c.failed)
				if w.status != c.status || end != c.end {
					t.Errorf("status %d, end %+v; want %d, %+v", w.status, end, c.status, c.end)
				}
				if diff := cmp.Diff(c.want, w.log); diff != "" {
					t.Error(diff)
				}
				if s != nil && s.closed == 0 {
					t.Error("the stream was not closed")
				}
				time.Sleep(time.Hour) // nothing may be written when all is over
				if diff := cmp.Diff(c.want, w.log); diff != "" {
					t.Errorf("later: %s", diff)
				}
			})
		})
	}
}

// A long burst is sent in pieces.
func TestBurstsAreBounded(t *testing.T) {
	var steps []step
	for range 10 {
		steps = append(steps, step{text: strings.Repeat("x", flushAt/2), more: true})
	}
	w, _, _ := serve(t, plain{}, "stream hi", ServeOptions{}, 0, steps, nil)
	if len(w.log) != 6 {
		t.Errorf("%d writes", len(w.log))
	}
}

// A client that is gone ends the answer; the end is told as canceled, when the
// answer is closed and its lineage tells how it went.
func TestClientGoes(t *testing.T) {
	var end ending
	closed := 0
	s := &script{ctx: t.Context(), steps: []step{{text: "a"}, {text: "b"}, {text: "c"}}}
	h := Serve(plain{}, Route{Op: scri.OpChat}, func(context.Context, *scri.Exchange) (scri.Stream, error) { return s, nil }, ServeOptions{
		Done: func(_ *http.Request, _ *scri.Exchange, status int, err *scri.Error) {
			end, closed = ending{status, err.Kind}, s.closed
		},
	})
	w := newWritten()
	w.fail = true
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("stream hi")))
	if end != (ending{499, scri.ErrCanceled}) || closed == 0 || len(s.steps) != 2 {
		t.Errorf("end %+v, closed %d times before it was told, %d steps left", end, closed, len(s.steps))
	}
}

func TestWholeAnswers(t *testing.T) {
	committed := 0
	opt := ServeOptions{Commit: func(h http.Header, x *scri.Exchange, head *scri.ChatResponse) {
		committed++
		h.Set("X-Id", x.ID)
		if head != nil && len(x.Warnings) != 1 {
			t.Errorf("warnings %v are not known when the headers are written", x.Warnings)
		}
	}}
	text := "ёлка 🎄 \"quoted\""
	opt.Admit = func(*http.Request) (string, scri.Caller, *scri.Error) { return "id1", scri.Caller{}, nil }
	h := Serve(plain{}, Route{Op: scri.OpChat}, func(_ context.Context, x *scri.Exchange) (scri.Stream, error) {
		asked := x.Req.Messages[0].Parts[0].Text.String()
		return scri.Replay(&scri.ChatResponse{Choices: []scri.Choice{{
			Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart(asked)}}}, Finish: scri.Finish{Reason: scri.FinishStop},
		}}}), nil
	}, opt)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(text)))
	if w.Code != 200 || w.Body.String() != text || w.Header().Get("Content-Length") != strconv.Itoa(len(text)) ||
		w.Header().Get("X-Id") != "id1" || w.Header().Get("Content-Type") != "application/json" || committed != 1 {
		t.Errorf("%d %q %v, committed %d times", w.Code, w.Body, w.Header(), committed)
	}
}

func TestWholeErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		retry  string
	}{
		{"a wait is rounded up", &scri.Error{Kind: scri.ErrRateLimited, RetryAfter: 1100 * time.Millisecond}, 429, "2"},
		{"no wait", &scri.Error{Kind: scri.ErrInvalid}, 400, ""},
		{"nobody classified it", errors.New("odd"), 500, ""},
		{"out of time", context.DeadlineExceeded, 504, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _, end := serve(t, plain{}, "hi", ServeOptions{}, 0, nil, c.err)
			if w.status != c.status || end.status != c.status || w.header.Get("Retry-After") != c.retry {
				t.Errorf("%d, %+v, %v", w.status, end, w.header)
			}
		})
	}
}

// short ends before the length that was announced.
type short struct{ io.Reader }

func TestBodies(t *testing.T) {
	never := func(context.Context, *scri.Exchange) (scri.Stream, error) {
		t.Error("a body that is none was answered")
		return nil, errors.New("no")
	}
	limit := int64(1 << 20)
	for _, c := range []struct {
		name   string
		body   io.Reader
		length int64 // -1 = not announced
		header string
		status int
		want   string
	}{
		{"announced too large", iotestPanic{}, limit + 1, "", 413, "larger than 1 MB"},
		{"not announced, too large", bytes.NewReader(make([]byte, limit+1)), -1, "", 413, "larger than 1 MB"},
		{"shorter than announced", short{strings.NewReader("hi")}, 10, "", 400, "did not arrive whole"},
		{"breaks off", io.MultiReader(strings.NewReader("hi"), broken{}), -1, "", 400, "did not arrive whole"},
		{"compressed", strings.NewReader("hi"), 2, "gzip", 400, `"gzip" is not supported`},
		{"empty", strings.NewReader(""), 0, "", 400, "the body is empty"},
		{"nothing but blanks", strings.NewReader("\r\n"), -1, "", 400, "the body is empty"},
		{"what the dialect refuses", strings.NewReader("bad"), 3, "", 400, "invalid /text bad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", c.body)
			r.ContentLength = c.length
			if c.header != "" {
				r.Header.Set("Content-Encoding", c.header)
			}
			Serve(plain{}, Route{Op: scri.OpChat}, never, ServeOptions{MaxBody: limit}).ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// A body of exactly the largest size is taken.
func TestLargestBody(t *testing.T) {
	for _, announced := range []bool{true, false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 100)))
		if !announced {
			r.ContentLength = -1
		}
		if b, err := readBody(httptest.NewRecorder(), r, 100, new([]byte), new(*sock.Kept)); err != nil || len(b) != 100 {
			t.Errorf("announced %v: %d bytes, %v", announced, len(b), err)
		}
	}
}

type iotestPanic struct{}

func (iotestPanic) Read([]byte) (int, error) { panic("a body that is too large was read") }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRefusedByAdmit(t *testing.T) {
	var end ending
	h := Serve(plain{}, Route{Op: scri.OpChat}, nil, ServeOptions{
		Admit: func(*http.Request) (string, scri.Caller, *scri.Error) {
			return "id1", scri.Caller{}, &scri.Error{Kind: scri.ErrAuth, Message: "who are you"}
		},
		Done: func(_ *http.Request, _ *scri.Exchange, status int, err *scri.Error) { end = ending{status, err.Kind} },
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", iotestPanic{}))
	if w.Code != 401 || end != (ending{401, scri.ErrAuth}) || !strings.Contains(w.Body.String(), "id1") {
		t.Errorf("%d %s, %+v", w.Code, w.Body, end)
	}
}

func TestCounts(t *testing.T) {
	n := func(context.Context, *scri.Exchange) (*scri.CountResponse, error) {
		return &scri.CountResponse{Input: 42}, nil
	}
	fails := func(context.Context, *scri.Exchange) (*scri.CountResponse, error) {
		return nil, &scri.Error{Kind: scri.ErrUnavailable, Message: "nobody"}
	}
	for _, c := range []struct {
		name   string
		d      Dialect
		count  func(context.Context, *scri.Exchange) (*scri.CountResponse, error)
		status int
		want   string
	}{
		{"counted", counting{}, n, 200, "42"},
		{"nobody counts", counting{}, fails, 503, "unavailable  nobody "},
		{"no such format", plain{}, n, 400, "unsupported  tokens are not counted here "},
		{"no counter", counting{}, nil, 400, "unsupported  tokens are not counted here "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("hi"))
			Serve(c.d, Route{Op: scri.OpCount, Stream: Never}, nil, ServeOptions{Count: c.count}).ServeHTTP(w, r)
			if w.Code != c.status || w.Body.String() != c.want {
				t.Errorf("%d %q", w.Code, w.Body)
			}
		})
	}
}

// A body is read into memory that was used before if it fits there.
func TestBodiesShareMemory(t *testing.T) {
	for _, length := range []int64{3, -1} {
		var bodies Bodies
		shared := false
		for range 100 { // pools may forget, and do when races are looked for
			buf := bodies.Take()
			first, err := readBody(httptest.NewRecorder(), withLength(strings.Repeat("a", 10_000), 10_000), 64<<10, buf, new(*sock.Kept))
			if err != nil || len(first) != 10_000 {
				t.Fatal(len(first), err)
			}
			bodies.Put(buf)
			second, err := readBody(httptest.NewRecorder(), withLength("bcd", length), 64<<10, bodies.Take(), new(*sock.Kept))
			if err != nil || string(second) != "bcd" {
				t.Fatalf("%.40q, %v", second, err)
			}
			shared = shared || &first[0] == &second[0]
		}
		if !shared {
			t.Errorf("length %d: each body has memory of its own", length)
		}
	}
	var bodies Bodies
	huge := make([]byte, maxKeptBody+1)
	bodies.Put(&huge)
	if buf := bodies.Take(); cap(*buf) > 0 {
		t.Errorf("%d bytes are kept", cap(*buf))
	}
}

func withLength(body string, n int64) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.ContentLength = n
	return r
}
