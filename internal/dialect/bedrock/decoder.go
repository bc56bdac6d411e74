package bedrock

import (
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Names of blocks: the member that holds each.
const (
	blockText     = "text"
	blockImage    = "image"
	blockDocument = "document"
	blockVideo    = "video"
	blockAudio    = "audio"
	blockCall     = "toolUse"
	blockResult   = "toolResult"
	blockThinking = "reasoningContent"
	blockCache    = "cachePoint"
	blockGuard    = "guardContent"
	blockCited    = "citationsContent"
	blockSearch   = "searchResult"
	blockJSON     = "json"
)

// server is who runs the tools of the API itself.
const server = "server"

// decoder reads the objects of the dialect. Texts and raw values alias the
// document.
type decoder struct {
	dialect.Decoder
	inside bool // of a result, which holds neither thoughts nor calls nor other results
}

func newDecoder(doc []byte) *decoder {
	d := new(decoder)
	d.Reset(doc)
	return d
}

// blocks reads a list of blocks. A cache point marks the block before it.
func (d *decoder) blocks() []scri.Part {
	var out []scri.Part
	for range d.Elements() {
		if n := len(out); n > 0 && out[n-1].Cache == nil && d.Kind() == wire.Object && d.Peek(blockCache) != nil {
			m := d.Mark()
			if c := d.cachePoint(); c != nil {
				out[n-1].Cache = c
				continue
			}
			d.Rewind(m)
		}
		out = append(out, d.block())
	}
	return out
}

// cachePoint reads a block that is nothing but a cache point, or returns nil.
func (d *decoder) cachePoint() *scri.CacheMark {
	c := new(scri.CacheMark)
	var u dialect.Unknown
	typed := false
	for name := range d.Members() {
		if name != blockCache || d.Kind() != wire.Object {
			return nil
		}
		for name := range d.Members() {
			switch {
			case name == "type" && dialect.Word(d.peek()) == "default":
				d.Skip()
				typed = true
			case name == "ttl" && d.Some():
				c.TTL = d.Unquoted()
			default:
				u.Add(d.Member())
			}
		}
	}
	if d.Err() != nil || !typed {
		return nil
	}
	c.Ext = u.Ext(Name)
	return c
}

// peek returns the next value without consuming it.
func (d *decoder) peek() []byte {
	m := d.Mark()
	raw := d.Raw()
	d.Rewind(m)
	return raw
}

// block reads one block. Whatever does not fit one of the kinds is carried along
// as it stands.
func (d *decoder) block() scri.Part {
	m := d.Mark()
	p, ok := d.known()
	if ok && d.Err() == nil {
		return p
	}
	if d.Err() != nil && !dialect.Misfit(d.Err()) {
		return scri.Part{}
	}
	d.Rewind(m)
	return scri.Part{Kind: scri.PartOpaque, Raw: d.Raw(), Ext: &scri.Ext{Dialect: Name}}
}

// known reads a block of a known kind.
func (d *decoder) known() (p scri.Part, ok bool) {
	var u, beside dialect.Unknown
	bare := false
	for name := range d.Members() {
		if ok || d.Kind() == wire.Null || !d.kind(name, &p, &u) {
			beside.Add(d.Member())
			continue
		}
		ok, bare = true, name == blockText || name == blockJSON
	}
	obj := beside.Object()
	switch {
	case obj == nil:
	case bare: // a text has no object of its own
		addAll(&u, obj)
	default:
		u.Add(append([]byte(`"_block":`), obj...))
		u.Form("+block")
	}
	p.Ext = u.Ext(Name)
	return p, ok
}

// kind reads the member that makes a block what it is.
func (d *decoder) kind(name string, p *scri.Part, u *dialect.Unknown) bool {
	if d.inside && (name == blockCall || name == blockResult || name == blockThinking) {
		return false
	}
	switch name {
	case blockText:
		d.text(p, u)
	case blockImage, blockVideo, blockAudio, blockDocument:
		d.media(name, p, u)
	case blockCall:
		d.call(p, u)
	case blockResult:
		d.result(p, u)
	case blockThinking:
		d.thinking(p, u)
	case blockGuard:
		d.guard(p, u)
	case blockCited:
		d.cited(p, u)
	case blockSearch:
		d.search(p, u)
	case blockJSON:
		p.Kind, p.Text = scri.PartText, scri.PlainText(d.Raw())
		u.Form("json")
	default:
		return false
	}
	return true
}

// blank reports whether a text is nothing but white space, as far as anybody
// writes such.
func blank(t scri.Text) bool { return t.Size() <= 64 && strings.TrimSpace(t.String()) == "" }

func (d *decoder) text(p *scri.Part, u *dialect.Unknown) {
	p.Kind, p.Text = scri.PartText, scri.QuotedText(d.Str())
	if blank(p.Text) {
		u.Form("empty")
	}
}

func (d *decoder) call(p *scri.Part, u *dialect.Unknown) {
	c := new(scri.ToolCall)
	p.Kind, p.Call = scri.PartToolCall, c
	input := false
	for name := range d.Members() {
		switch {
		case name == "toolUseId" && d.Some():
			c.ID = d.Unquoted()
		case name == "name" && d.Some():
			c.Name = d.Unquoted()
		case name == "input" && d.Kind() == wire.Object:
			c.Args, input = scri.PlainText(d.Raw()), true
		case name == "type" && d.Some():
			switch word := d.Unquoted(); word {
			case "tool_use":
				u.Form("type")
			case "server_tool_use":
				c.Type, c.Server = word, server
			default:
				d.Fail("a call of type %q", word)
			}
		default:
			u.Add(d.Member())
		}
	}
	d.Need(c.ID != "", "toolUseId")
	d.Need(c.Name != "", "name")
	d.Need(input, "input")
}

func (d *decoder) result(p *scri.Part, u *dialect.Unknown) {
	r := new(scri.ToolResult)
	p.Kind, p.Result = scri.PartToolResult, r
	there, content := false, false
	for name := range d.Members() {
		switch {
		case name == "toolUseId" && d.Some():
			r.CallID, there = d.Unquoted(), true
		case name == "content" && d.Kind() == wire.Array:
			content = true
			d.inside = true
			if r.Parts = d.blocks(); len(r.Parts) == 0 {
				u.Form("list")
			}
			d.inside = false
		case name == "status" && d.Some():
			switch word := d.Unquoted(); word {
			case "success":
				u.Form("status")
			case "error":
				r.Error = true
			default:
				d.Fail("a result with the status %q", word)
			}
		case name == "type" && d.Some():
			word := d.Unquoted()
			r.Server, r.Name = server, strings.TrimSuffix(word, "_result")
			if r.Name == word {
				d.Fail("a result of type %q", word)
			}
		default:
			u.Add(d.Member())
		}
	}
	if !content {
		u.Form("-content")
	}
	d.Need(there, "toolUseId")
}

func (d *decoder) thinking(p *scri.Part, u *dialect.Unknown) {
	p.Kind = scri.PartThinking
	there := false
	for name := range d.Members() {
		switch {
		case name == "reasoningText" && d.Kind() == wire.Object && !there:
			for name := range d.Members() {
				switch {
				case name == "text" && d.Kind() == wire.String:
					p.Text, there = scri.QuotedText(d.Str()), true
				case name == "signature" && d.Kind() == wire.String:
					if v := scri.QuotedText(d.Str()); !v.IsZero() {
						p.Signature = &scri.Signature{Value: v, Dialect: Name}
					} else {
						u.Form("signature")
					}
				default:
					d.Fail("%s beside the thought", name)
				}
			}
		case name == "redactedContent" && d.Some() && !there:
			p.Signature, there = &scri.Signature{Value: scri.QuotedText(d.Str()), Dialect: Name, Redacted: true}, true
		default:
			u.Add(d.Member())
		}
	}
	d.Need(there, "the thought")
	if p.Signature == nil && p.Text.IsZero() {
		u.Form("empty")
	}
}

// guard reads content that a guardrail looks at apart from the rest.
func (d *decoder) guard(p *scri.Part, u *dialect.Unknown) {
	u.Form("guard")
	there := false
	for name := range d.Members() {
		switch {
		case name == "text" && d.Kind() == wire.Object && !there:
			for name := range d.Members() {
				if name == "text" {
					p.Kind, p.Text, there = scri.PartText, scri.QuotedText(d.Str()), true
				} else {
					u.Add(d.Member())
				}
			}
		case name == blockImage && !there:
			d.media(name, p, u)
			there = true
		default:
			d.Fail("%s in guarded content", name)
		}
	}
	d.Need(there, "guarded content")
}

// cited reads a text with its citations.
func (d *decoder) cited(p *scri.Part, u *dialect.Unknown) {
	p.Kind = scri.PartText
	for name := range d.Members() {
		switch {
		case name == "content" && d.Kind() == wire.Array:
			if p.Text = d.citedText(); p.Text.IsZero() {
				u.Form("empty")
			}
		case name == "citations" && d.Kind() == wire.Array:
			for range d.Elements() {
				p.Citations = append(p.Citations, d.citation())
			}
			if len(p.Citations) == 0 {
				u.Form("none")
			}
		default:
			u.Add(d.Member())
		}
	}
	if len(p.Citations) == 0 {
		u.Form("cited")
	}
}

// citedText reads the list of exactly one text that citations are about.
func (d *decoder) citedText() (t scri.Text) {
	n := 0
	for range d.Elements() {
		for name := range d.Members() {
			if name != "text" || n > 0 {
				d.Fail("more than a text")
			}
			t = scri.QuotedText(d.Str())
			n++
		}
	}
	d.Need(n == 1, "a text")
	return t
}
