package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/sim"
)

// heard is what came to a server.
type heard struct {
	mu      sync.Mutex
	bodies  []string
	parents []string // its headers traceparent
}

func (h *heard) note(r *http.Request, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bodies, h.parents = append(h.bodies, body), append(h.parents, r.Header.Get("Traceparent"))
}

func (h *heard) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.bodies, "\n")
}

// Requests are told to a collector, from the reload that names one to the reload
// that does not; providers in the zones that are named are told to which trace a
// request belongs, and no others.
func TestTraces(t *testing.T) {
	var told, near, far heard
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		told.note(r, string(b))
	}))
	t.Cleanup(collector.Close)
	provider := func(h *heard) string {
		s := sim.New(sim.Options{Name: "up", Dialect: all.Get("openai"), Models: []string{"m"}})
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				h.note(r, "")
			}
			s.ServeHTTP(w, r)
		}))
		t.Cleanup(ts.Close)
		return ts.URL
	}
	providers := fmt.Sprintf("[local.near]\ndialect = \"openai\"\nbase_url = %q\n[providers.far]\ndialect = \"openai\"\nbase_url = %q\napi_key_env = \"LAB_KEY\"\nmodels = [\"m\"]\n", provider(&near), provider(&far))
	monitoring := fmt.Sprintf("[monitoring]\notlp_endpoint = %q\n", collector.URL)
	f := newFile(t, providers)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	reload := func(text string) {
		t.Helper()
		f.write(t, text)
		if _, err := f.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.closing.Wait() // what was begun before is delivered
	}
	ask := func(model string, stream bool) {
		t.Helper()
		status, _, body := f.do(t, "POST", "/v1/chat/completions", fmt.Sprintf(`{"model":%q,"stream":%t,"messages":[{"role":"user","content":"a private question"}]}`, model, stream),
			"Traceparent", "00-"+trace+"-b7ad6b7169203331-01", "Tracestate", "vendor=private")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	ask("near:m", false) // nobody is told
	reload(providers + monitoring)
	ask("near:m", false)
	ask("far:m", true)
	reload(providers + monitoring + "trace_zones = [\"cloud\"]\n")
	ask("far:m", false)
	ask("near:m", true)
	reload(providers)
	ask("near:m", false)
	text := told.all()
	if n := strings.Count(text, `"traceId":"`+trace+`"`); n != 8 {
		t.Errorf("%d spans, want one for each of 4 requests and their attempts:\n%s", n, text)
	}
	for _, has := range []string{`"name":"POST /v1/chat/completions"`, `"name":"chat m"`, `"key":"gen_ai.response.finish_reasons"`, `"key":"gen_ai.usage.output_tokens"`, `"key":"server.port"`, `"parentSpanId":"b7ad6b7169203331"`} {
		if !strings.Contains(text, has) {
			t.Errorf("the collector is not told %s:\n%s", has, text)
		}
	}
	if strings.Contains(text, "private") || strings.Contains(text, labKey) {
		t.Errorf("the collector is told what was said:\n%s", text)
	}
	for name, c := range map[string]struct {
		h    *heard
		want []bool // is told of the trace
	}{"near": {&near, []bool{false, true, false, false}}, "far": {&far, []bool{false, true}}} {
		for i, parent := range c.h.parents {
			if c.want[i] != strings.HasPrefix(parent, "00-"+trace+"-") || parent != "" && !strings.Contains(text, `"spanId":"`+parent[36:52]+`"`) {
				t.Errorf("%s is told %q at request %d", name, parent, i)
			}
		}
		if len(c.h.parents) != len(c.want) {
			t.Errorf("%s was asked %d times", name, len(c.h.parents))
		}
	}
}
