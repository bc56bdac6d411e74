package openai

import (
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// nullLogProbs begins the words for members of logprobs that are null.
const nullLogProbs = "logprobs."

// logProbs reads the member logprobs of a choice: the list content is typed,
// what stands beside it is kept below the same name.
func (d *decoder) logProbs(list *[]scri.TokenLogProb, u *dialect.Unknown) {
	if d.Kind() != wire.Object {
		u.Add(d.Member())
		return
	}
	m := d.Mark()
	from := len(*list)
	var rest dialect.Unknown
	typed, nulls := false, ""
	ok := d.try(func() bool {
		for member := range d.Members() {
			switch {
			case member == "content" && d.Kind() == wire.Array:
				*list = d.tokens(*list, true)
				typed = true
			case d.Kind() == wire.Null && plainWord(member) && len(nulls) < maxForm:
				nulls += " " + nullLogProbs + member + "=null"
				d.Skip()
			default:
				rest.Add(d.Member())
			}
		}
		return true
	})
	if !ok {
		d.Rewind(m)
		*list = (*list)[:from]
		u.Add(d.Member())
		return
	}
	if nulls != "" {
		u.Form(nulls[1:])
	}
	if typed && len(*list) == from {
		u.Form("logprobs[]")
	}
	switch {
	case !rest.Empty():
		u.Add(append([]byte(`"logprobs":`), rest.Object()...))
		u.Form("+logprobs")
	case !typed:
		u.Form("logprobs{}")
	}
}

// tokens reads a list of tokens with their probabilities; outer ones have a list
// of alternatives each.
func (d *decoder) tokens(list []scri.TokenLogProb, outer bool) []scri.TokenLogProb {
	for range d.Elements() {
		var t scri.TokenLogProb
		var u dialect.Unknown
		top, told, said := "", " nobytes", 0
		if outer {
			top = " notop"
		}
		for member := range d.Members() {
			switch {
			case member == "token":
				t.Token = scri.QuotedText(d.Str())
				said++
			case member == "logprob":
				t.LogProb = d.Float()
				said++
			case member == "bytes" && d.Kind() == wire.Array:
				if t.Bytes, told = d.bytes(), ""; t.Bytes == nil {
					told = " bytes[]"
				}
			case member == "bytes" && d.Kind() == wire.Null:
				told = ""
				d.Skip()
			case outer && member == "top_logprobs" && d.Kind() == wire.Array:
				top = ""
				t.Top = d.tokens(nil, false)
			default:
				u.Add(d.Member())
			}
		}
		if said < 2 {
			d.Fail("a token needs a text and a probability")
		}
		form := ""
		if top != "" || told != "" {
			form = (top + told)[1:]
		}
		t.Ext = d.ext(&u, form)
		list = append(list, t)
	}
	return list
}

func (d *decoder) bytes() (list []int) {
	for range d.Elements() {
		list = append(list, int(d.Int()))
	}
	return list
}

// logProbs writes the member logprobs; ext is that of the choice.
func (e *encoder) logProbs(list []scri.TokenLogProb, ext *scri.Ext) {
	rest := has(ext, "+logprobs")
	if len(list) == 0 && !rest && !has(ext, "logprobs[]") && !has(ext, "logprobs{}") {
		return
	}
	e.Key("logprobs")
	e.BeginObject()
	if len(list) > 0 || has(ext, "logprobs[]") {
		e.Key("content")
		e.tokens(list, e.tokensTold[e.choice])
		if e.tokensTold == nil {
			e.tokensTold = map[int]int{}
		}
		e.tokensTold[e.choice] += len(list)
	}
	if ext.Of(name) != nil {
		for w := range strings.FieldsSeq(ext.Form) {
			if w, ok := strings.CutPrefix(w, nullLogProbs); ok {
				e.Key(strings.TrimSuffix(w, "=null"))
				e.Null()
			}
		}
	}
	if rest {
		e.Members(nested(ext, "logprobs"))
	}
	e.EndObject()
}

// tokens writes a list of which the first is number from.
func (e *encoder) tokens(list []scri.TokenLogProb, from int) {
	e.BeginArray()
	depth := len(e.tokenAt)
	e.tokenAt = append(e.tokenAt, from)
	for i := range list {
		t := &list[i]
		e.tokenAt[depth] = from + i
		e.foreign(t.Ext, e.tokenPath)
		e.BeginObject()
		e.text("token", t.Token)
		e.Key("logprob")
		e.Float(t.LogProb)
		if !has(t.Ext, "nobytes") || t.Bytes != nil {
			e.Key("bytes")
			e.bytes(t.Bytes, has(t.Ext, "bytes[]"))
		}
		if len(t.Top) > 0 || depth == 0 && !has(t.Ext, "notop") {
			e.Key("top_logprobs")
			e.tokens(t.Top, 0)
		}
		e.extra(t.Ext)
		e.EndObject()
	}
	e.tokenAt = e.tokenAt[:depth]
	e.EndArray()
}

func (e *encoder) tokenPath() string {
	path := []byte(e.choicePath() + "/logprobs")
	for i, n := range e.tokenAt {
		if i > 0 {
			path = append(path, "/top"...)
		}
		path = strconv.AppendInt(append(path, '/'), int64(n), 10)
	}
	return string(path)
}

func (e *encoder) bytes(list []int, empty bool) {
	if list == nil && !empty {
		e.Null()
		return
	}
	e.BeginArray()
	for _, b := range list {
		e.Int(int64(b))
	}
	e.EndArray()
}
