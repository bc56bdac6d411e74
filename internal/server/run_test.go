package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/scri"
)

// endless is a gateway whose answers begin and do not end.
type endless struct {
	toy
	begun chan struct{} // gets one for each answer that has begun
}

func (g endless) Chat(ctx context.Context, _ *scri.Exchange) (scri.Stream, error) {
	begun := scri.Replay(&scri.ChatResponse{ID: "r1", Model: "m", Choices: []scri.Choice{{
		Output: []scri.Message{{Role: scri.RoleAssistant, Parts: []scri.Part{scri.TextPart("hello")}}},
	}}})
	return &waiting{ctx: ctx, g: g, s: begun}, nil
}

type waiting struct {
	ctx context.Context
	g   endless
	s   scri.Stream
}

// Next goes as far as the first text.
func (w *waiting) Next() (*scri.StreamEvent, error) {
	if w.s != nil {
		e, err := w.s.Next()
		if err != nil || e.Kind == scri.EventDelta {
			w.s = nil
		}
		return e, err
	}
	w.g.begun <- struct{}{}
	<-w.ctx.Done()
	return nil, w.ctx.Err()
}

func (w *waiting) Close() error { return nil }

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What is still under way at the end of the drain timeout is told so in the words
// of its dialect, and stands in the log before Run returns.
func TestDrainEndsInWords(t *testing.T) {
	var log lockedBuffer
	g := endless{begun: make(chan struct{}, 1)}
	s := New(Options{
		Gateway: g, Dialects: all.Table(), MaxBody: 1 << 20, DrainTimeout: time.Millisecond,
		Log: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	l := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.Addr().String()+"/v1/chat/completions",
		strings.NewReader(strings.Replace(goodChat, "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	<-g.begun
	stop()
	b, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(b), `"message":"the gateway stops`) || strings.Contains(string(b), "[DONE]") {
		t.Errorf("%v after %s", err, b)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `"kind":"unavailable","error":"the gateway stops"`) {
		t.Errorf("the request that was cut off is not in the log:\n%s", log.String())
	}
}

// Looking out for the end of the server costs whole answers no detour.
func TestAnswersStayWhole(t *testing.T) {
	s := New(Options{Gateway: toy{}, Dialects: all.Table()})
	x := &scri.Exchange{Op: scri.OpChat, Req: &scri.ChatRequest{Model: "m"}, Lineage: &scri.Lineage{}}
	answer, err := s.chat(t.Context(), x)
	if err != nil || scri.Whole(answer) == nil {
		t.Errorf("%v, %v", answer, err)
	}
}

// hungry is a listener without file descriptors at first.
type hungry struct {
	net.Listener
	once sync.Once
}

func (h *hungry) Accept() (net.Conn, error) {
	var err error
	h.once.Do(func() { err = &net.OpError{Op: "accept", Err: syscall.EMFILE} })
	if err != nil {
		return nil, err
	}
	return h.Listener.Accept()
}

// An operator learns that connections cannot be taken.
func TestAcceptFailuresAreLogged(t *testing.T) {
	var log lockedBuffer
	s := New(Options{Gateway: toy{}, Dialects: all.Table(), Log: slog.New(slog.NewJSONHandler(&log, nil))})
	l := listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, &hungry{Listener: l}) }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/health", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "too many open files") || !strings.Contains(log.String(), `"level":"WARN"`) {
		t.Errorf("the log says nothing of it:\n%s", log.String())
	}
}

// A listener that fails ends the server with its failure.
func TestListenerFails(t *testing.T) {
	s := New(Options{Gateway: toy{}, Dialects: all.Table()})
	l := listen(t)
	l.Close()
	if err := s.Run(t.Context(), l); !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

// A stream that two close is counted no longer once.
func TestClosedTwice(t *testing.T) {
	var open atomic.Int64
	open.Store(1)
	e := &ending{Stream: &torn{}, done: func() { open.Add(-1) }}
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { _ = e.Close() })
	}
	both.Wait()
	if n := open.Load(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}
