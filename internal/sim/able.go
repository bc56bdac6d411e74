package sim

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// described is what a simulated model is, by its name: one with "embed" in it makes
// vectors, one with "plain" does nothing but talk, and the degrees in which it thinks
// are told to none but one with "gpt-oss".
func described(model string) scri.ModelInfo {
	m := scri.ModelInfo{
		ID: model, Model: model, ContextWindow: simWindow, Family: "simulated", ParameterSize: "0B",
		Capabilities: []string{"completion", "tools", "thinking", "vision"},
	}
	switch {
	case strings.Contains(model, "embed"):
		m.Capabilities = []string{"embedding"}
	case strings.Contains(model, "plain"):
		m.Capabilities = []string{"completion"}
	case strings.Contains(model, "gpt-oss"):
		m.Family = "gptoss"
	}
	return m
}

// simWindow is the context window that simulated models claim, and usualWindow what
// a simulated Ollama gives them unasked.
const (
	simWindow   = 131072
	usualWindow = 4096
)

// named is the model that a question is about, "" if it does not say.
func named(r *http.Request) string {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil || wire.Valid(body) != nil {
		return ""
	}
	s := wire.NewScanner(body)
	if s.Kind() != wire.Object {
		return ""
	}
	return dialect.Word(s.Peek("model"))
}

// able refuses what Ollama refuses, in its own words (0.17.4): tools and thoughts of
// a model that has none, degrees of thinking of most, and a prompt that does not fit
// where it must not be cut.
func (s *Sim) able(r *scri.ChatRequest) error {
	if s.opt.Dialect.Name() != ollama.Name {
		return nil
	}
	can := described(r.Model)
	refuse := func(kind scri.ErrorKind, format string, args ...any) error {
		return &scri.Error{Kind: kind, Status: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
	}
	if len(r.Tools) > 0 && !slices.Contains(can.Capabilities, "tools") {
		return refuse(scri.ErrUnsupported, "registry.ollama.ai/library/%s does not support tools", r.Model)
	}
	if t := r.Reasoning; t != nil && t.Effort != "none" {
		if !slices.Contains(can.Capabilities, "thinking") {
			return refuse(scri.ErrUnsupported, "%q does not support thinking", r.Model)
		}
		if slices.Contains([]string{"low", "medium", "high"}, t.Effort) && can.Family != "gptoss" {
			return refuse(scri.ErrUnsupported, "think value %q is not supported for this model", t.Effort)
		}
	}
	if ext := r.Ext.Of(ollama.Name); ext != nil && len(ext.Members) > 0 {
		members := wire.NewScanner(ext.Members)
		if string(members.Peek("truncate")) != "false" {
			return nil
		}
		window := int64(usualWindow)
		if options := wire.NewScanner(ext.Members).Peek("options"); options != nil {
			if n := wire.NewScanner(options).Peek("num_ctx"); n != nil {
				window = wire.NewScanner(n).Int()
			}
		}
		if promptTokens(r) > min(window, simWindow) {
			return refuse(scri.ErrContextLength, "the input length exceeds the context length")
		}
	}
	return nil
}
