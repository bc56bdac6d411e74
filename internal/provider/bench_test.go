package provider

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// still is a dialect that costs nothing, so that the benchmarks show the way alone.
type still struct {
	plain
	out  *dialect.Outgoing
	resp *scri.ChatResponse
}

func (s *still) EncodeRequest(*scri.ChatRequest, *dialect.Target) (*dialect.Outgoing, []scri.Warning, error) {
	return s.out, nil, nil
}

func (s *still) DecodeResponse(*dialect.Answer) (*scri.ChatResponse, error) { return s.resp, nil }

// BenchmarkWay compares an attempt with a bare RoundTrip of the same request.
func BenchmarkWay(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		body := bytes.Repeat([]byte("x"), size)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body[:1<<10])
		}))
		d := &still{out: &dialect.Outgoing{
			Method: http.MethodPost, Path: "/chat", Header: http.Header{"Content-Type": {"application/json"}}, Body: body,
		}, resp: answerOf("x")}
		p, err := New(Remote, "p", Entry{Dialect: "still", BaseURL: srv.URL, APIKeyEnv: "K"}, Deps{
			Dialects: func(string) (dialect.Dialect, bool) { return d, true }, Catalogue: builtin(b), Version: "test", LookupEnv: env("K", theKey),
		})
		if err != nil {
			b.Fatal(err)
		}
		bare := &http.Transport{DisableCompression: true}
		ctx, cancel := context.WithCancel(WithPermit(b.Context(), For(p.Zone(), p.Host())))
		b.Run(fmt.Sprintf("provider/%dKB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			req := &scri.ChatRequest{}
			for b.Loop() {
				if _, _, err := p.Chat(ctx, req, &Call{Model: "m"}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("bare/%dKB", size>>10), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bareRoundTrip(ctx, b, bare, srv.URL+"/chat", body)
			}
		})
		cancel()
		p.Close()
		bare.CloseIdleConnections()
		srv.Close()
	}
}

func bareRoundTrip(ctx context.Context, b *testing.B, t *http.Transport, url string, body []byte) {
	b.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+theKey)
	resp, err := t.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	if _, err = io.ReadAll(resp.Body); err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
}

// BenchmarkStream reads a stream of 1000 lines that comes in one burst.
func BenchmarkStream(b *testing.B) {
	burst := bytes.Repeat([]byte("some text of a usual length for one token, with its frame around\n"), 1000)
	burst = append(burst, "END\n"...)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write(burst)
	}))
	b.Cleanup(srv.Close)
	p := build(b, Remote, "p", Entry{Dialect: "plain", BaseURL: srv.URL}, Deps{})
	b.ReportAllocs()
	req := &scri.ChatRequest{Stream: true}
	ctx := WithPermit(b.Context(), For(p.Zone(), p.Host()))
	for b.Loop() {
		s, _, err := p.Chat(ctx, req, &Call{Model: "m"})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err = s.Next(); err != nil {
				break
			}
		}
		if err != io.EOF { //nolint:errorlint // exactly this one ends a stream
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
