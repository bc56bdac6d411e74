package responses

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// tokens reads a list of tokens with their probabilities; outer ones have a list
// of alternatives each.
func (d *decoder) tokens(list []scri.TokenLogProb, outer bool) []scri.TokenLogProb {
	for range d.Elements() {
		var t scri.TokenLogProb
		var u dialect.Unknown
		token, prob := false, false
		top, told := outer, true // not said
		for name := range d.Members() {
			switch {
			case name == "token":
				t.Token, token = scri.QuotedText(d.Str()), true
			case name == "logprob":
				t.LogProb, prob = d.Float(), true
			case name == "bytes" && d.Kind() == wire.Array:
				told = false
				for range d.Elements() {
					t.Bytes = append(t.Bytes, int(d.Int()))
				}
				if t.Bytes == nil {
					u.Form("bytes[]")
				}
			case outer && name == "top_logprobs" && d.Kind() == wire.Array:
				top = false
				t.Top = d.tokens(nil, false)
			default:
				u.Add(d.Member())
			}
		}
		if !token || !prob {
			d.Fail("a token needs a text and a probability")
		}
		if top {
			u.Form("notop")
		}
		if told {
			u.Form("nobytes")
		}
		t.Ext = d.ext(&u)
		list = append(list, t)
	}
	return list
}

// tokens writes tokens; those of an answer in full, those of a delta short.
func (e *encoder) tokens(list []scri.TokenLogProb, outer bool) {
	e.w.BeginArray()
	for i := range list {
		t := &list[i]
		at := e.at(i)
		e.w.BeginObject()
		e.text("token", t.Token)
		e.w.Key("logprob")
		e.w.Float(t.LogProb)
		if len(t.Bytes) > 0 || !has(t.Ext, "nobytes") {
			e.w.Key("bytes")
			e.w.BeginArray()
			for _, b := range t.Bytes {
				e.w.Int(int64(b))
			}
			e.w.EndArray()
		}
		if len(t.Top) > 0 || outer && !has(t.Ext, "notop") {
			e.w.Key("top_logprobs")
			in := e.in("top")
			e.tokens(t.Top, false)
			e.out(in)
		}
		e.ext(t.Ext)
		e.w.EndObject()
		e.out(at)
	}
	e.w.EndArray()
}

const countedTokens = "logprobs="

// counted is the word that says how many tokens belong to a text.
func counted(n int) string { return countedTokens + strconv.Itoa(n) }

// tokensOf is the number of tokens that belong to a text.
func tokensOf(x *scri.Ext) int {
	if x.Of(Name) == nil {
		return 0
	}
	for w := range strings.FieldsSeq(x.Form) {
		if s, ok := strings.CutPrefix(w, countedTokens); ok {
			n, _ := strconv.Atoi(s) // else none
			return max(n, 0)
		}
	}
	return 0
}

// recount is x for a text of n tokens.
func recount(x *scri.Ext, n int) *scri.Ext {
	was := tokensOf(x)
	if was == n {
		return x
	}
	var u dialect.Unknown
	if x != nil {
		u.Put(&scri.Ext{Members: x.Members})
		for w := range strings.FieldsSeq(x.Form) {
			if !strings.HasPrefix(w, countedTokens) && w != "logprobs" {
				u.Form(w)
			}
		}
	}
	if n > 0 {
		u.Form(counted(n))
	} else {
		u.Form("logprobs")
	}
	return u.Ext(Name)
}
