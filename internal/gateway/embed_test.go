package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

func embedding(model string, texts ...string) *scri.Exchange {
	r := &scri.EmbedRequest{Model: model}
	for _, text := range texts {
		r.Input = append(r.Input, scri.EmbedInput{Text: scri.NewText(text)})
	}
	return &scri.Exchange{ID: "req_test", Op: scri.OpEmbed, Embed: r, Lineage: &scri.Lineage{ID: "req_test", Asked: model}}
}

// numbers are the vectors of an answer.
func numbers(t *testing.T, r *scri.EmbedResponse) [][]float32 {
	t.Helper()
	var out [][]float32
	for i, v := range r.Embeddings {
		var list []float32
		if err := json.Unmarshal(v.Values, &list); err != nil || v.Index != i || v.Encoding != scri.EncodingFloat {
			t.Fatalf("vector %d: %v: %+v", i, err, v)
		}
		out = append(out, list)
	}
	return out
}

func TestEmbedInEveryDialect(t *testing.T) {
	for _, d := range all.Table() {
		h := newHouse(t, route.Config{}, room{name: "p", dialect: d.Name(), zone: "local", entry: defaults()})
		resp, err := h.Embed(t.Context(), embedding("p:m", "one text", "another text"))
		if _, embeds := d.(dialect.Embedder); !embeds {
			if scri.AsError(err).Kind != scri.ErrUnsupported {
				t.Errorf("%s: %v, want that it has none", d.Name(), err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			continue
		}
		want := [][]float32{sim.Vector("one text", 256), sim.Vector("another text", 256)}
		if diff := cmp.Diff(want, numbers(t, resp)); diff != "" {
			t.Errorf("%s: %s", d.Name(), diff)
		}
		if resp.Model != "m" || resp.Provider != "p" || resp.Usage == nil || resp.Usage.Input == nil {
			t.Errorf("%s: %+v", d.Name(), resp)
		}
		if a := resp.Lineage.Attempts; len(a) != 1 || a[0].Outcome != "ok" || a[0].Usage == nil || resp.Lineage.CostUSD == nil || *resp.Lineage.CostUSD != 0 {
			t.Errorf("%s: lineage %+v", d.Name(), resp.Lineage)
		}
	}
}

// Only a target with the same model may stand in, and the error says why no other did.
func TestEmbedFallsBackToTheSameModelOnly(t *testing.T) {
	models := func(names ...string) provider.Entry {
		var e provider.Entry
		for _, n := range names {
			e.Models = append(e.Models, provider.ModelEntry{Name: n})
		}
		return e
	}
	cfg := route.Config{Chains: map[string]route.Chain{"embed": {Targets: []string{"near:m", "other:n", "far:maker/m"}}}}
	h := newHouse(t, cfg,
		room{name: "near", dialect: "ollama", zone: "local", entry: models("m")},
		room{name: "other", dialect: "openai", zone: "cloud", entry: models("n")},
		room{name: "far", dialect: "openai", zone: "cloud", entry: models("maker/m")})
	h.sims["near"].Set(sim.Fault{Kind: sim.ServerError})
	_, err := h.Embed(t.Context(), embedding("embed", "a"))
	if e := scri.AsError(err); !strings.Contains(e.Message, "vectors of different models do not mix") {
		t.Errorf("%v; want it to say why nobody else was asked", err)
	}
	if _, n := h.sims["other"].Last(); n != 0 {
		t.Error("a target with another model was asked")
	}
	if _, n := h.sims["far"].Last(); n != 1 { // which says that it does not know maker/m
		t.Error("the target with the same model was not asked")
	}

	h.sims["near"].Set(sim.Fault{})
	resp, err := h.Embed(t.Context(), embedding("", "a"))
	if err != nil || resp.Provider != "near" || resp.Lineage.Chain != "embed" {
		t.Errorf("no model named: %+v, %v; want the chain embed", resp, err)
	}
	if i := slices.IndexFunc(resp.Lineage.Reasons, func(r scri.Reason) bool { return r.Target == "other:n" && r.Code == "skipped" }); i < 0 {
		t.Errorf("reasons %+v do not say why other was left out", resp.Lineage.Reasons)
	}
}

func TestEmbedStaysSovereign(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "far", dialect: "openai", zone: "cloud", entry: defaults()})
	x := embedding("far:m", "a secret")
	x.Embed.Routing = &scri.Routing{Sovereign: true}
	_, err := h.Embed(t.Context(), x)
	if scri.AsError(err).Kind != scri.ErrPolicy {
		t.Errorf("%v, want a refusal by policy", err)
	}
	if _, n := h.sims["far"].Last(); n != 0 {
		t.Error("it left")
	}
}

