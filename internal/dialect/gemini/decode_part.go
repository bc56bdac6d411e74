package gemini

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// decoder reads the objects of the dialect. Texts and raw values alias the
// document.
type decoder struct {
	dialect.Decoder
	ids   dialect.CallIDs
	calls dialect.CallBook
}

// name is the documented name of a member, whose spelling is noted if another
// was used and the member has a field.
func name(as string, u *dialect.Unknown) string {
	n := camel(as)
	if n != as {
		u.Form(as)
	}
	return n
}

// str takes a string that says something; an empty one is kept as it stands.
func (d *decoder) str(u *dialect.Unknown, into *string) {
	if d.Empty() {
		u.Add(d.Member())
		return
	}
	*into = d.Unquoted()
}

// list goes through a list, for which Google takes a single object as well, and
// reports whether it was one.
func (d *decoder) list(each func()) (single bool) {
	if d.Kind() == wire.Object {
		each()
		return true
	}
	for range d.Elements() {
		each()
	}
	return false
}

// try reads a value as one shape, or goes back to before it.
func (d *decoder) try(f func() bool) bool {
	m := d.Mark()
	if f() && d.Err() == nil {
		return true
	}
	if d.Err() == nil || dialect.Misfit(d.Err()) {
		d.Rewind(m)
	}
	return false
}

func opaque(raw []byte) scri.Part {
	return scri.Part{Kind: scri.PartOpaque, Raw: raw, Ext: &scri.Ext{Dialect: Name}}
}

// part reads one part. Whatever does not fit one of the kinds is carried along as
// it stands.
func (d *decoder) part() (p scri.Part) {
	if d.try(func() bool { return d.knownPart(&p) }) {
		return p
	}
	return opaque(d.Raw())
}

// knownPart reads a part of a kind that has a word in the language.
func (d *decoder) knownPart(p *scri.Part) bool {
	*p = scri.Part{}
	var u dialect.Unknown
	var thought []byte
	kinds, others := 0, 0
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch camel(as) {
		case "text":
			p.Kind, p.Text = scri.PartText, scri.QuotedText(d.Str())
			kinds++
		case "thought":
			if d.Kind() != wire.Bool {
				return false
			}
			thought = d.Member()
		case "thoughtSignature":
			name(as, &u)
			if v := scri.QuotedText(d.Str()); !v.IsZero() {
				p.Signature = &scri.Signature{Value: v, Dialect: Name}
			} else {
				u.Form("signature")
			}
		case "inlineData", "fileData":
			p.Kind = scri.PartMedia
			if p.Media = d.media(name(as, &u)); p.Media == nil {
				return false
			}
			kinds++
		case "functionCall":
			name(as, &u)
			p.Kind, p.Call = scri.PartToolCall, d.functionCall()
			kinds++
		case "functionResponse":
			name(as, &u)
			p.Kind, p.Result = scri.PartToolResult, d.functionResponse()
			kinds++
		case "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			return false
		default:
			u.Add(d.Member())
			others++
		}
	}
	if kinds == 0 && others == 0 && p.Signature != nil {
		// The end of a stream's text, whose empty text Google's SDKs leave out when
		// they send it back.
		p.Kind, kinds = scri.PartText, 1
		u.Form("-text")
	}
	if kinds != 1 || d.Err() != nil {
		return false
	}
	d.finishPart(p, thought, &u)
	return true
}

// finishPart settles what is known only when all members are.
func (d *decoder) finishPart(p *scri.Part, thought []byte, u *dialect.Unknown) {
	if thought != nil {
		switch yes := thought[len(thought)-2] == 'u'; { // true, not false
		case p.Kind == scri.PartText && yes:
			p.Kind = scri.PartThinking
		case p.Kind == scri.PartText:
			u.Form("thought")
		default:
			u.Add(thought)
		}
	}
	if (p.Kind == scri.PartText || p.Kind == scri.PartThinking) && p.Text.IsZero() {
		u.Form("empty")
	}
	switch p.Kind {
	case scri.PartToolCall:
		c := p.Call
		if c.ID == "" {
			c.ID, c.MadeID = d.ids.Make(c.Name), true
		} else {
			d.ids.Skip()
		}
		d.calls.Add(dialect.CallRef{ID: c.ID, Name: c.Name, Made: c.MadeID})
	case scri.PartToolResult:
		r := p.Result
		if r.CallID != "" {
			d.calls.Answer(r.CallID)
		} else {
			r.CallID = d.calls.Take(r.Name)
		}
	default:
	}
	p.Ext = u.Ext(Name)
}

