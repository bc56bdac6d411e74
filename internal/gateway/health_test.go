package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/provider"
)

// Whoever asks often is told what was found last; what is down says why.
func TestHealth(t *testing.T) {
	var asked atomic.Int64
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte(`{"object":"list","data":[]}`))
	}))
	defer there.Close()
	catalogue, err := provider.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var list []*provider.Provider
	for _, url := range []string{"http://127.0.0.1:1", there.URL} {
		p, err := provider.New(provider.Local, "p", provider.Entry{Dialect: "openai", BaseURL: url}, provider.Deps{
			Dialects: func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil }, Catalogue: catalogue,
			LookupEnv: func(string) (string, bool) { return "", false },
		})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	g := gateway.New(gateway.Options{Providers: list})
	defer g.Close()
	for range 3 {
		list := g.Health(t.Context())
		if len(list) != 2 || list[0].Up || list[0].Kind != "unavailable" || list[0].Error == "" || !list[1].Up || list[1].TookMS <= 0 {
			t.Fatalf("found %+v", list)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

// Who leaves does not wait for what another is asking.
func TestHealthIsLeft(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-answer
	}))
	defer slow.Close()
	catalogue, err := provider.Load("")
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.New(provider.Local, "p", provider.Entry{Dialect: "openai", BaseURL: slow.URL}, provider.Deps{
		Dialects: func(n string) (dialect.Dialect, bool) { d := all.Get(n); return d, d != nil }, Catalogue: catalogue,
		LookupEnv: func(string) (string, bool) { return "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	g := gateway.New(gateway.Options{Providers: []*provider.Provider{p}})
	defer g.Close()
	found := make(chan int, 1)
	go func() { found <- len(g.Health(context.Background())) }()
	<-asked
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if list := g.Health(ctx); list != nil {
		t.Errorf("found %+v", list)
	}
	close(answer)
	if n := <-found; n != 1 {
		t.Errorf("who waited was told of %d", n)
	}
}
