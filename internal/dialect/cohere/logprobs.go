package cohere

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// logProbs reads the log-probabilities of an answer. It reports false, and the
// walk is back, if one of them is not about a single token.
func (d *decoder) logProbs(into *[]scri.TokenLogProb) bool {
	if d.Kind() != wire.Array {
		return false
	}
	var list []scri.TokenLogProb
	if !d.try(func() bool {
		for range d.Elements() {
			list = append(list, d.logProb())
		}
		return len(list) > 0
	}) {
		return false
	}
	*into = list
	return true
}

// logProb reads what one token was worth.
func (d *decoder) logProb() (t scri.TokenLogProb) {
	var u dialect.Unknown
	text, n := false, 0
	for name := range d.Members() {
		switch {
		case name == "text" && d.Kind() == wire.String:
			t.Token, text = scri.QuotedText(d.Str()), true
		case name == "logprobs" && d.Kind() == wire.Array:
			for range d.Elements() {
				t.LogProb = d.Float()
				n++
			}
		default:
			u.Add(d.Member())
		}
	}
	d.Need(text && n == 1, "a single token")
	t.Ext = d.ext(&u)
	return t
}

// logProb writes what one token was worth. Its alternatives and bytes have no
// place, which is told at the list that is the node.
func (e *encoder) logProb(t *scri.TokenLogProb) (whole bool) {
	e.w.BeginObject()
	e.text("text", t.Token)
	e.w.Key("logprobs")
	e.w.BeginArray()
	e.w.Float(t.LogProb)
	e.w.EndArray()
	e.Ext(&e.w, t.Ext, nil)
	e.w.EndObject()
	return len(t.Top) == 0 && len(t.Bytes) == 0
}

const onlyTokens = "alternatives and bytes of tokens cannot be told"
