package dialect

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// OpenAIUsage is a scri.Usage together with its numbers, as the completions APIs of
// OpenAI and of those who took them over tell them, so that one can be read again
// and again without allocating.
type OpenAIUsage struct {
	scri.Usage
	n [5]int64
}

// counts are the numbers of a usage object; -1 = not told.
type counts struct {
	prompt, completion, total, reasoning, write int64
	cached, hit, cachedFlat, numCached          int64
	precached                                   int64 // beside the prompt, not within it
}

// Read reads a usage object with s. The usage keeps raw beside its counts, as one of
// the dialect own. Counts are made totals that contain their parts, and are never
// negative.
func (u *OpenAIUsage) Read(s *wire.Scanner, raw []byte, own string) {
	c := counts{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}
	s.Reset(raw)
	for member := range s.Members() {
		switch member {
		case "prompt_tokens":
			OpenAICount(s, &c.prompt)
		case "completion_tokens":
			OpenAICount(s, &c.completion)
		case "total_tokens":
			OpenAICount(s, &c.total)
		case "prompt_cache_hit_tokens":
			OpenAICount(s, &c.hit)
		case "cached_tokens":
			OpenAICount(s, &c.cachedFlat)
		case "precached_prompt_tokens":
			OpenAICount(s, &c.precached)
		case "num_cached_tokens":
			OpenAICount(s, &c.numCached)
		case "prompt_tokens_details":
			countsIn(s, "cached_tokens", &c.cached, "cache_write_tokens", &c.write)
		case "completion_tokens_details":
			countsIn(s, "reasoning_tokens", &c.reasoning, "", nil)
		}
	}
	u.fill(c)
	u.Raw, u.Dialect = raw, own
}

// OpenAICount reads a number of tokens into n, which anything else leaves alone. One
// below zero is none.
func OpenAICount(s *wire.Scanner, n *int64) {
	if s.Kind() != wire.Number {
		return
	}
	m := s.Mark()
	if v := s.Int(); s.Err() == nil {
		*n = max(v, 0)
		return
	}
	s.Rewind(m)
}

func countsIn(s *wire.Scanner, a string, x *int64, b string, y *int64) {
	if s.Kind() != wire.Object {
		return
	}
	for member := range s.Members() {
		switch {
		case member == a:
			OpenAICount(s, x)
		case member == b && y != nil:
			OpenAICount(s, y)
		}
	}
}

func (u *OpenAIUsage) fill(c counts) {
	u.Usage = scri.Usage{}
	set := func(i int, v int64) *int64 {
		if v < 0 {
			return nil
		}
		u.n[i] = v
		return &u.n[i]
	}
	// xAI counts thoughts beside the completion, all others within it.
	if c.prompt >= 0 && c.completion >= 0 && c.reasoning > 0 &&
		c.prompt+c.completion != c.total && c.prompt+c.completion+c.reasoning == c.total {
		c.completion += c.reasoning
	}
	if c.precached >= 0 && c.prompt >= 0 { // GigaChat tells what is left when they are taken off
		c.prompt += c.precached
		c.cached = c.precached
	}
	for _, other := range [...]int64{c.hit, c.cachedFlat, c.numCached} {
		if c.cached < 0 {
			c.cached = other
		}
	}
	// Some report more cached tokens than there were: a part is no more than its whole.
	if c.prompt >= 0 {
		c.cached = min(c.cached, c.prompt)
		c.write = min(c.write, c.prompt)
	}
	if c.completion >= 0 {
		c.reasoning = min(c.reasoning, c.completion)
	}
	u.Input, u.Output = set(0, c.prompt), set(1, c.completion)
	u.CacheRead, u.CacheWrite, u.Thinking = set(2, c.cached), set(3, c.write), set(4, c.reasoning)
}

// WriteOpenAIUsage writes the member usage, as it came where it is of the dialect
// own. That counts are estimated cannot be said, which is for the caller to tell.
func WriteOpenAIUsage(w *wire.Writer, u *scri.Usage, own string) {
	w.Key("usage")
	if u.Dialect == own && len(u.Raw) > 0 {
		w.B = wire.AppendCompact(w.B, u.Raw)
		return
	}
	w.BeginObject()
	count := func(key string, n *int64) {
		if n != nil {
			w.Key(key)
			w.Int(*n)
		}
	}
	count("prompt_tokens", u.Input)
	count("completion_tokens", u.Output)
	if u.Input != nil && u.Output != nil {
		w.Key("total_tokens")
		w.Int(*u.Input + *u.Output)
	}
	if u.CacheRead != nil || u.CacheWrite != nil {
		w.Key("prompt_tokens_details")
		w.BeginObject()
		count("cached_tokens", u.CacheRead)
		count("cache_write_tokens", u.CacheWrite)
		w.EndObject()
	}
	if u.Thinking != nil {
		w.Key("completion_tokens_details")
		w.BeginObject()
		count("reasoning_tokens", u.Thinking)
		w.EndObject()
	}
	w.EndObject()
}
