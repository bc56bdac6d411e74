package dialect

import (
	"net/http"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Passage is a path whose requests are passed on as they are, see [scri.Relay].
type Passage struct {
	Method  string
	Pattern string // as net/http.ServeMux has it; its variables are ids
	Op      scri.Op
	Dialect string   // in which errors are told
	Takers  []string // dialects of providers that have the path
	Models  bool     // the body may name a model
}

// Passages lists all of them. Those of files are OpenAI's unless the client says
// that it speaks Anthropic's, see [Passage.Spoken].
func Passages() []Passage {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	openai := []string{"openai", "responses"}
	anthropic := []string{"anthropic"}
	ranks := []string{"openai", "responses", "cohere"}
	return []Passage{
		{post, "/v1/audio/speech", scri.OpAudio, "openai", openai, true},
		{post, "/v1/audio/transcriptions", scri.OpAudio, "openai", openai, true},
		{post, "/v1/audio/translations", scri.OpAudio, "openai", openai, true},
		{post, "/v1/images/generations", scri.OpImages, "openai", openai, true},
		{post, "/v1/images/edits", scri.OpImages, "openai", openai, true},
		{post, "/v1/images/variations", scri.OpImages, "openai", openai, true},
		{post, "/v1/moderations", scri.OpModerations, "openai", openai, true},
		{post, "/v1/rerank", scri.OpRerank, "openai", ranks, true},
		{post, "/v2/rerank", scri.OpRerank, "cohere", ranks, true},
		{post, "/v1/files", scri.OpFiles, "openai", openai, false},
		{get, "/v1/files", scri.OpFiles, "openai", openai, false},
		{get, "/v1/files/{id}", scri.OpFiles, "openai", openai, false},
		{del, "/v1/files/{id}", scri.OpFiles, "openai", openai, false},
		{get, "/v1/files/{id}/content", scri.OpFiles, "openai", openai, false},
		{post, "/v1/uploads", scri.OpFiles, "openai", openai, false},
		{post, "/v1/uploads/{id}/parts", scri.OpFiles, "openai", openai, false},
		{post, "/v1/uploads/{id}/complete", scri.OpFiles, "openai", openai, false},
		{post, "/v1/uploads/{id}/cancel", scri.OpFiles, "openai", openai, false},
		{post, "/v1/batches", scri.OpBatches, "openai", openai, false},
		{get, "/v1/batches", scri.OpBatches, "openai", openai, false},
		{get, "/v1/batches/{id}", scri.OpBatches, "openai", openai, false},
		{post, "/v1/batches/{id}/cancel", scri.OpBatches, "openai", openai, false},
		{post, "/v1/messages/batches", scri.OpBatches, "anthropic", anthropic, false},
		{get, "/v1/messages/batches", scri.OpBatches, "anthropic", anthropic, false},
		{get, "/v1/messages/batches/{id}", scri.OpBatches, "anthropic", anthropic, false},
		{del, "/v1/messages/batches/{id}", scri.OpBatches, "anthropic", anthropic, false},
		{post, "/v1/messages/batches/{id}/cancel", scri.OpBatches, "anthropic", anthropic, false},
		{get, "/v1/messages/batches/{id}/results", scri.OpBatches, "anthropic", anthropic, false},
	}
}

// Spoken is the passage as a client with this header means it.
func (p Passage) Spoken(h http.Header) Passage {
	if p.Op == scri.OpFiles && strings.HasPrefix(p.Pattern, "/v1/files") && h.Get("Anthropic-Version") != "" {
		p.Dialect, p.Takers = "anthropic", []string{"anthropic"}
	}
	return p
}
