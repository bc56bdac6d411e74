package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// ResolveEmbedding finds the model for a request for vectors that names none, and
// says why it is that one. It does not choose: the vectors of one model say nothing
// beside those of another, so a second one that is installed must not change what
// comes. Where there are several, none is returned, and the reason names them.
func (p *Provider) ResolveEmbedding(ctx context.Context) (model, reason string) {
	var names []string
	list, err := p.List(ctx)
	switch {
	case err == nil:
		for i := range list {
			if m := &list[i]; embeds(m) && (p.zone != ZoneLocal || !remote(m)) {
				names = append(names, m.ID)
			}
		}
	case p.zone == ZoneLocal:
		return "", "what is installed is not known: " + scri.AsError(err).Message
	}
	switch len(names) {
	case 0:
		return "", "no embedding model is known here; name one"
	case 1:
		return names[0], "the only embedding model"
	default:
		slices.Sort(names)
		return "", fmt.Sprintf("there are several embedding models, whose vectors do not mix: name one of %s", strings.Join(names, ", "))
	}
}

// embeds reports whether a model makes vectors, by what is said of it or by its name.
func embeds(m *scri.ModelInfo) bool {
	if len(m.Capabilities) > 0 {
		return slices.Contains(m.Capabilities, "embedding") || slices.Contains(m.Capabilities, "embeddings")
	}
	name := strings.ToLower(m.ID + " " + m.Family)
	if strings.Contains(name, "rerank") {
		return false
	}
	for _, word := range []string{"embed", "bert", "bge-", "minilm", "gte-", "e5-"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
