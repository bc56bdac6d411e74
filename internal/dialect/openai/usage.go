package openai

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

type usage = dialect.OpenAIUsage

// readUsage reads a usage object into u, which keeps raw beside it.
func readUsage(s *wire.Scanner, u *usage, raw []byte) { u.Read(s, raw, name) }

func number(s *wire.Scanner, n *int64) { dialect.OpenAICount(s, n) }

// usage writes the member usage.
func (e *encoder) usage(u *scri.Usage) {
	if u.Estimated && (u.Dialect != name || len(u.Raw) == 0) {
		e.dropped("/usage/estimated", "counts cannot be marked as estimated")
	}
	dialect.WriteOpenAIUsage(&e.Writer, u, name)
}
