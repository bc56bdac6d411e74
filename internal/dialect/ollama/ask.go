package ollama

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// What a provider asks a running Ollama about its models, as methods, so that it
// need not know the package.

// ShowRequest asks what a model is.
func (ollama) ShowRequest(model string) *dialect.Outgoing { return ShowRequest(model) }

// DecodeShow reads what a model is.
func (ollama) DecodeShow(a *dialect.Answer) (*scri.ModelInfo, error) { return DecodeShow(a) }

// PSRequest asks which models are loaded.
func (ollama) PSRequest() *dialect.Outgoing { return PSRequest() }

// DecodePS reads which models are loaded.
func (ollama) DecodePS(a *dialect.Answer) (*scri.ModelList, error) { return DecodePS(a) }
