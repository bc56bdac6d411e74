package gemini

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decodeUsage reads counts, or returns nil where there are none. Those of the
// prompt for Google's own tools belong to the input, those of thoughts to the
// output. A count of zero is left out on the wire.
func decodeUsage(raw []byte) *scri.Usage {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return nil
	}
	u := &scri.Usage{Raw: raw, Dialect: Name}
	var prompt, tools, said *int64
	some := false
	for name := range s.Members() {
		var into **int64
		switch camel(name) {
		case "promptTokenCount":
			into = &prompt
		case "toolUsePromptTokenCount":
			into = &tools
		case "candidatesTokenCount":
			into = &said
		case "thoughtsTokenCount":
			into = &u.Thinking
		case "cachedContentTokenCount":
			into = &u.CacheRead
		default:
			continue
		}
		if *into = dialect.Count(s); *into != nil {
			some = true
		}
	}
	if !some {
		return nil
	}
	if prompt != nil || tools != nil {
		u.Input = new(dialect.Counted(prompt) + dialect.Counted(tools))
	}
	u.Output = new(dialect.Counted(said) + dialect.Counted(u.Thinking))
	return u
}

// usage writes the counts. The node is the answer.
func (e *encoder) usage(u *scri.Usage) {
	if u.Dialect == Name && len(u.Raw) > 0 {
		e.raw(u.Raw)
		return
	}
	in := e.In("usage")
	defer e.Out(in)
	e.w.BeginObject()
	e.count("promptTokenCount", u.Input)
	e.count("cachedContentTokenCount", u.CacheRead)
	if u.CacheWrite != nil {
		e.Drop("cache_write_tokens", "there is no such count here")
	}
	said := dialect.Counted(u.Output) - dialect.Counted(u.Thinking)
	if said < 0 {
		e.Tell(scri.WarnChanged, "output_tokens", itoa(dialect.Counted(u.Output)), itoa(dialect.Counted(u.Thinking)), "it was less than what was thought")
		said = 0
	}
	if u.Output == nil {
		e.Tell(scri.WarnAdded, "output_tokens", "", itoa(dialect.Counted(u.Thinking)), "a count that is left out is zero")
	} else {
		e.count("candidatesTokenCount", &said)
	}
	e.count("thoughtsTokenCount", u.Thinking)
	if u.Input == nil && u.Output == nil && u.Thinking == nil && u.CacheRead == nil {
		e.count("promptTokenCount", new(int64(0)))
		e.Tell(scri.WarnAdded, "input_tokens", "", "0", "it was not reported")
	}
	e.count("totalTokenCount", new(dialect.Counted(u.Input)+said+dialect.Counted(u.Thinking)))
	if u.Estimated {
		e.Drop("estimated", "an estimate cannot be told from a count")
	}
	e.w.EndObject()
}

func (e *encoder) count(key string, n *int64) {
	if n != nil {
		e.w.Key(key)
		e.w.Int(*n)
	}
}
