package provider

import (
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Price returns what a usage of a model costs in US dollars, or nil when that
// is not known. A local model without a price costs nothing; an hour of the
// machine it runs on is another matter.
func (p *Provider) Price(model string, u *scri.Usage) *float64 {
	m, ok := p.spec.Model(model)
	if !ok || m.Prices == nil {
		if p.zone == ZoneLocal {
			return new(float64)
		}
		return nil
	}
	if u == nil || u.Input == nil || u.Output == nil {
		return nil
	}
	prices := m.Prices
	if prices.UpTo > 0 && *u.Input > prices.UpTo {
		return nil
	}
	read, write := count(u.CacheRead), count(u.CacheWrite)
	hour := min(hourWrites(u.Raw), write)
	sum, known := 0.0, true
	add := func(tokens int64, price *float64) {
		switch {
		case tokens <= 0:
		case price == nil:
			known = false
		default:
			sum += float64(tokens) * *price / 1e6
		}
	}
	add(*u.Input-read-write, prices.Input)
	add(read, prices.CacheRead)
	add(write-hour, prices.CacheWrite)
	add(hour, prices.CacheWrite1h)
	add(*u.Output, prices.Output)
	if !known {
		return nil
	}
	return &sum
}

func count(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// hourWrites reads how many tokens were written to the one-hour cache, which
// one provider has and prices differently.
func hourWrites(raw []byte) int64 {
	if len(raw) == 0 {
		return 0
	}
	var n int64
	s := wire.NewScanner(raw)
	for name := range s.Members() {
		if name != "cache_creation" {
			continue
		}
		for name := range s.Members() {
			if name == "ephemeral_1h_input_tokens" {
				n = s.Int()
			}
		}
	}
	if s.Err() != nil {
		return 0
	}
	return n
}
