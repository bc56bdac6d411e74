package openai

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// counts are the numbers of a usage object; -1 = not told.
type counts struct {
	prompt, completion, total, reasoning, write int64
	cached, hit, cachedFlat, numCached          int64
	precached                                   int64 // beside the prompt, not within it
}

// readUsage reads a usage object into u, which keeps raw beside it. Counts are
// made totals that contain their parts, and are never negative.
func readUsage(s *wire.Scanner, u *usage, raw []byte) {
	c := counts{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}
	s.Reset(raw)
	for member := range s.Members() {
		switch member {
		case "prompt_tokens":
			number(s, &c.prompt)
		case "completion_tokens":
			number(s, &c.completion)
		case "total_tokens":
			number(s, &c.total)
		case "prompt_cache_hit_tokens":
			number(s, &c.hit)
		case "cached_tokens":
			number(s, &c.cachedFlat)
		case "precached_prompt_tokens":
			number(s, &c.precached)
		case "num_cached_tokens":
			number(s, &c.numCached)
		case "prompt_tokens_details":
			parts(s, "cached_tokens", &c.cached, "cache_write_tokens", &c.write)
		case "completion_tokens_details":
			parts(s, "reasoning_tokens", &c.reasoning, "", nil)
		}
	}
	u.fill(c)
	u.Raw, u.Dialect = raw, name
}

func number(s *wire.Scanner, n *int64) {
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

func parts(s *wire.Scanner, a string, x *int64, b string, y *int64) {
	if s.Kind() != wire.Object {
		return
	}
	for member := range s.Members() {
		switch {
		case member == a:
			number(s, x)
		case member == b && y != nil:
			number(s, y)
		}
	}
}

// usage is a scri.Usage together with its numbers, so that one can be filled
// again and again without allocating.
type usage struct {
	scri.Usage
	n [5]int64
}

func (u *usage) fill(c counts) {
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

// usage writes the member usage.
func (e *encoder) usage(u *scri.Usage) {
	e.Key("usage")
	if u.Dialect == name && len(u.Raw) > 0 {
		e.B = wire.AppendCompact(e.B, u.Raw)
		return
	}
	if u.Estimated {
		e.dropped("/usage/estimated", "counts cannot be marked as estimated")
	}
	e.BeginObject()
	count := func(key string, n *int64) {
		if n != nil {
			e.Key(key)
			e.Int(*n)
		}
	}
	count("prompt_tokens", u.Input)
	count("completion_tokens", u.Output)
	if u.Input != nil && u.Output != nil {
		e.Key("total_tokens")
		e.Int(*u.Input + *u.Output)
	}
	if u.CacheRead != nil || u.CacheWrite != nil {
		e.Key("prompt_tokens_details")
		e.BeginObject()
		count("cached_tokens", u.CacheRead)
		count("cache_write_tokens", u.CacheWrite)
		e.EndObject()
	}
	if u.Thinking != nil {
		e.Key("completion_tokens_details")
		e.BeginObject()
		count("reasoning_tokens", u.Thinking)
		e.EndObject()
	}
	e.EndObject()
}
