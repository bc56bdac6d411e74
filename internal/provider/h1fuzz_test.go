//go:build unix

package provider

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// outcome is what a transport made of an answer.
type outcome struct {
	Status  int // 0 = an error instead of a head
	Header  http.Header
	Body    string
	Broken  bool // the body ended with an error
	Hanging bool
	trailer bool // it has one; only net/http tells
}

// outcomeOf has a transport ask a server in memory that answers with these
// pieces, and then closes the connection.
func outcomeOf(t testing.TB, make func(DialFunc) transport, pieces [][]byte) outcome {
	var served sync.WaitGroup
	tr := make(func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		served.Go(func() {
			defer there.Close()
			if request(bufio.NewReader(there)) != nil {
				return
			}
			for _, p := range pieces {
				if _, err := there.Write(p); err != nil {
					return
				}
			}
		})
		return here, nil
	})
	defer served.Wait()
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resp, err := tr.RoundTrip(asking(ctx, http.MethodPost, "http://api.example", nil))
	if err != nil {
		return outcome{Hanging: ctx.Err() != nil}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return outcome{resp.StatusCode, resp.Header, string(b), err != nil, ctx.Err() != nil, len(resp.Trailer) > 0}
}

func ours(dial DialFunc) transport {
	return newH1(&url.URL{Scheme: "http", Host: "api.example"}, dial)
}

// theirs is net/http's, which logs what it finds behind an answer.
func theirs(dial DialFunc) transport {
	log.SetOutput(io.Discard)
	return &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHead}
}

// compare fails where h1 reads an answer otherwise than net/http. It may refuse
// what net/http takes in three cases: other protocols, chunks of 2^63 bytes and
// more, trailers that are not made of plain lines.
func compare(t testing.TB, raw []byte, pieces [][]byte) {
	t.Helper()
	want, got := outcomeOf(t, theirs, pieces), outcomeOf(t, ours, pieces)
	sameHead := got.Status == want.Status && reflect.DeepEqual(got.Header, want.Header)
	oddTrailer := want.trailer || bytes.Contains(raw, []byte("\r\n\n"))
	switch {
	case got.Hanging:
		t.Fatalf("%q: hangs", raw)
	case sameHead && got.Body == want.Body && got.Broken == want.Broken:
	case want.Status == http.StatusSwitchingProtocols && got.Status == 0:
	case sameHead && got.Broken && !want.Broken && got.Body == want.Body && oddTrailer:
	case sameHead && got.Broken && want.Broken && strings.HasPrefix(want.Body, got.Body): // a chunk of 2^63 bytes
	default:
		t.Fatalf("%q:\ngot  %+v\nwant %+v", raw, got, want)
	}
}

// cut cuts at places that a seed chooses.
func cut(raw []byte, seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, 1))
	var out [][]byte
	for len(raw) > 0 {
		n := len(raw)
		if r.IntN(4) > 0 {
			n = 1 + r.IntN(min(n, 40))
		}
		out, raw = append(out, raw[:n]), raw[n:]
	}
	return out
}

// answers are whole and broken answers, put together from pieces.
func answers(r *rand.Rand) []byte {
	one := func(s ...string) string { return s[r.IntN(len(s))] }
	var b strings.Builder
	for r.IntN(5) == 0 {
		b.WriteString("HTTP/1.1 " + one("100", "103", "102", "199") + " x\r\n" + one("", "A: b\r\n") + "\r\n")
	}
	fmt.Fprintf(&b, "HTTP/1.%s %s%s", one("1", "1", "1", "0"), one("200 OK", "200", "404 No", "204 x", "304 x", "099 x", "500 "), one("\r\n", "\r\n", "\n"))
	text := strings.Repeat("text", r.IntN(20))
	for range r.IntN(4) {
		b.WriteString(one("Content-Length: "+fmt.Sprint(len(text)), "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "Connection: close",
			"Connection: keep-alive", "X: y", "Content-Length: 3", "Content-Length: -1", "Folded: a\r\n b", "Trailer: T", "X : y", "Transfer-Encoding: gzip") + "\r\n")
	}
	b.WriteString("\r\n")
	if !strings.Contains(b.String(), "chunked") {
		b.WriteString(text)
	} else {
		for rest := text; rest != ""; {
			n := 1 + r.IntN(len(rest))
			fmt.Fprintf(&b, "%s%x%s\r\n%s%s", one("", "", "0", "00000"), n, one("", "", "", " ", ";a=b", " ;c", "\r"), rest[:n], one("\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n"))
			rest = rest[n:]
		}
		b.WriteString(one("0\r\n\r\n", "0\r\n\r\n", "0\r\n\r\n", "0\r\nT: x\r\n\r\n", "0\r\n", "0;e\r\n\r\n", "00\r\n\r\n", ""))
	}
	b.WriteString(one("", "", "", "more", fine))
	out := []byte(b.String())
	switch r.IntN(6) {
	case 0:
		out = out[:r.IntN(len(out))]
	case 1:
		out[r.IntN(len(out))] = byte(r.IntN(256))
	}
	return out
}