// A local runtime with one embedding model is asked for that one; of several none is
// as good as the other.
func TestEmbedWithoutAModel(t *testing.T) {
	ask := func(models ...string) (*scri.EmbedResponse, error) {
		s := sim.New(sim.Options{Name: "near", Dialect: all.Get("ollama"), Models: models})
		h := newHouse(t, route.Config{}, room{name: "near", dialect: "ollama", zone: "local", handler: s})
		return h.Embed(t.Context(), embedding("local", "a"))
	}
	if resp, err := ask("llama3.2", "nomic-embed-text"); err != nil || resp.Model != "nomic-embed-text" {
		t.Errorf("%+v, %v; want the model that embeds", resp, err)
	}
	if _, err := ask("nomic-embed-text", "mxbai-embed-large"); err == nil || !strings.Contains(err.Error(), "mxbai-embed-large, nomic-embed-text") {
		t.Errorf("%v; want it to name both", err)
	}
	if _, err := ask("llama3.2"); err == nil || !strings.Contains(err.Error(), "no embedding model") {
		t.Errorf("%v; want that there is none", err)
	}
}

// More inputs than a provider takes go in several calls, and come back in their order.
func TestEmbedSplits(t *testing.T) {
	var calls atomic.Int32
	s := sim.New(sim.Options{Name: "p", Dialect: all.Get("openai")})
	h := newHouse(t, route.Config{}, room{name: "p", dialect: "openai", zone: "cloud", entry: defaults(), handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		s.ServeHTTP(w, r)
	})})
	var texts []string
	var want [][]float32
	for i := range 1200 {
		texts = append(texts, fmt.Sprintf("text %d", i))
		want = append(want, sim.Vector(texts[i], 8))
	}
	x := embedding("p:m", texts...)
	x.Embed.Dimensions = new(int64(8))
	resp, err := h.Embed(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, numbers(t, resp)); diff != "" {
		t.Error(diff)
	}
	if calls.Load() != 3 || *resp.Usage.Input != 2400 {
		t.Errorf("%d calls, %d tokens; want 3 and 2400", calls.Load(), *resp.Usage.Input)
	}
	if i := slices.IndexFunc(resp.Lineage.Reasons, func(r scri.Reason) bool { return r.Code == "split" && r.Detail == "1200 inputs in 3 calls" }); i < 0 {
		t.Errorf("reasons %+v do not tell of the calls", resp.Lineage.Reasons)
	}
}

// An answer that is not what was asked would spoil an index.
func TestEmbedRefusesUnsoundAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body, want string
		kind       scri.ErrorKind
	}{
		"too few":      {`{"data":[{"index":0,"embedding":[1,0]}]}`, "1 vectors for 2 inputs", scri.ErrUnavailable},
		"twice":        {`{"data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[1,0]}]}`, "two for one", scri.ErrUnavailable},
		"a stranger":   {`{"data":[{"index":0,"embedding":[1,0]},{"index":7,"embedding":[1,0]}]}`, "no input", scri.ErrUnavailable},
		"longer":       {`{"data":[{"index":0,"embedding":[1,0,0]},{"index":1,"embedding":[1,0,0]}]}`, "cannot shorten", scri.ErrUnsupported},
		"no values":    {`{"data":[{"index":0},{"index":1}]}`, "without values", scri.ErrUnavailable},
		"no vectors":   {`{"choices":[]}`, "without data", scri.ErrUnavailable},
		"an error":     {`{"error":{"message":"overloaded","type":"overloaded_error"}}`, "overloaded", scri.ErrOverloaded},
		"out of order": {`{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`, "", ""},
	} {
		h := newHouse(t, route.Config{}, room{name: "p", dialect: "openai", zone: "cloud", entry: defaults(), handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(c.body))
		})})
		x := embedding("p:m", "a", "b")
		x.Embed.Dimensions = new(int64(2))
		resp, err := h.Embed(t.Context(), x)
		if c.want == "" {
			if err != nil || cmp.Diff([][]float32{{1, 0}, {0, 1}}, numbers(t, resp)) != "" {
				t.Errorf("%s: %+v, %v", name, resp, err)
			}
			continue
		}
		if e := scri.AsError(err); e.Kind != c.kind || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %s %q; want %s with %q", name, e.Kind, e.Message, c.kind, c.want)
		}
	}
}

// What could not be carried over is told, and refused to those who are strict.
func TestEmbedTellsItsLosses(t *testing.T) {
	h := newHouse(t, route.Config{}, room{name: "p", dialect: "openai", zone: "cloud", entry: defaults()})
	x := embedding("p:m", "a")
	x.Embed.Task = scri.TaskQuery
	resp, err := h.Embed(t.Context(), x)
	if err != nil || len(resp.Warnings) != 1 || resp.Warnings[0].Path != "/task" {
		t.Errorf("%+v, %v; want a warning about /task", resp, err)
	}
	x = embedding("p:m", "a")
	x.Embed.Task, x.Embed.Routing = scri.TaskQuery, &scri.Routing{Strict: true}
	if _, err := h.Embed(t.Context(), x); err == nil || !strings.Contains(err.Error(), "dropped /task") {
		t.Errorf("%v; want a refusal", err)
	}
}
