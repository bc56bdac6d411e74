package provider

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

func dialectKind(status int) scri.ErrorKind { return dialect.ErrorKind(status, "", "") }

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

// limitsOfTest differ all, so that the error tells which one it was.
func limitsOfTest() Timeouts {
	return Timeouts{Headers: 2 * time.Second, FirstToken: 5 * time.Second, Idle: 3 * time.Second, Total: 60 * time.Second}
}

// say writes and forgets that it may fail: the other side may be gone.
func say(c net.Conn, text string) { _, _ = io.WriteString(c, text) }

// Each wait has a limit of its own, and the error tells which one was over.
func TestTimers(t *testing.T) {
	for name, c := range map[string]struct {
		stream bool
		serve  func(net.Conn)
		text   string // received before the error
		err    scri.ErrorKind
		says   string
		after  time.Duration
	}{
		"stall before the head": {
			true, func(net.Conn) { time.Sleep(time.Hour) },
			"", scri.ErrTimeout, "no answer began within 2s", 2 * time.Second,
		},
		"stall before the head of a whole answer": {
			false, func(net.Conn) { time.Sleep(time.Hour) },
			"", scri.ErrTimeout, "no answer began within 2s", 2 * time.Second,
		},
		"stall before the first token": {
			true, func(c net.Conn) { say(c, streamHead); time.Sleep(time.Hour) },
			"", scri.ErrTimeout, "no first token came within 5s", 5 * time.Second,
		},
		"pings are no token": {
			true, func(c net.Conn) {
				say(c, streamHead)
				for range 20 {
					say(c, "ping\n")
					time.Sleep(time.Second)
				}
			},
			"", scri.ErrTimeout, "first_token_timeout", 5 * time.Second,
		},
		"stall in the middle": {
			true, func(c net.Conn) {
				say(c, streamHead+"a\n")
				time.Sleep(time.Second)
				say(c, "b\n")
				time.Sleep(time.Hour)
			},
			"ab", scri.ErrTimeout, "nothing more of the answer came within 3s", 4 * time.Second,
		},
		"slow but alive": {
			true, func(c net.Conn) {
				say(c, streamHead)
				for range 10 {
					say(c, "x\n")
					time.Sleep(2900 * time.Millisecond)
				}
				say(c, "END\n")
			},
			"xxxxxxxxxx", "", "", 29 * time.Second,
		},
		"alive for too long": {
			true, func(c net.Conn) {
				say(c, streamHead)
				for range 100 {
					say(c, "x\n")
					time.Sleep(1100 * time.Millisecond)
				}
			},
			strings.Repeat("x", 55), scri.ErrTimeout, "the answer was not complete within 1m0s", 60 * time.Second,
		},
		"stall in a whole body": {
			false, func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"); time.Sleep(time.Hour) },
			"", scri.ErrTimeout, "raise first_token_timeout", 5 * time.Second,
		},
		"stall in the body of an error": {
			false, func(c net.Conn) {
				say(c, "HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nhalf an expl")
				time.Sleep(time.Hour)
			},
			"", scri.ErrOverloaded, "half an expl", 5 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := make(chan struct{})
				mem := &memory{serve: func(conn net.Conn, r *bufio.Reader) {
					if request(r) != nil {
						return
					}
					go func() { // the client leaves
						_, _ = io.Copy(io.Discard, r)
						close(gone)
					}()
					c.serve(conn)
				}}
				p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial, Timeouts: limitsOfTest()})
				start := time.Now()
				text, err := chat(allowed(t, p), p, c.stream)
				took := time.Since(start)
				if text != c.text || took != c.after {
					t.Errorf("got %q after %s, want %q after %s", text, took, c.text, c.after)
				}
				if c.err == "" {
					if err != nil {
						t.Error(err)
					}
				} else {
					wantError(t, err, c.err, c.says)
				}
				p.Close()
				<-gone
				mem.open.Wait()
			})
		})
	}
}

// Time in which nobody reads is not the upstream's fault.
func TestSlowReaderIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := &memory{serve: func(c net.Conn, r *bufio.Reader) {
			if request(r) == nil {
				say(c, streamHead+"a\nb\n")
				time.Sleep(31 * time.Second)
				say(c, "c\nEND\n")
			}
		}}
		p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial, Timeouts: limitsOfTest()})
		s, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{Stream: true}, &Call{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if text, err := drainText(s); text != "bc" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		p.Close()
		mem.open.Wait()
	})
}

// A stream whose connection stays open after its end does not hold up Close.
func TestLingeringConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := &memory{serve: func(c net.Conn, r *bufio.Reader) {
			if request(r) == nil {
				say(c, streamHead+"a\nEND\n")
				time.Sleep(time.Hour)
			}
		}}
		p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial})
		start := time.Now()
		text, err := chat(allowed(t, p), p, true)
		if text != "a" || err != nil || time.Since(start) > drainWait {
			t.Errorf("%q, %v after %s", text, err, time.Since(start))
		}
		p.Close()
		mem.open.Wait()
	})
}

