package bedrock

import (
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (s *streamEncoder) find(ev *scri.StreamEvent) *streamPart {
	for _, p := range slices.Backward(s.parts) {
		if p.message == ev.Message && p.part == ev.Part {
			return p
		}
	}
	return nil
}

// part begins a part. Texts and thoughts begin with what they say.
func (s *streamEncoder) part(b []byte, ev *scri.StreamEvent) []byte {
	whole := ev.Whole
	if whole == nil {
		whole = &scri.Part{Kind: scri.PartText}
	}
	b = s.endBefore(b)
	s.any.Note(ev)
	s.e.Part(0, ev.Message, ev.Part)
	defer s.e.Out(0)
	p := &streamPart{message: ev.Message, part: ev.Part, kind: whole.Kind, index: -1, said: true, empty: formed(whole.Ext, "empty")}
	if len(s.parts) >= maxRemembered {
		s.parts = slices.Delete(s.parts, 0, 1)
	}
	s.parts = append(s.parts, p)
	if whole.Cache != nil {
		s.e.Drop("cache", "no cache point can stand here")
	}
	if whole.Signature != nil && whole.Kind != scri.PartThinking {
		s.e.Drop("signature", "only thinking is signed here")
	}
	switch whole.Kind {
	case scri.PartText, scri.PartRefusal:
		if whole.Kind == scri.PartRefusal {
			s.e.Tell(scri.WarnChanged, "kind", string(whole.Kind), string(scri.PartText), "a refusal is a text here")
		}
		b = s.textStart(b, p, whole)
	case scri.PartThinking:
		b = s.thoughtStart(b, p, whole)
	case scri.PartToolCall:
		b = s.callStart(b, p, whole)
	default:
		b = s.wholePart(b, p, whole)
	}
	return b
}

// endBefore ends the texts and thoughts that are open when another part begins: clients
// know one open block at a time.
func (s *streamEncoder) endBefore(b []byte) []byte {
	for i := 0; i < len(s.parts); {
		p := s.parts[i]
		if !p.said || p.kind != scri.PartText && p.kind != scri.PartRefusal && p.kind != scri.PartThinking {
			i++
			continue
		}
		s.parts = slices.Delete(s.parts, i, i+1)
		b = s.close(b, p, nil)
	}
	return b
}

// openBlock begins the payload of an event about a block, which has its number
// from the first one on.
func (s *streamEncoder) openBlock(p *streamPart) *wire.Writer {
	if p.index < 0 {
		p.index = s.blocks
		s.blocks++
	}
	w := s.compose()
	w.Key("contentBlockIndex")
	w.Int(int64(p.index))
	return w
}

func (s *streamEncoder) textStart(b []byte, p *streamPart, whole *scri.Part) []byte {
	s.keep(p, whole.Ext)
	if !whole.Text.IsZero() {
		b = s.more(b, p, whole.Text)
	}
	for i := range whole.Citations {
		b = s.cite(b, p, &whole.Citations[i])
	}
	return b
}

// keep remembers the own members of a part whose beginning is not told.
func (s *streamEncoder) keep(p *streamPart, x *scri.Ext) {
	if x.Of(Name) == nil {
		s.e.Foreign(x)
		return
	}
	p.ext = x.Clone()
}

func (s *streamEncoder) thoughtStart(b []byte, p *streamPart, whole *scri.Part) []byte {
	sign := whole.Signature
	if sign != nil && sign.Dialect != Name && (sign.Redacted || whole.Text.IsZero()) {
		s.e.Drop("", "thoughts that only another provider can read")
		p.said = false
		return b
	}
	s.keep(p, whole.Ext)
	if sign != nil && sign.Redacted {
		w := s.openBlock(p)
		w.Key("delta")
		w.BeginObject()
		w.Key(blockThinking)
		w.BeginObject()
		s.e.text("redactedContent", sign.Value)
		p.got = true
		return s.frame(b, "contentBlockDelta", 3)
	}
	if !whole.Text.IsZero() {
		b = s.more(b, p, whole.Text)
	}
	if sign != nil {
		b = s.sign(b, p, sign)
	}
	return b
}

// callStart begins a call. Its arguments follow.
func (s *streamEncoder) callStart(b []byte, p *streamPart, whole *scri.Part) []byte {
	c := whole.Call
	switch {
	case c == nil:
		s.e.Drop("", "a call of nothing")
		p.said = false
		return b
	case c.Server != "" && c.Type != "server_tool_use":
		s.e.Tell(scri.WarnDropped, "", c.Type, "", "a call that another provider ran itself")
		p.said = false
		return b
	}
	s.called = s.called || c.Server == ""
	w := s.openBlock(p)
	w.Key("start")
	in := s.e.In("call")
	if c.Server == "" && c.Type != "" {
		s.e.Tell(scri.WarnChanged, "type", c.Type, "", "every call is a call of a function here")
	}
	s.e.open(blockCall)
	w.Key("toolUseId")
	w.Str(c.ID)
	w.Key("name")
	w.Str(c.Name)
	switch {
	case c.Server != "":
		s.e.str("type", c.Type)
	case formed(whole.Ext, "type"):
		s.e.str("type", "tool_use")
	}
	s.e.Homeless(c.Ext)
	s.e.Out(in)
	s.e.done(whole.Ext, func(name string) bool { return name == "name" || name == "type" || name == "input" })
	b = s.frame(b, "contentBlockStart", 1)
	if !c.Args.IsZero() {
		b = s.more(b, p, c.Args)
	}
	return b
}

// wholePart appends a part that comes in one piece.
func (s *streamEncoder) wholePart(b []byte, p *streamPart, whole *scri.Part) []byte {
	bare := *whole
	bare.Cache = nil
	s.e.w.B = s.e.w.B[:0]
	if p.said = s.e.block(&bare); !p.said {
		return b
	}
	block := slices.Clone(s.e.w.B)
	w := s.openBlock(p)
	w.Key("start")
	raw := wire.NewScanner(block).Peek(blockResult)
	content := newDecoder(raw).peekIn("content")
	if whole.Kind != scri.PartToolResult || content == nil {
		w.Raw(block)
		return s.frame(b, "contentBlockStart", 1)
	}
	var less dialect.Unknown // its content follows in a delta
	m := wire.NewScanner(raw)
	for name := range m.Members() {
		if member := m.Member(); name != "content" {
			less.Add(member)
		}
	}
	w.BeginObject()
	w.Key(blockResult)
	w.Raw(less.Object())
	b = s.frame(b, "contentBlockStart", 2)
	w = s.openBlock(p)
	w.Key("delta")
	w.BeginObject()
	w.Key(blockResult)
	w.Raw(content)
	return s.frame(b, "contentBlockDelta", 2)
}

// delta goes on with a part.
func (s *streamEncoder) delta(b []byte, ev *scri.StreamEvent) []byte {
	p := s.find(ev)
	if p == nil {
		if s.any.Has(ev) && !s.again(ev) {
			return b
		}
		b = s.part(b, &scri.StreamEvent{Kind: scri.EventPart, Message: ev.Message, Part: ev.Part})
		p = s.find(ev)
		p.cited = s.cited.Of(ev)
	}
	if !p.said {
		return b
	}
	s.e.Part(0, ev.Message, ev.Part)
	defer s.e.Out(0)
	if !ev.Delta.IsZero() {
		b = s.more(b, p, ev.Delta)
	}
	if ev.Signature != nil {
		b = s.sign(b, p, ev.Signature)
	}
	if ev.Citation != nil {
		b = s.cite(b, p, ev.Citation)
	}
	return b
}

// again reports whether more of a part that is over is told, which is in another block.
func (s *streamEncoder) again(ev *scri.StreamEvent) bool {
	s.e.Part(0, ev.Message, ev.Part)
	defer s.e.Out(0)
	if ev.Signature != nil {
		s.once(s.e.Path()+"/signature", "it came after the block had to end")
	}
	if ev.Citation == nil && ev.Delta.IsZero() {
		return false
	}
	s.e.Tell(scri.WarnChanged, "", "", "", "the part goes on in another block")
	return true
}

// more appends a piece of a text, a thought or arguments.
func (s *streamEncoder) more(b []byte, p *streamPart, t scri.Text) []byte {
	p.got = true
	w := s.openBlock(p)
	w.Key("delta")
	w.BeginObject()
	switch p.kind {
	case scri.PartText, scri.PartRefusal:
		s.e.text("text", t)
		return s.frame(b, "contentBlockDelta", 2)
	case scri.PartThinking:
		w.Key(blockThinking)
		w.BeginObject()
		s.e.text("text", t)
	case scri.PartToolCall:
		w.Key(blockCall)
		w.BeginObject()
		s.e.text("input", t)
	default:
		return b
	}
	return s.frame(b, "contentBlockDelta", 3)
}

func (s *streamEncoder) sign(b []byte, p *streamPart, sign *scri.Signature) []byte {
	if p.kind != scri.PartThinking {
		s.once(s.e.Path()+"/signature", "only thinking is signed here")
		return b
	}
	if sign.Dialect != Name && !p.got {
		s.e.Drop("", "thoughts that only another provider can read")
		p.said = false
		return b
	}
	if sign.Dialect != Name {
		s.once(s.e.Path()+"/signature", "a signature of another provider")
		return b
	}
	p.got = true
	w := s.openBlock(p)
	w.Key("delta")
	w.BeginObject()
	w.Key(blockThinking)
	w.BeginObject()
	s.e.text("signature", sign.Value)
	return s.frame(b, "contentBlockDelta", 3)
}

func (s *streamEncoder) cite(b []byte, p *streamPart, c *scri.Citation) []byte {
	if p.kind != scri.PartText && p.kind != scri.PartRefusal {
		s.once(s.e.Path()+"/citations", "only text has citations here")
		return b
	}
	p.got = true
	w := s.openBlock(p)
	w.Key("delta")
	w.BeginObject()
	w.Key("citation")
	in := s.e.In("citations")
	s.e.At(p.cited)
	p.cited++
	s.e.citation(c)
	s.e.Out(in)
	return s.frame(b, "contentBlockDelta", 2)
}

// partEnd ends a part.
func (s *streamEncoder) partEnd(b []byte, ev *scri.StreamEvent) []byte {
	p := s.find(ev)
	if p == nil { // its block had to end
		s.e.Part(0, ev.Message, ev.Part)
		s.e.Homeless(ev.Ext)
		s.e.Out(0)
		return b
	}
	s.parts = slices.DeleteFunc(s.parts, func(o *streamPart) bool { return o == p })
	return s.close(b, p, ev.Ext)
}

// close appends the end of a block, with the members that were known only now.
func (s *streamEncoder) close(b []byte, p *streamPart, x *scri.Ext) []byte {
	s.cited.Note(p.message, p.part, p.cited)
	if !p.said {
		return b
	}
	s.e.Part(0, p.message, p.part)
	defer s.e.Out(0)
	switch {
	case p.got:
	case p.kind == scri.PartToolCall:
		b = s.more(b, p, scri.NewText("{}"))
	case (p.kind == scri.PartText || p.kind == scri.PartThinking) && (p.empty || x.Of(Name) != nil || p.ext != nil):
		b = s.more(b, p, scri.Text{})
	}
	if p.index < 0 { // nothing was said
		s.e.Foreign(x)
		return b
	}
	var all dialect.Unknown
	if p.ext != nil && len(p.ext.Members) > 0 {
		addAll(&all, p.ext.Members)
	}
	if own := x.Of(Name); own == nil {
		s.e.Foreign(x)
	} else if len(own.Members) > 0 {
		addAll(&all, own.Members)
	}
	w := s.openBlock(p)
	s.e.Ext(w, &scri.Ext{Dialect: Name, Members: all.Object()}, func(name string) bool { return name == "contentBlockIndex" || name == "p" })
	return s.frame(b, "contentBlockStop", 1)
}
