package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aratta-gateway/aratta/internal/gateway"
	"github.com/aratta-gateway/aratta/internal/provider"
	"github.com/aratta-gateway/aratta/internal/route"
	"github.com/aratta-gateway/aratta/internal/sim"
	"github.com/aratta-gateway/aratta/scri"
)

// A default model that is not installed is replaced: the answer says so, and so does
// the log, once.
func TestSubstitute(t *testing.T) {
	h := newHouse(t, route.Config{},
		room{name: "near", dialect: "ollama", zone: "local", entry: provider.Entry{DefaultModel: "gone:8b"}, chooses: true},
		room{name: "far", dialect: "anthropic", zone: "cloud", entry: defaults()})
	named := func(w scri.Warning) bool { return w.Path == "/model" }
	for _, stream := range []bool{false, true, false} {
		x := exchange("auto", stream)
		resp, err := h.ask(t, x)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(resp.Warnings, named)
		if resp.Model != "m" || i < 0 || !slices.ContainsFunc(x.Warnings, named) {
			t.Fatalf("%s answered with %+v", resp.Model, resp.Warnings)
		}
		want := scri.Warning{Code: scri.WarnChanged, Path: "/model", From: "gone:8b", To: "m", Detail: "default_model gone:8b is not installed; m is the largest that is"}
		if d := cmp.Diff(want, resp.Warnings[i]); d != "" {
			t.Error(d)
		}
	}
	if told := h.Substitutes(t.Context()); len(told) != 1 || !strings.HasPrefix(told[0], "local.near: default_model gone:8b is not installed") {
		t.Errorf("told %q", told)
	}
	if n := strings.Count(h.log.String(), "default model is not installed"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, h.log.String())
	}

	// Who answers in its place after all has nothing to do with it.
	h.sims["near"].Set(sim.Fault{Kind: sim.ServerError})
	resp, err := h.ask(t, exchange("auto", false))
	if err != nil || resp.Provider != "far" || slices.ContainsFunc(resp.Warnings, named) {
		t.Errorf("%v: %s answered with %+v", err, resp.Provider, resp.Warnings)
	}
}

// Beside the models stands what is configured and cannot be asked for.
func TestNotes(t *testing.T) {
	h := newHouse(t, route.Config{Defaults: map[string][]string{"opus": {"anthropic:opus"}, "haiku": {"anthropic:haiku"}}},
		room{name: "near", dialect: "ollama", zone: "local"},
		room{name: "gone", dialect: "ollama", zone: "local"})
	h.sims["gone"].Set(sim.Fault{Kind: sim.ServerError})
	off := scri.ModelNote{Name: "off", Zone: "cloud", Why: "off: no key"}
	h.opt.Off = []scri.ModelNote{off}
	list := gateway.New(h.opt).Models(t.Context())
	want := []scri.ModelNote{{Name: "gone", Zone: "local", Why: list.Notes[0].Why}, {Name: "haiku, opus", Why: "lead nowhere: not on: anthropic"}, off}
	if d := cmp.Diff(want, list.Notes); d != "" || !strings.HasPrefix(list.Notes[0].Why, "down: ") {
		t.Errorf("%+v:\n%s", list.Notes, d)
	}
}
