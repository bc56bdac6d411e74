package openai

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// field is where a thought is written: as it came, as the target wants it, or
// as most who took the format over have it.
func (e *encoder) field(p *scri.Part) string {
	wanted := e.spelling()
	own := p.Ext.Of(name)
	if own == nil {
		if wanted != "" {
			return wanted
		}
		return fieldContent
	}
	if _, ok := detailType(own); ok && (wanted == "" || wanted == fieldDetails) {
		return fieldDetails
	}
	if wanted != "" {
		return wanted
	}
	if dialect.HasWord(own.Form, fieldReasoning) {
		if dialect.HasWord(own.Form, fieldContent) {
			return fieldContent + "+"
		}
		return fieldReasoning
	}
	return fieldContent
}

// detailType is the type of an item of reasoning_details.
func detailType(own *scri.Ext) (string, bool) {
	for _, t := range [...]string{"text", "summary", "encrypted"} {
		if dialect.HasWord(own.Form, "details:"+t) {
			return t, true
		}
	}
	return "", false
}

// thoughts writes the members that hold thoughts.
func (e *encoder) thoughts(m *scri.Message, parts []scri.Part, base int, skip []bool) {
	var list []*scri.Part
	var places []int
	var n struct{ content, reasoning, details int }
	for i := range parts {
		p := &parts[i]
		if skipped(skip, i) || placeOf(p) != thoughtField {
			continue
		}
		list = append(list, p)
		field := e.field(p)
		if p.Text.IsZero() && field != fieldDetails {
			e.unsigned(p, base+i)
			continue // whatever it is joined to stays as it is
		}
		places = append(places, base+i)
		switch field {
		case fieldDetails:
			n.details++
			e.unproven(p, base+i)
			continue
		case fieldReasoning:
			n.reasoning++
		case fieldContent + "+":
			n.reasoning++
			n.content++
		default:
			n.content++
		}
		if n.content > 1 || n.reasoning > 1 {
			e.tell(scri.WarnChanged, e.partPath(base+i), "joined to the thought before")
		}
		e.unsigned(p, base+i)
	}
	if n.content > 1 || n.reasoning > 1 || n.details > 0 && n.content+n.reasoning > 0 {
		for _, i := range places {
			e.tell(scri.WarnChanged, e.partPath(i), "several thoughts became one")
		}
	}
	e.plainThoughts(m, list, fieldContent)
	e.plainThoughts(m, list, fieldReasoning)
	if n.details == 0 {
		return
	}
	e.Key(fieldDetails)
	e.BeginArray()
	for _, p := range list {
		if e.field(p) == fieldDetails {
			e.detail(p)
		}
	}
	e.EndArray()
}

// plainThoughts writes the field w, if anything belongs there.
func (e *encoder) plainThoughts(m *scri.Message, list []*scri.Part, w string) {
	some := false
	for _, p := range list {
		some = some || e.goes(p, w)
	}
	if !some && !has(m.Ext, w+"=") {
		return
	}
	e.Key(w)
	e.B = append(e.B, '"')
	for _, p := range list {
		if e.goes(p, w) {
			e.B = p.Text.AppendJSONInner(e.B)
		}
	}
	e.B = append(e.B, '"')
}

// goes reports whether the text of a thought belongs to the field w.
func (e *encoder) goes(p *scri.Part, w string) bool {
	if p.Signature != nil && p.Signature.Redacted {
		return false
	}
	switch f := e.field(p); f {
	case fieldDetails:
		return has(p.Ext, "+"+w)
	case fieldContent + "+":
		return true
	default:
		return f == w
	}
}

// unproven tells of what an item of reasoning_details loses.
func (e *encoder) unproven(p *scri.Part, i int) {
	e.foreign(p.Ext, func() string { return e.partPath(i) })
	if p.Signature != nil && p.Signature.Dialect != name {
		e.dropped(e.partPath(i)+"/signature", "another's signature proves nothing here")
	}
	if p.Cache != nil {
		e.dropped(e.partPath(i)+"/cache", "prompts are cached without being told")
	}
}

// unsigned tells of what a thought loses that is written as a mere text.
func (e *encoder) unsigned(p *scri.Part, i int) {
	e.foreign(p.Ext, func() string { return e.partPath(i) })
	if p.Signature != nil {
		e.dropped(e.partPath(i)+"/signature", "thoughts are plain text here")
	}
	if p.Cache != nil {
		e.dropped(e.partPath(i)+"/cache", "prompts are cached without being told")
	}
}

// detail writes an item of reasoning_details.
func (e *encoder) detail(p *scri.Part) {
	typ := "text"
	if own := p.Ext.Of(name); own != nil {
		if t, ok := detailType(own); ok {
			typ = t
		}
	} else if p.Signature != nil && p.Signature.Redacted {
		typ = "encrypted"
	}
	e.BeginObject()
	e.str("type", "reasoning."+typ)
	if typ != "encrypted" && (!p.Text.IsZero() || has(p.Ext, "empty")) {
		e.text(typ, p.Text)
	}
	if s := p.Signature; s != nil && s.Dialect == name {
		if typ == "encrypted" {
			e.text("data", s.Value)
		} else {
			e.text("signature", s.Value)
		}
	} else if has(p.Ext, "unsigned") {
		e.str("signature", "")
	}
	e.extra(p.Ext)
	e.EndObject()
}
