package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/discreet"
	"github.com/aratta-gateway/aratta/scri"
)

// The headers in which an answer explains itself, canonical.
const (
	headerID         = "X-Aratta-Request-Id"
	headerProvider   = "X-Aratta-Provider"
	headerModel      = "X-Aratta-Model"
	headerDecision   = "X-Aratta-Decision"
	headerConfidence = "X-Aratta-Confidence"
	headerCache      = "X-Aratta-Cache"
	headerCost       = "X-Aratta-Cost"
	headerWarnings   = "X-Aratta-Warnings"
)

// exposed are the headers that pages of other addresses may read.
func exposed() []string {
	return []string{
		headerID, headerProvider, headerModel, headerDecision, headerConfidence, headerCache, headerCost, headerWarnings,
		"X-Request-Id", "Request-Id", "Retry-After",
	}
}

// explain writes what is known of the answer so far into its headers. For a
// stream that is what is known at its beginning; the rest is in the lineage.
func explain(h http.Header, x *scri.Exchange, head *scri.ChatResponse) {
	v := make([]string, 0, 9)
	put := func(name, value string) {
		v = append(v, value)
		h[name] = v[len(v)-1 : len(v) : len(v)]
	}
	l := x.Lineage
	put(headerID, x.ID)
	if name := ownID(l.Ingress); name != "" {
		put(name, x.ID)
	}
	if n := len(l.Attempts); n > 0 && head != nil {
		put(headerProvider, l.Attempts[n-1].Provider)
		put(headerModel, clean(l.Attempts[n-1].Model))
	}
	if s := decision(l); s != "" {
		put(headerDecision, s)
	}
	if l.Confidence != nil {
		put(headerConfidence, strconv.FormatFloat(l.Confidence.Value, 'f', 3, 64))
	}
	if l.Cache != "" {
		put(headerCache, l.Cache)
	}
	if l.CostUSD != nil {
		put(headerCost, strconv.FormatFloat(*l.CostUSD, 'f', -1, 64))
	}
	if len(x.Warnings) > 0 {
		put(headerWarnings, warnings(x.Warnings))
	}
}

// identify writes the id of a request into the headers of its answer, where
// those of a dialect look for it as well.
func identify(h http.Header, dialect, id string) {
	h.Set(headerID, id)
	if name := ownID(dialect); name != "" {
		h.Set(name, id)
	}
}

// ownID is the header in which the SDKs of a dialect look for the id of a
// request, to show it with their errors; "" = they do not.
func ownID(ingress string) string {
	switch ingress {
	case "openai":
		return "X-Request-Id"
	case "anthropic":
		return "Request-Id"
	default:
		return ""
	}
}

// decision is who answered and why, in one line: "local", or
// "fallback; ollama=unavailable". Where nobody answered it tells who failed, be it
// one alone: the errors of most dialects have no place for that.
func decision(l *scri.Lineage) string {
	code := ""
	for i := range l.Reasons {
		if l.Reasons[i].Stage == "attempt" {
			code = l.Reasons[i].Code
		}
	}
	if code != "" && len(l.Attempts) < 2 {
		return code
	}
	var b strings.Builder
	b.WriteString(code)
	for i := range l.Attempts {
		if a := &l.Attempts[i]; a.Error != nil {
			b.WriteString("; ")
			b.WriteString(a.Provider)
			b.WriteByte('=')
			b.WriteString(string(a.Error.Kind))
		}
	}
	return strings.TrimPrefix(b.String(), "; ")
}

// shownWarnings is how many warnings a header names.
const shownWarnings = 3

// warnings tells how many there are and names the first, losses before what was
// added.
func warnings(list []scri.Warning) string {
	var near [256]byte
	b := strconv.AppendInt(near[:0], int64(len(list)), 10)
	shown := 0
	for _, added := range [...]bool{false, true} {
		for i := range list {
			w := &list[i]
			if (w.Code == scri.WarnAdded) != added {
				continue
			}
			if shown++; shown > shownWarnings {
				return string(append(b, "; ..."...))
			}
			b = append(append(append(b, "; "...), w.Code...), ' ')
			b = append(b, clean(w.Path)...)
		}
	}
	return string(b)
}

// clean makes a text from outside fit for a header, and short enough: clients
// refuse answers whose headers are large.
func clean(s string) string {
	s = discreet.Clip(s)
	fit := true
	for i := range len(s) { // most are plain, and short
		fit = fit && !unfit(rune(s[i]))
	}
	if fit {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unfit(r) {
			return '?'
		}
		return r
	}, s)
}

func unfit(r rune) bool { return r < 0x20 || r > 0x7e }
