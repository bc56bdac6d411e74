package provider

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Many may wait for models that think; the memory that answers are read into is for those
// whose answer has come.
func TestH1WaitsWithoutMemory(t *testing.T) {
	const requests = 50
	var arrived sync.WaitGroup
	arrived.Add(requests)
	answer := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		<-answer
		_, _ = io.WriteString(w, "ok")
	}))
	defer srv.Close()
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	h := newH1(base, d.DialContext)
	defer h.CloseIdleConnections()
	c, err := h.dial(t.Context(), "tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(interface{ Await() error }); !ok {
		t.Skip("connections cannot be awaited here: another system than Linux, or the race detector")
	}
	var desks atomic.Int32
	made := h.desks.New
	h.desks.New = func() any { desks.Add(1); return made() }

	var done sync.WaitGroup
	for range requests {
		done.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := h.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); string(b) != "ok" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	arrived.Wait()
	waiting := desks.Load()
	close(answer)
	done.Wait()
	if waiting > 0 {
		t.Errorf("%d of %d requests that waited had the memory for an answer", waiting, requests)
	}
}
