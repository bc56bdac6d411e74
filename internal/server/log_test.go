package server

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aratta-gateway/aratta/internal/journal"
	"github.com/aratta-gateway/aratta/scri"
)

// Every request logs a line, so a line makes no garbage.
func TestLogLineMakesNoGarbage(t *testing.T) {
	tokens := int64(31)
	s := &Server{opt: Options{Log: slog.New(journal.New(io.Discard, slog.NewJSONHandler(io.Discard, nil)))}} //nolint:sloglint // it is to be written
	x := &scri.Exchange{ID: "req_4t7h0qv2mznk9d3xw1ya", Op: scri.OpChat, Lineage: &scri.Lineage{
		Ingress: "openai", Asked: "llama3.2:3b", Reasons: []scri.Reason{{Stage: "attempt", Code: "local"}},
		Attempts: []scri.Attempt{{Provider: "ollama", Model: "llama3.2:3b", Zone: "local", Outcome: "ok", FirstMS: 12.25, TookMS: 31.5, Usage: &scri.Usage{Input: &tokens, Output: &tokens}}},
	}}
	if n := testing.AllocsPerRun(1000, func() { s.logged(t.Context(), x, http.StatusOK, nil) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
