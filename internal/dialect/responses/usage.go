package responses

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decodeUsage reads counts, or returns nil for what is no object.
func decodeUsage(raw []byte) *scri.Usage {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return nil
	}
	u := &scri.Usage{Raw: raw, Dialect: Name}
	for name := range s.Members() {
		switch name {
		case "input_tokens":
			u.Input = dialect.Count(s)
		case "output_tokens":
			u.Output = dialect.Count(s)
		case "input_tokens_details":
			if s.Kind() != wire.Object {
				continue
			}
			for name := range s.Members() {
				switch name {
				case "cached_tokens":
					u.CacheRead = dialect.Count(s)
				case "cache_write_tokens":
					u.CacheWrite = dialect.Count(s)
				}
			}
		case "output_tokens_details":
			if s.Kind() != wire.Object {
				continue
			}
			for name := range s.Members() {
				if name == "reasoning_tokens" {
					u.Thinking = dialect.Count(s)
				}
			}
		}
	}
	// Some report more cached tokens than there were: a part is no more than its whole.
	u.CacheRead, u.CacheWrite = dialect.Within(u.CacheRead, u.Input), dialect.Within(u.CacheWrite, u.Input)
	u.Thinking = dialect.Within(u.Thinking, u.Output)
	return u
}

// usage writes the counts; null where there are none.
func (e *encoder) usage(u *scri.Usage) {
	e.w.Key("usage")
	switch {
	case u == nil:
		e.w.Null()
		return
	case u.Dialect == Name && len(u.Raw) > 0:
		e.w.Raw(u.Raw)
		return
	case u.Estimated:
		e.lose(scri.WarnDropped, "usage/estimated", "", "", "counts cannot be marked as estimated")
	default:
	}
	e.w.BeginObject()
	e.count("input_tokens", u.Input)
	e.w.Key("input_tokens_details")
	e.w.BeginObject()
	e.always("cached_tokens", u.CacheRead)
	e.count("cache_write_tokens", u.CacheWrite)
	e.w.EndObject()
	e.count("output_tokens", u.Output)
	e.w.Key("output_tokens_details")
	e.w.BeginObject()
	e.always("reasoning_tokens", u.Thinking)
	e.w.EndObject()
	if u.Input != nil && u.Output != nil {
		e.count("total_tokens", new(*u.Input+*u.Output))
	}
	e.w.EndObject()
}

func (e *encoder) count(key string, n *int64) {
	if n != nil {
		e.w.Key(key)
		e.w.Int(*n)
	}
}

// always writes a count that clients expect to find, if only as none.
func (e *encoder) always(key string, n *int64) {
	if n == nil {
		n = new(int64)
	}
	e.count(key, n)
}
