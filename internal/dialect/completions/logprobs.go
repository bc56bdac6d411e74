package completions

import (
	"strconv"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// logProbs reads the member logprobs of a choice, which is lists side by side. It
// goes to u where they do not fit together, as those of an echoed prompt, whose first
// token has no probability. Offsets of a piece of a text are not kept.
func logProbs(s *wire.Scanner, u *dialect.Unknown, piece bool) []scri.TokenLogProb {
	if s.Kind() != wire.Object {
		u.Add(s.Member())
		return nil
	}
	m := s.Mark()
	l := &lists{}
	l.read(s)
	if s.Err() == nil && l.fit() {
		list := l.tokens(u)
		if !piece && l.noOffset {
			u.Form("-offset")
		}
		if !l.rest.Empty() && (!piece || !l.slight) {
			u.Add(append([]byte(`"logprobs":`), l.rest.Object()...))
			if l.slight {
				u.Form(dialect.Slight + "logprobs")
			}
		}
		return list
	}
	if s.Err() != nil && !dialect.Misfit(s.Err()) {
		return nil
	}
	s.Rewind(m)
	u.Add(s.Member())
	return nil
}

// anyTokens reports whether logprobs that went to u are of tokens, and not only what stands
// beside them.
func anyTokens(u *dialect.Unknown) bool {
	s := wire.NewScanner(wire.NewScanner(u.Object()).Peek("logprobs"))
	return u.Object() != nil && (s.Kind() != wire.Object || s.Peek("tokens") != nil || s.Peek("token_logprobs") != nil || s.Peek("top_logprobs") != nil)
}

// lists are what stands side by side in logprobs.
type lists struct {
	texts  []scri.Text
	probs  []float64
	top    [][]scri.TokenLogProb
	hasTop bool // a list, not a null
	noTop  bool // the member is left out

	rest     dialect.Unknown
	slight   bool // the rest is nothing but offsets
	noOffset bool // these are left out
}

func (l *lists) read(s *wire.Scanner) {
	l.noTop, l.slight, l.noOffset = true, true, true
	for name := range s.Members() {
		switch {
		case name == "tokens":
			for range s.Elements() {
				l.texts = append(l.texts, scri.QuotedText(s.Str()))
			}
		case name == "token_logprobs":
			for range s.Elements() {
				l.probs = append(l.probs, s.Float())
			}
		case name == "top_logprobs" && s.Kind() == wire.Null:
			l.noTop = false
			s.Skip()
		case name == "top_logprobs":
			l.noTop, l.hasTop = false, true
			l.alternatives(s)
		default:
			l.slight = l.slight && name == "text_offset"
			l.noOffset = l.noOffset && name != "text_offset"
			l.rest.Add(s.Member())
		}
	}
}

func (l *lists) alternatives(s *wire.Scanner) {
	for range s.Elements() {
		var top []scri.TokenLogProb
		for name := range s.Members() {
			top = append(top, scri.TokenLogProb{Token: scri.NewText(name), LogProb: s.Float()})
		}
		l.top = append(l.top, top)
	}
}

func (l *lists) fit() bool {
	n := len(l.texts)
	return n > 0 && len(l.probs) == n && (!l.hasTop || len(l.top) == n)
}

func (l *lists) tokens(u *dialect.Unknown) []scri.TokenLogProb {
	list := make([]scri.TokenLogProb, len(l.texts))
	some := false
	for i := range list {
		list[i] = scri.TokenLogProb{Token: l.texts[i], LogProb: l.probs[i]}
		if l.hasTop {
			list[i].Top = l.top[i]
			some = some || len(l.top[i]) > 0
		}
	}
	switch {
	case l.noTop:
		u.Form("-top")
	case l.hasTop && !some:
		u.Form("top")
	}
	return list
}

// logProbs writes the member logprobs of the choice that is the node. from is how
// many tokens of it were written before, and offset how many characters.
func (e *encoder) logProbs(list []scri.TokenLogProb, x *scri.Ext, from int, offset *int) {
	if len(list) == 0 {
		return
	}
	in := e.In("logprobs")
	defer e.Out(in)
	w := &e.w
	w.Key("logprobs")
	w.BeginObject()
	w.Key("tokens")
	w.BeginArray()
	some, bytes := false, false
	for i := range list {
		at := e.At(from + i)
		e.Homeless(list[i].Ext)
		e.Out(at)
		some, bytes = some || len(list[i].Top) > 0, bytes || len(list[i].Bytes) > 0
		dialect.WriteText(w, list[i].Token)
	}
	w.EndArray()
	w.Key("token_logprobs")
	w.BeginArray()
	for i := range list {
		w.Float(list[i].LogProb)
	}
	w.EndArray()
	switch {
	case some || formed(x, "top"):
		bytes = e.alternatives(list, from) || bytes
	case !formed(x, "-top"):
		w.Key("top_logprobs")
		w.Null()
	}
	if bytes {
		e.once("", "the bytes of tokens cannot be told")
	}
	if rest := dialect.Member(x, Name, "logprobs"); rest != nil {
		w.Members(rest)
	} else if !formed(x, "-offset") {
		offsets(w, list, offset)
	}
	w.EndObject()
}

func (e *encoder) alternatives(list []scri.TokenLogProb, from int) (bytes bool) {
	w := &e.w
	w.Key("top_logprobs")
	w.BeginArray()
	for i := range list {
		at := e.At(from + i)
		in := e.In("top")
		w.BeginObject()
		seen := map[string]bool{}
		for k := range list[i].Top {
			t := &list[i].Top[k]
			at := e.At(k)
			e.Homeless(t.Ext)
			bytes = bytes || len(t.Bytes) > 0
			if name := t.Token.String(); !seen[name] {
				seen[name] = true
				w.Str(name)
				w.B = append(w.B, ':')
				w.Float(t.LogProb)
			} else {
				e.Drop("", "one alternative for each text")
			}
			e.Out(at)
		}
		w.EndObject()
		e.Out(in)
		e.Out(at)
	}
	w.EndArray()
	return bytes
}

// offsets writes where in the text each token begins, in characters.
func offsets(w *wire.Writer, list []scri.TokenLogProb, offset *int) {
	w.Key("text_offset")
	w.BeginArray()
	for i := range list {
		w.Comma()
		w.B = strconv.AppendInt(w.B, int64(*offset), 10)
		*offset += utf8.RuneCountInString(list[i].Token.String())
	}
	w.EndArray()
}
