package server

import (
	"context"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect/ollama"
	"github.com/aratta-gateway/aratta/scri"
)

// loads reports whether an exchange asks for a model to be loaded: in Ollama's
// API a chat without messages does. `ollama run` sends it before it takes the
// first question.
func loads(x *scri.Exchange) bool {
	return x.Lineage.Ingress == ollama.Name && len(x.Req.Messages) == 0
}

// load says that a model is ready if it can be asked for. It is the gateway's own
// answer: who answers is decided for each question, so nobody's memory is filled
// ahead of it.
func (s *Server) load(ctx context.Context, x *scri.Exchange) (scri.Stream, error) {
	if x.Req.Model != "" {
		if _, err := s.opt.Gateway.Model(ctx, x.Req.Model); err != nil {
			return nil, err
		}
	}
	return scri.Replay(&scri.ChatResponse{
		Model: x.Req.Model, Created: time.Now().UTC(),
		Choices: []scri.Choice{{
			Output: []scri.Message{{Role: scri.RoleAssistant}},
			Finish: scri.Finish{Reason: scri.FinishOther, Raw: "load", Dialect: ollama.Name},
		}},
	}), nil
}
