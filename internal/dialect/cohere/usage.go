package cohere

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decodeUsage reads the counts of an answer, or returns nil for what is no object.
func decodeUsage(raw []byte) *scri.Usage {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return nil
	}
	u := &scri.Usage{Raw: raw, Dialect: Name}
	var billedIn, billedOut *int64
	for name := range s.Members() {
		switch {
		case name == "tokens" && s.Kind() == wire.Object:
			for name := range s.Members() {
				switch name {
				case "input_tokens":
					u.Input = dialect.Count(s)
				case "output_tokens":
					u.Output = dialect.Count(s)
				case "reasoning_tokens":
					u.Thinking = dialect.Count(s)
				}
			}
		case name == "billed_units" && s.Kind() == wire.Object:
			for name := range s.Members() {
				switch name {
				case "input_tokens":
					billedIn = dialect.Count(s)
				case "output_tokens":
					billedOut = dialect.Count(s)
				}
			}
		case name == "cached_tokens":
			u.CacheRead = dialect.Count(s)
		}
	}
	if u.Input == nil && u.Output == nil {
		u.Input, u.Output = billedIn, billedOut
	}
	// A part is no more than its whole, whatever is told.
	u.CacheRead, u.Thinking = dialect.Within(u.CacheRead, u.Input), dialect.Within(u.Thinking, u.Output)
	return u
}

// usage writes the counts. Whatever was billed elsewhere, here it is all tokens.
func (e *encoder) usage(u *scri.Usage) {
	if u.Dialect == Name && len(u.Raw) > 0 {
		e.w.Raw(u.Raw)
		return
	}
	in := e.In("usage")
	e.w.BeginObject()
	if u.Input != nil || u.Output != nil {
		e.w.Key("billed_units")
		e.w.BeginObject()
		e.count("input_tokens", u.Input)
		e.count("output_tokens", u.Output)
		e.w.EndObject()
	}
	e.w.Key("tokens")
	e.w.BeginObject()
	e.count("input_tokens", u.Input)
	e.count("output_tokens", u.Output)
	e.count("reasoning_tokens", u.Thinking)
	e.w.EndObject()
	e.count("cached_tokens", u.CacheRead)
	e.w.EndObject()
	if u.CacheWrite != nil {
		e.Drop("cache_write_tokens", "only what was read from a cache can be told")
	}
	if u.Estimated {
		e.Drop("estimated", "an estimate cannot be told from a count")
	}
	e.Out(in)
}

func (e *encoder) count(key string, n *int64) {
	if n != nil {
		e.w.Key(key)
		e.w.Int(*n)
	}
}
