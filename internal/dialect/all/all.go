// Package all is the table of the dialects: the one place that knows them all.
package all

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/dialect/anthropic"
	"github.com/aratta-gateway/aratta/internal/dialect/bedrock"
	"github.com/aratta-gateway/aratta/internal/dialect/cohere"
	"github.com/aratta-gateway/aratta/internal/dialect/completions"
	"github.com/aratta-gateway/aratta/internal/dialect/gemini"
	"github.com/aratta-gateway/aratta/internal/dialect/native"
	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/internal/dialect/openai"
	"github.com/aratta-gateway/aratta/internal/dialect/responses"
)

// Table returns every dialect, in the order in which tables show them.
func Table() []dialect.Dialect {
	return []dialect.Dialect{openai.New(), anthropic.New(), ollama.New(), native.New(), cohere.New(), responses.New(), gemini.New(), bedrock.New(), completions.New()}
}

// Get returns the dialect of that name, or nil.
func Get(name string) dialect.Dialect {
	for _, d := range Table() {
		if d.Name() == name {
			return d
		}
	}
	return nil
}
