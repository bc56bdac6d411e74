package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/journal"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/telemetry"
)

// assembled is a server with all that is behind it, and one local provider of OpenAI's
// dialect.
func assembled(tb testing.TB, base string, more func(*provider.Deps)) *Server {
	tb.Helper()
	catalogue, err := provider.Load("")
	if err != nil {
		tb.Fatal(err)
	}
	deps := provider.Deps{
		Dialects: func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil }, Catalogue: catalogue, Version: "test",
		LookupEnv: func(string) (string, bool) { return "", false },
	}
	more(&deps)
	p, err := provider.New(provider.Local, "mock", provider.Entry{Dialect: "openai", BaseURL: base}, deps)
	if err != nil {
		tb.Fatal(err)
	}
	r, _, err := route.New(route.Config{}, []route.Entry{{Name: "mock", Dialect: "openai", Zone: "local", Chooses: true}}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	log := slog.New(journal.New(io.Discard, slog.NewJSONHandler(io.Discard, nil))) //nolint:sloglint // what a line costs belongs to a request
	g := gateway.New(gateway.Options{Router: r, Providers: []*provider.Provider{p}, Log: log})
	tb.Cleanup(g.Close)
	return New(Options{
		Gateway: g, Answers: g, Dialects: all.Table(), Relay: g.Relay, RequestTimeout: 10 * time.Minute, Meter: telemetry.New("test"), Version: "test", Log: log,
	})
}

// turn is what an agent sends: many messages, of which some look alike in JSON and some
// do not. seed says which.
func turn(seed uint64, size int) (body []byte, texts []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	var b bytes.Buffer
	first, last := `"model":"mock:m",`, ""
	if seed%2 == 1 {
		first, last = "", `,"model":"mock:m"`
	}
	fmt.Fprintf(&b, `{%s"messages":[`, first)
	for b.Len() < size {
		if len(texts) > 0 {
			b.WriteByte(',')
		}
		text := strings.Repeat(fmt.Sprintf("line %d of %d \n\"слово\" ", r.Uint32(), seed), 1+r.IntN(2000))
		texts = append(texts, text)
		quoted, err := json.Marshal(text)
		if err != nil {
			panic(err) // a string is JSON
		}
		fmt.Fprintf(&b, `{"role":%q,"content":%s}`, []string{"user", "assistant"}[len(texts)%2], quoted)
	}
	fmt.Fprintf(&b, `],"max_tokens":%d%s}`, 100+seed, last)
	return b.Bytes(), texts
}

// What an agent sends arrives to the byte, also when several do at once, over connections
// that are used again, and when the provider has to be asked once more.
func TestLargeTurnsArrive(t *testing.T) {
	var mu sync.Mutex
	got := map[int][]string{} // by max_tokens
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Model     string
			MaxTokens int `json:"max_tokens"`
			Messages  []struct{ Content string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Model != "m" {
			http.Error(w, fmt.Sprint(in.Model, err), http.StatusBadRequest)
			return
		}
		var texts []string
		for _, m := range in.Messages {
			texts = append(texts, m.Content)
		}
		mu.Lock()
		defer mu.Unlock()
		got[in.MaxTokens] = texts
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}]}`)
	}))
	defer up.Close()
	s := assembled(t, up.URL+"/v1", func(*provider.Deps) {})
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, l) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	want := map[int][]string{}
	var wg sync.WaitGroup
	for client := range uint64(4) {
		bodies := make([][]byte, 6)
		for i := range bodies {
			seed := client*100 + uint64(i)
			var texts []string
			bodies[i], texts = turn(seed, []int{1 << 10, 1 << 20, 300 << 10, 3 << 20, 10 << 10, 600 << 10}[i])
			want[int(100+seed)] = texts
		}
		for _, path := range []string{"/v1/chat/completions", "/v1/messages"} {
			wg.Go(func() {
				hc := &http.Client{Transport: &http.Transport{}}
				defer hc.CloseIdleConnections()
				for _, body := range bodies {
					if err := post(t.Context(), hc, "http://"+l.Addr().String()+path, body); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for id, texts := range want {
		if len(got[id]) != len(texts) {
			t.Errorf("%d messages arrived instead of %d", len(got[id]), len(texts))
			continue
		}
		for i, text := range texts {
			if got[id][i] != text {
				t.Errorf("message %d of %d arrived as another", i, id)
			}
		}
	}
}

func post(ctx context.Context, c *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.300s", resp.Status, b)
	}
	return err
}