// However an answer is cut, it means the same as it does to net/http.
func TestH1AgreesWithNetHTTP(t *testing.T) {
	for seed := range uint64(2000) {
		raw := answers(rand.New(rand.NewPCG(seed, 0)))
		compare(t, raw, cut(raw, seed))
	}
}

func FuzzH1Response(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(answers(rand.New(rand.NewPCG(seed, 0))), seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		if len(raw) <= 32<<10 { // beyond that the bounds of heads differ by a buffer
			compare(t, raw, cut(raw, seed))
		}
	})
}

// complete reports whether raw begins with a whole answer.
func complete(raw []byte) bool {
	br := bufio.NewReader(bytes.NewReader(raw))
	for {
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return false
		}
		if resp.StatusCode < 100 || resp.StatusCode >= 200 {
			_, err = io.Copy(io.Discard, resp.Body)
			return err == nil && (resp.ContentLength >= 0 || len(resp.TransferEncoding) > 0)
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return true
		}
	}
}

// pair is a connected pair of sockets on which what was written has arrived.
func pair(t testing.TB) (a, b *net.UnixConn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var c [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "pair")
		if c[i], err = net.FileConn(file); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	return c[0].(*net.UnixConn), c[1].(*net.UnixConn)
}

// Whatever the first answer was, and however much of it was read: the second
// request arrives whole, and gets its own answer.
func FuzzH1Reuse(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(answers(rand.New(rand.NewPCG(seed, 0))), uint16(seed*3), uint16(seed*300))
	}
	f.Add([]byte(fine+fine), uint16(9), uint16(0))
	f.Add([]byte(fine), uint16(99), uint16(9000))
	f.Fuzz(func(t *testing.T, raw []byte, take, size uint16) {
		if len(raw) > 32<<10 {
			return
		}
		reuse(t, raw, int64(take), bytes.Repeat([]byte("2"), int(size)))
	})
}

func reuse(t *testing.T, raw []byte, take int64, second []byte) {
	const answer = "HTTP/1.1 299 Second\r\nContent-Length: 6\r\n\r\nsecond"
	var served sync.WaitGroup
	said, dials := make(chan struct{}), 0
	tr := newH1(&url.URL{Scheme: "http", Host: "api.example"}, func(context.Context, string, string) (net.Conn, error) {
		here, there := pair(t)
		dials++
		first := dials == 1
		served.Go(func() {
			defer there.Close()
			for r := bufio.NewReader(there); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				if first && string(body) == "first" {
					_, _ = there.Write(raw)
					if !complete(raw) {
						_ = there.CloseWrite()
					}
					close(said)
					continue
				}
				if !bytes.Equal(body, second) || req.RequestURI != "/v1/x?y=z" || req.Host != "api.example" {
					t.Errorf("%q: arrived %s %s with %d bytes", raw, req.Method, req.RequestURI, len(body))
				}
				say(there, answer)
			}
		})
		return here, nil
	})
	defer served.Wait()
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if resp, err := tr.RoundTrip(asking(ctx, http.MethodPost, "http://api.example", []byte("first"))); err == nil {
		_, _ = io.CopyN(io.Discard, resp.Body, take)
		_ = resp.Body.Close()
	}
	<-said
	resp, err := tr.RoundTrip(asking(ctx, http.MethodPost, "http://api.example", second))
	if err != nil {
		t.Fatalf("%q: second: %v", raw, err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != 299 || string(b) != "second" || len(resp.Header) != 1 {
		t.Fatalf("%q: second got %d %v %q, %v", raw, resp.StatusCode, resp.Header, b, err)
	}
}
