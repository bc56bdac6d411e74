package bedrock

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func finishReason(stop string) scri.FinishReason {
	switch stop {
	case "":
		return ""
	case "end_turn", "stop_sequence":
		return scri.FinishStop
	case "max_tokens", "model_context_window_exceeded":
		return scri.FinishLength
	case "tool_use":
		return scri.FinishToolCalls
	case "content_filtered", "guardrail_intervened":
		return scri.FinishContentFilter
	case "malformed_model_output", "malformed_tool_use":
		return scri.FinishError
	default:
		return scri.FinishOther
	}
}

func finishOf(stop string) scri.Finish {
	if stop == "" {
		return scri.Finish{}
	}
	return scri.Finish{Reason: finishReason(stop), Raw: stop, Dialect: Name}
}

// stopReason is the word for how the choice ended that is the node; called: the
// answer asks the client to run a tool, which clients expect to be said.
func (e *encoder) stopReason(f *scri.Finish, called bool) string {
	if f.Dialect == Name && f.Raw != "" && finishReason(f.Raw) == f.Reason {
		return f.Raw
	}
	if f.Detail != "" {
		e.Drop("finish/detail", "only that there was a reason can be told")
	}
	word, means := "end_turn", scri.FinishStop
	switch f.Reason {
	case "":
		e.Tell(scri.WarnAdded, "finish", "", word, "every answer has a reason for its end")
		return word
	case scri.FinishStop:
		switch {
		case called:
			word, means = "tool_use", scri.FinishToolCalls
		case f.Detail != "":
			word = "stop_sequence"
		}
	case scri.FinishLength:
		word, means = "max_tokens", scri.FinishLength
	case scri.FinishToolCalls:
		word, means = "tool_use", scri.FinishToolCalls
	case scri.FinishContentFilter, scri.FinishRefusal:
		word, means = "content_filtered", scri.FinishContentFilter
	case scri.FinishError:
		word, means = "malformed_model_output", scri.FinishError
	default:
	}
	if means != f.Reason {
		e.Tell(scri.WarnChanged, "finish/reason", string(f.Reason), string(means), "")
	}
	return word
}

// decodeUsage reads counts. Those of the input exclude what was cached here, and
// are totals in the language. It returns nil for what is no object.
func decodeUsage(raw []byte) *scri.Usage {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return nil
	}
	u := &scri.Usage{Raw: raw, Dialect: Name}
	var input *int64
	for name := range s.Members() {
		switch name {
		case "inputTokens":
			input = dialect.Count(s)
		case "outputTokens":
			u.Output = dialect.Count(s)
		case "cacheReadInputTokens":
			u.CacheRead = dialect.Count(s)
		case "cacheWriteInputTokens":
			u.CacheWrite = dialect.Count(s)
		}
	}
	if input != nil {
		u.Input = new(*input + dialect.Counted(u.CacheRead) + dialect.Counted(u.CacheWrite))
	}
	return u
}

// usage writes the counts.
func (e *encoder) usage(u *scri.Usage) {
	if u.Dialect == Name && len(u.Raw) > 0 {
		e.w.Raw(u.Raw)
		return
	}
	in := e.In("usage")
	e.w.BeginObject()
	cached := dialect.Counted(u.CacheRead) + dialect.Counted(u.CacheWrite)
	if u.Input != nil {
		if *u.Input < cached {
			e.Tell(scri.WarnChanged, "input_tokens", itoa(*u.Input), itoa(cached), "it was less than what was cached of it")
		}
		e.count("inputTokens", new(max(0, *u.Input-cached)))
	}
	e.count("outputTokens", u.Output)
	if u.Input != nil && u.Output != nil {
		e.count("totalTokens", new(max(*u.Input, cached)+*u.Output))
	}
	e.count("cacheReadInputTokens", u.CacheRead)
	e.count("cacheWriteInputTokens", u.CacheWrite)
	e.w.EndObject()
	if dialect.Counted(u.Thinking) > 0 {
		e.Drop("reasoning_tokens", "they are not counted apart")
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
