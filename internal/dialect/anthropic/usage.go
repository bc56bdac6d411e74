package anthropic

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decodeUsage reads counts. Those of the input exclude what was cached here,
// and are totals in the language. It returns nil for what is no object.
func decodeUsage(raw []byte) *scri.Usage {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return nil
	}
	u := &scri.Usage{Raw: raw, Dialect: Name}
	var input *int64
	for name := range s.Members() {
		switch name {
		case "input_tokens":
			input = dialect.Count(s)
		case "cache_creation_input_tokens":
			u.CacheWrite = dialect.Count(s)
		case "cache_read_input_tokens":
			u.CacheRead = dialect.Count(s)
		case "output_tokens":
			u.Output = dialect.Count(s)
		case "output_tokens_details":
			if s.Kind() != wire.Object {
				continue
			}
			for name := range s.Members() {
				if name == "thinking_tokens" {
					u.Thinking = dialect.Count(s)
				}
			}
		}
	}
	if input != nil {
		u.Input = new(*input + dialect.Counted(u.CacheRead) + dialect.Counted(u.CacheWrite))
	}
	return u
}

// usage writes the counts, which every answer must have.
func (e *encoder) usage(u *scri.Usage) {
	if u == nil {
		e.w.Raw([]byte(`{"input_tokens":0,"output_tokens":0}`))
		e.lose(scri.WarnAdded, "usage", "", "0", "every answer has counts here; none were reported")
		return
	}
	if u.Dialect == Name && len(u.Raw) > 0 {
		e.w.Raw(u.Raw)
		return
	}
	in := e.in("usage")
	e.w.BeginObject()
	e.w.Key("input_tokens")
	cached := dialect.Counted(u.CacheRead) + dialect.Counted(u.CacheWrite)
	switch {
	case u.Input == nil:
		e.w.Int(0)
		e.lose(scri.WarnAdded, "input_tokens", "", itoa(cached), "it was not reported")
	case *u.Input < cached:
		e.w.Int(0)
		e.lose(scri.WarnChanged, "input_tokens", itoa(*u.Input), itoa(cached), "it was less than what was cached of it")
	default:
		e.w.Int(*u.Input - cached)
	}
	e.count("cache_creation_input_tokens", u.CacheWrite)
	e.count("cache_read_input_tokens", u.CacheRead)
	if u.Output == nil {
		e.lose(scri.WarnAdded, "output_tokens", "", "0", "it was not reported")
	}
	e.w.Key("output_tokens")
	e.w.Int(dialect.Counted(u.Output))
	if u.Thinking != nil {
		e.w.Key("output_tokens_details")
		e.w.BeginObject()
		e.count("thinking_tokens", u.Thinking)
		e.w.EndObject()
	}
	e.w.EndObject()
	if u.Estimated {
		e.drop("estimated", "an estimate cannot be told from a count")
	}
	e.out(in)
}

func (e *encoder) count(key string, n *int64) {
	if n != nil {
		e.w.Key(key)
		e.w.Int(*n)
	}
}
