package gemini

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// logProbs reads the tokens with their probabilities: one list of those that were
// chosen, one of the alternatives to each.
func (d *decoder) logProbs(list *[]scri.TokenLogProb, rest *dialect.Unknown) bool {
	var tokens []scri.TokenLogProb
	var tops [][]scri.TokenLogProb
	var u dialect.Unknown
	topped := false
	for as := range d.Members() {
		switch {
		case as == "chosenCandidates" && d.Kind() == wire.Array:
			tokens = d.tokens()
		case as == "topCandidates" && d.Kind() == wire.Array:
			topped = true
			for range d.Elements() {
				tops = append(tops, d.alternatives())
			}
		default:
			u.Add(d.Member())
		}
	}
	if d.Err() != nil || len(tokens) == 0 || topped && len(tops) != len(tokens) {
		return false
	}
	for i := range tops {
		tokens[i].Top = tops[i]
	}
	if obj := u.Object(); obj != nil {
		rest.Add(append([]byte(`"logprobsResult":`), obj...))
	}
	*list = append(*list, tokens...)
	return true
}

// alternatives reads those of one token.
func (d *decoder) alternatives() (top []scri.TokenLogProb) {
	n := 0
	for as := range d.Members() {
		if n++; as != "candidates" {
			d.Fail("%s beside the candidates", as)
			return nil
		}
		top = d.tokens()
	}
	if n == 0 {
		d.Fail("there are no candidates")
	}
	return top
}

func (d *decoder) tokens() (list []scri.TokenLogProb) {
	for range d.Elements() {
		var t scri.TokenLogProb
		var u dialect.Unknown
		said := 0
		for as := range d.Members() {
			switch as {
			case "token":
				t.Token = scri.QuotedText(d.Str())
				said++
			case "logProbability":
				t.LogProb = d.Float()
				said++
			default:
				u.Add(d.Member())
			}
		}
		if said < 2 {
			d.Fail("a token and its probability belong together")
		}
		t.Ext = u.Ext(Name)
		list = append(list, t)
	}
	return list
}

// logProbs writes the tokens of the choice that is the node; from is how many were
// written before, x what came beside them.
func (e *encoder) logProbs(list []scri.TokenLogProb, from int, x *scri.Ext) {
	if len(list) == 0 {
		return
	}
	in := e.In("logprobs")
	defer e.Out(in)
	e.w.Key("logprobsResult")
	e.w.BeginObject()
	top := false
	e.w.Key("chosenCandidates")
	e.w.BeginArray()
	for i := range list {
		top = top || len(list[i].Top) > 0
		at := e.At(from + i)
		e.token(&list[i])
		e.Out(at)
	}
	e.w.EndArray()
	if top {
		e.w.Key("topCandidates")
		e.w.BeginArray()
		for i := range list {
			at := e.At(from + i)
			e.alternatives(list[i].Top)
			e.Out(at)
		}
		e.w.EndArray()
	}
	if own := nested(x, "logprobsResult"); own != nil {
		said := append(make([]string, 0, 2), "chosenCandidates")
		if top {
			said = append(said, "topCandidates")
		}
		e.ext(own, said...)
	}
	e.w.EndObject()
}

// alternatives writes the list of one token. Where some have none, a list of
// nothing keeps the place.
func (e *encoder) alternatives(top []scri.TokenLogProb) {
	e.w.BeginObject()
	e.w.Key("candidates")
	e.w.BeginArray()
	in := e.In("top")
	for j := range top {
		at := e.At(j)
		e.token(&top[j])
		e.Out(at)
	}
	e.Out(in)
	e.w.EndArray()
	e.w.EndObject()
}

func (e *encoder) token(t *scri.TokenLogProb) {
	e.w.BeginObject()
	e.w.Key("token")
	e.w.Comma()
	e.w.B = t.Token.AppendJSON(e.w.B)
	e.w.Key("logProbability")
	e.w.Float(t.LogProb)
	if len(t.Bytes) > 0 {
		e.Drop("bytes", "there is no such field here")
	}
	e.ext(t.Ext, "token", "logProbability")
	e.w.EndObject()
}