// media reads bytes or an address, or returns nil.
func (d *decoder) media(typ string) *scri.Media {
	m := new(scri.Media)
	var u dialect.Unknown
	typed := false
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch n := camel(as); {
		case n == "mimeType":
			typed = true
			name(as, &u)
			if m.Type = d.Unquoted(); m.Type == "" {
				u.Form("type")
			}
		case n == "displayName" && !d.Empty():
			name(as, &u)
			u.Form("named")
			m.Name = d.Unquoted()
		case n == "data" && typ == "inlineData":
			m.Data = scri.QuotedText(d.Str())
		case n == "fileUri" && typ == "fileData":
			name(as, &u)
			m.URL = scri.QuotedText(d.Str())
		default:
			u.Add(d.Member())
		}
	}
	if m.Data.IsZero() && m.URL.IsZero() {
		return nil
	}
	if !typed {
		u.Form("-type")
	}
	m.Ext = u.Ext(Name)
	return m
}

func (d *decoder) functionCall() *scri.ToolCall {
	c := new(scri.ToolCall)
	var u dialect.Unknown
	args := false
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch as {
		case "id":
			d.str(&u, &c.ID)
		case "name":
			c.Name = d.Unquoted()
		case "args":
			if d.Kind() != wire.Object {
				d.Fail("args must be an object")
				return c
			}
			c.Args, args = scri.PlainText(d.Raw()), true
		default:
			u.Add(d.Member())
		}
	}
	if !args {
		u.Form("-args")
	}
	if c.Name == "" && d.Err() == nil {
		d.Fail("a call without a name")
	}
	c.Ext = u.Ext(Name)
	return c
}

func (d *decoder) functionResponse() *scri.ToolResult {
	r := new(scri.ToolResult)
	var u dialect.Unknown
	var media []scri.Part
	there, named := false, false
	for as := range d.Members() {
		if d.KeepNull(&u) {
			continue
		}
		switch as {
		case "id":
			d.str(&u, &r.CallID)
		case "name":
			r.Name, named = d.Unquoted(), true
		case "response":
			there = true
			d.response(r, &u)
		case "parts":
			if d.Kind() != wire.Array {
				d.Fail("parts must be a list")
				return r
			}
			for range d.Elements() {
				media = append(media, d.piece())
			}
			if len(media) == 0 {
				u.Form("parts")
			}
		default:
			u.Add(d.Member())
		}
	}
	r.Parts = append(r.Parts, media...)
	if !there {
		u.Form("-response")
	}
	switch {
	case !named:
		u.Form("-name")
	case r.Name == "":
		u.Form("name")
	}
	if r.CallID == "" {
		u.Form("-id")
	}
	r.Ext = u.Ext(Name)
	return r
}

// piece reads a part of a function's response: media alone.
func (d *decoder) piece() (p scri.Part) {
	if d.try(func() bool { return d.knownPart(&p) && p.Kind == scri.PartMedia }) {
		return p
	}
	return opaque(d.Raw())
}

// response reads what a function gave back.
func (d *decoder) response(r *scri.ToolResult, u *dialect.Unknown) {
	n, fits := 0, false
	ok := d.try(func() bool {
		for as := range d.Members() {
			n++
			switch {
			case n > 1 || as != "output" && as != "error" && as != "result":
				fits = false
				d.Skip()
			case d.Kind() == wire.String:
				r.Parts = append(r.Parts[:0], scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())})
				fits = true
			case d.Kind() == wire.Array:
				r.Parts = d.texts()
				fits = r.Parts != nil
			default:
				d.Skip()
			}
			if fits {
				r.Error = as == "error"
				if as == "result" {
					u.Form("result")
				}
			}
		}
		return n == 0 || n == 1 && fits
	})
	if ok {
		return
	}
	if d.Kind() != wire.Object {
		d.Fail("response must be an object")
		return
	}
	r.Error = false
	u.Form("json")
	r.Parts = []scri.Part{{Kind: scri.PartText, Text: scri.PlainText(d.Raw())}}
}

// texts reads a list of two texts or more, or returns nil.
func (d *decoder) texts() (parts []scri.Part) {
	for range d.Elements() {
		if d.Kind() != wire.String {
			return nil
		}
		parts = append(parts, scri.Part{Kind: scri.PartText, Text: scri.QuotedText(d.Str())})
	}
	if len(parts) < 2 {
		return nil
	}
	return parts
}