func TestCutsAndResets(t *testing.T) {
	for name, c := range map[string]struct {
		stream bool
		head   string
		text   string
		err    scri.ErrorKind
	}{
		"closed at once":         {false, "", "", scri.ErrUnavailable},
		"half a head":            {false, "HTTP/1.1 200 OK\r\nContent-", "", scri.ErrUnavailable},
		"no HTTP":                {false, "hello\r\n\r\n", "", scri.ErrUnavailable},
		"whole answer cut":       {false, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"text\"", "", scri.ErrTruncated},
		"stream cut":             {true, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n", "a", scri.ErrTruncated},
		"stream cut in a chunk":  {true, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na\nb", "a", scri.ErrTruncated},
		"broken chunks":          {true, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", scri.ErrTruncated},
		"stream of bad gzip":     {true, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\nnot gzip at all", "", scri.ErrTruncated},
		"unterminated but whole": {true, streamHead + "a\nEND\n", "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			mem := &memory{serve: func(conn net.Conn, r *bufio.Reader) {
				if request(r) == nil {
					say(conn, c.head)
				}
			}}
			p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial})
			text, err := chat(allowed(t, p), p, c.stream)
			if text != c.text {
				t.Errorf("got %q, want %q", text, c.text)
			}
			if c.err != "" {
				wantError(t, err, c.err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Real sockets: refused, reset before the answer, reset within it.
func TestSockets(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	reset := make(chan string, 1)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if request(bufio.NewReader(c)) == nil {
				say(c, <-reset)
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			c.Close()
		}
	}()
	p := build(t, Local, "near", Entry{Dialect: "plain", BaseURL: base}, Deps{})
	reset <- ""
	_, err = chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrUnavailable, "closed before an answer")
	reset <- streamHead + "a\n"
	_, err = chat(allowed(t, p), p, true)
	if e := scri.AsError(err); e.Kind != scri.ErrTruncated && e.Kind != scri.ErrUnavailable { // the reset may overtake the head
		t.Errorf("got %v", err)
	}
	l.Close()
	<-served
	_, err = chat(allowed(t, p), p, false)
	e := wantError(t, err, scri.ErrUnavailable, "nobody listens at "+p.Host(), "that the server runs")
	if e.Provider != "near" {
		t.Errorf("provider %q", e.Provider)
	}
}

func TestUnknownHost(t *testing.T) {
	p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://no-such-host.invalid"}, Deps{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "no-such-host.invalid", IsNotFound: true}}
	}})
	_, err := chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrUnavailable, "no such host: no-such-host.invalid", "base_url")
}

// When the caller goes, the upstream hears of it.
func TestCancellationReachesUpstream(t *testing.T) {
	for name, stream := range map[string]bool{"before the head": false, "in the stream": true} {
		t.Run(name, func(t *testing.T) {
			arrived, gone := make(chan struct{}), make(chan struct{})
			p := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if stream {
					w.Header().Set("Content-Type", "text/event-stream")
					fmt.Fprint(w, "a\n")
					w.(http.Flusher).Flush()
				}
				close(arrived)
				<-r.Context().Done()
				close(gone)
			})
			ctx, cancel := context.WithCancel(allowed(t, p))
			defer cancel()
			go func() {
				<-arrived
				cancel()
			}()
			_, err := chat(ctx, p, stream)
			wantError(t, err, scri.ErrCanceled)
			<-gone
		})
	}
}

// Close ends a stream, also while another goroutine waits in Next.
func TestCloseReachesUpstream(t *testing.T) {
	gone := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "a\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	s, _, err := p.Chat(allowed(t, p), &scri.ChatRequest{Stream: true}, &Call{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error)
	go func() {
		_, err := s.Next()
		waiting <- err
	}()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, <-waiting, scri.ErrCanceled)
	<-gone
	if _, err := s.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("after Close Next gives %v", err)
	}
}

func TestRequestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := &memory{serve: func(c net.Conn, r *bufio.Reader) {
			_ = request(r)
			_, _ = io.Copy(io.Discard, r)
		}}
		p := build(t, Remote, "test", Entry{Dialect: "plain", BaseURL: "http://api.example"}, Deps{Dial: mem.dial})
		ctx, cancel := context.WithTimeout(allowed(t, p), time.Second)
		defer cancel()
		_, err := chat(ctx, p, false)
		wantError(t, err, scri.ErrTimeout, "whole request")
		p.Close()
		mem.open.Wait()
	})
}

func TestRefusals(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Request-Id", "req-9")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, "slow down")
	})
	_, err := chat(allowed(t, p), p, true)
	e := wantError(t, err, scri.ErrRateLimited, "slow down")
	if e.RetryAfter != 7*time.Second || e.RequestID != "req-9" || e.Status != 429 || e.Provider != "test" || string(e.Raw) != "slow down" {
		t.Errorf("got %+v", e)
	}
}

func TestMissingModelSaysHowToGetIt(t *testing.T) {
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "model not found", http.StatusNotFound) })
	p = build(t, Local, "ollama", Entry{BaseURL: "http://" + p.Host()}, Deps{})
	_, err := chat(allowed(t, p), p, false)
	wantError(t, err, scri.ErrNotFound, "ollama pull m")
}
