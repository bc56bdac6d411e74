package provider

import (
	"bytes"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Price returns what a usage of a model costs in US dollars, or nil when that
// is not known. A local model without a price costs nothing; an hour of the
// machine it runs on is another matter. What a provider says that it bills counts
// more than what it says that it read and wrote.
func (p *Provider) Price(model string, u *scri.Usage) *float64 {
	m, ok := p.spec.Model(model)
	if !ok || m.Prices == nil {
		if p.zone == ZoneLocal {
			return new(float64)
		}
		return nil
	}
	if u == nil {
		return nil
	}
	b := bill{Input: u.Input, Output: u.Output, CacheRead: count(u.CacheRead), CacheWrite: count(u.CacheWrite)}
	b.read(u.Raw)
	return b.price(m.Prices)
}

// PriceRelayed is Price for an answer that was passed on, whose usage says no more
// than its kind has: there may be no output, or nothing but searches.
func (p *Provider) PriceRelayed(op scri.Op, model string, u *scri.Usage) *float64 {
	if u == nil {
		return p.Price(model, nil)
	}
	all := *u
	if all.Output == nil {
		all.Output = new(int64)
	}
	if all.Input == nil {
		all.Input = new(int64)
	}
	if op == scri.OpImages && u.Output != nil {
		all.Raw = append([]byte(`{"output_tokens_details":{"image_tokens":`), strconv.FormatInt(*u.Output, 10)+"}}"...)
		all.Raw = dialect.MergeMembers(all.Raw, u.Raw)
	}
	return p.Price(model, &all)
}

// Priced reports whether a price depends on the provider's own words of a usage.
func Priced(u *scri.Usage) bool {
	return u.CacheWrite != nil && *u.CacheWrite > 0 || bytes.Contains(u.Raw, []byte(billedUnits)) || sounds(u.Raw)
}

// What a usage has that is priced by what it says itself.
const (
	billedUnits   = `"billed_units"`
	audioTokens   = `"audio_tokens":`
	modalityAudio = "AUDIO"
)

// sounds reports whether a usage tells of sounds. OpenAI tells of none in each, too.
func sounds(raw []byte) bool {
	for at := raw; ; {
		i := bytes.Index(at, []byte(audioTokens))
		if i < 0 {
			return bytes.Contains(raw, []byte(`"`+modalityAudio+`"`))
		}
		at = bytes.TrimLeft(at[i+len(audioTokens):], " \t\r\n")
		if len(at) > 0 && at[0] >= '1' && at[0] <= '9' {
			return true
		}
	}
}

// bill is what a price is made of. The counts are totals that contain their parts.
type bill struct {
	Input, Output         *int64
	CacheRead, CacheWrite int64
	hour                  int64 // of CacheWrite: to the one-hour cache
	audioIn, imageIn      int64 // of Input
	other, imageOut       int64 // of Output: sounds, whose price is not known, and images
	searches, seconds     float64
}

// read takes in what a provider's own object says beside the counts. What cannot be
// read says nothing.
func (b *bill) read(raw []byte) {
	if len(raw) == 0 {
		return
	}
	was := *b
	s := wire.NewScanner(raw)
	for name := range s.Members() {
		switch {
		case name == "search_units" && s.Kind() == wire.Number:
			b.searches = max(s.Float(), 0)
		case name == "seconds" && s.Kind() == wire.Number:
			b.seconds = max(s.Float(), 0)
		case name == "promptTokensDetails" && s.Kind() == wire.Array:
			b.audioIn = modality(s, modalityAudio)
		case name == "candidatesTokensDetails" && s.Kind() == wire.Array:
			b.other = modality(s, modalityAudio)
		case s.Kind() != wire.Object:
		case name == "cache_creation":
			b.members(s, map[string]*int64{"ephemeral_1h_input_tokens": &b.hour})
		case name == "input_tokens_details", name == "input_token_details", name == "prompt_tokens_details":
			b.members(s, map[string]*int64{"audio_tokens": &b.audioIn, "image_tokens": &b.imageIn})
		case name == "output_tokens_details", name == "output_token_details", name == "completion_tokens_details":
			b.members(s, map[string]*int64{"audio_tokens": &b.other, "image_tokens": &b.imageOut})
		case name == "billed_units":
			b.billed(s)
		}
	}
	if s.Err() != nil {
		*b = was
	}
}

// modality reads how many tokens Google counts of one kind.
func modality(s *wire.Scanner, kind string) (sum int64) {
	for range s.Elements() {
		if s.Kind() != wire.Object {
			continue
		}
		var n int64
		is := false
		for name := range s.Members() {
			switch {
			case name == "modality" && s.Kind() == wire.String:
				is = s.Unquoted() == kind
			case name == "tokenCount" && s.Kind() == wire.Number:
				n = max(int64(s.Float()), 0)
			default:
			}
		}
		if is {
			sum += n
		}
	}
	return sum
}

func (b *bill) members(s *wire.Scanner, into map[string]*int64) {
	for name := range s.Members() {
		if to := into[name]; to != nil && s.Kind() == wire.Number {
			*to = max(int64(s.Float()), 0)
		}
	}
}

// billed reads what a provider bills, where that is less than what it read.
func (b *bill) billed(s *wire.Scanner) {
	for name := range s.Members() {
		if s.Kind() != wire.Number {
			continue
		}
		switch n := max(s.Float(), 0); name {
		case "input_tokens":
			b.Input, b.CacheRead, b.CacheWrite = new(int64(n)), 0, 0
		case "output_tokens":
			b.Output = new(int64(n))
		case "search_units":
			b.searches = n
		}
	}
}

func (b *bill) price(prices *Prices) *float64 {
	if b.Input == nil || b.Output == nil || prices.UpTo > 0 && *b.Input > prices.UpTo || b.other > 0 {
		return nil
	}
	sum, known, some := 0.0, true, false
	add := func(n float64, price *float64, of float64) {
		switch {
		case n <= 0:
		case price == nil:
			known = false
		default:
			some = true
			sum += n * *price / of
		}
	}
	const million = 1e6
	hour := min(b.hour, b.CacheWrite)
	add(float64(*b.Input-b.CacheRead-b.CacheWrite-b.audioIn-b.imageIn), prices.Input, million)
	add(float64(b.CacheRead), prices.CacheRead, million)
	add(float64(b.CacheWrite-hour), prices.CacheWrite, million)
	add(float64(hour), prices.CacheWrite1h, million)
	add(float64(b.audioIn), prices.AudioInput, million)
	add(float64(b.imageIn), prices.ImageInput, million)
	add(float64(*b.Output-b.imageOut), prices.Output, million)
	add(float64(b.imageOut), prices.ImageOutput, million)
	add(b.seconds, prices.Minute, 60)
	add(b.searches, prices.Searches, 1000)
	if !known || !some && (prices.Minute != nil || prices.Searches != nil) {
		return nil // of what is priced otherwise nothing was told
	}
	return &sum
}

func count(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
