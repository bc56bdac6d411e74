package dialecttest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/all"
	"github.com/aratta-gateway/aratta/internal/dialect/dialecttest"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// TestMembersDoNotOverride: a client of the native dialect may carry members of
// any other along. They must not say again, and otherwise, what the gateway has
// decided: which model is asked for what.
func TestMembersDoNotOverride(t *testing.T) {
	for _, d := range all.Table() {
		t.Run(d.Name(), func(t *testing.T) {
			req := dialecttest.Hello()
			half, some, list := 0.5, int64(7), []scri.Tool{{Name: "f", Schema: scri.RawJSON(`{}`)}}
			req.Temperature, req.MaxTokens, req.Stream, req.Tools, req.Stop = &half, &some, true, list, []string{"x"}
			req.ToolChoice = &scri.ToolChoice{Mode: scri.ToolsAuto}
			req.Ext = &scri.Ext{Dialect: d.Name(), Members: scri.RawJSON(`{"model":"other","messages":[],"stream":false,"temperature":2,` +
				`"max_tokens":9,"tools":[],"tool_choice":"none","stop":["y"],"stop_sequences":["y"],"x":1}`)}
			out, warn, err := d.EncodeRequest(req, &dialect.Target{Model: "chosen"})
			if err != nil {
				t.Fatal(err)
			}
			if err := wire.Valid(out.Body); err != nil {
				t.Errorf("%v in %s", err, out.Body)
			}
			if b := string(out.Body); strings.Contains(b, "other") || !strings.Contains(b, `"x":1`) {
				t.Errorf("got %s", b)
			}
			if d.Name() != "native" && !slices.ContainsFunc(warn, func(w scri.Warning) bool { return w.Path == "/ext/model" }) {
				t.Errorf("nobody was told: %v", warn)
			}
		})
	}
}
