package bedrock

import (
	"bytes"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// blockStart begins a block that tells its kind before its content.
func (d *streamDecoder) blockStart(e *wireEvent) bool {
	if e.start == nil {
		return false
	}
	s := wire.NewScanner(e.start)
	if raw := s.Peek(blockResult); len(raw) > 2 && raw[0] == '{' && wire.NewScanner(raw).Peek("content") == nil {
		b := d.add(e.index, scri.PartToolResult)
		b.whole = true
		b.held = append(append([]byte(`{"toolResult":`), raw[:len(raw)-1]...), ',')
		d.stray(b, e)
		return true
	}
	raw := bytes.Clone(e.start)
	if call := s.Peek(blockCall); len(call) > 2 && call[0] == '{' && wire.NewScanner(call).Peek("input") == nil {
		at := bytes.Index(raw, call) + len(call) - 1
		raw = bytes.Join([][]byte{raw[:at], []byte(`,"input":{}`), raw[at:]}, nil)
	}
	p := newDecoder(raw).block()
	b := d.add(e.index, p.Kind)
	b.whole = p.Kind != scri.PartToolCall
	if p.Kind == scri.PartToolCall {
		if b.got = p.Call.Args.String() != "{}"; !b.got {
			p.Call.Args = scri.Text{}
		}
	}
	d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: &p})
	d.stray(b, e)
	return true
}

// delta goes on with a block, or begins one of text or thoughts.
func (d *streamDecoder) delta(e *wireEvent) bool {
	var text, args, thought, sign, hidden, cite, result []byte
	s := &d.s
	s.Reset(e.delta)
	for name := range s.Members() {
		switch {
		case name == "text" && s.Kind() == wire.String:
			text = s.Str()
		case name == "citation" && s.Kind() == wire.Object:
			cite = s.Raw()
		case name == blockResult && s.Kind() == wire.Array:
			result = s.Raw()
		case (name == blockCall || name == blockThinking) && s.Kind() == wire.Object:
			for inner := range s.Members() {
				switch {
				case s.Kind() != wire.String:
					e.more.Add(s.Member())
				case inner == "input" && name == blockCall:
					args = s.Str()
				case inner == "text" && name == blockThinking:
					thought = s.Str()
				case inner == "signature" && name == blockThinking:
					sign = s.Str()
				case inner == "redactedContent" && name == blockThinking:
					hidden = s.Str()
				default:
					e.more.Add(s.Member())
				}
			}
		default:
			e.more.Add(s.Member())
		}
	}
	if s.Err() != nil {
		return false
	}
	switch {
	case text != nil:
		d.more(d.begunAs(e.index, scri.PartText), text)
	case thought != nil:
		d.more(d.begunAs(e.index, scri.PartThinking), thought)
	case cite != nil:
		d.cite(d.begunAs(e.index, scri.PartText), cite)
	case sign != nil:
		if b := d.begunAs(e.index, scri.PartThinking); len(b.sign)+len(sign) <= d.limit {
			b.sign = scri.QuotedText(sign).AppendJSONInner(b.sign)
		}
	case hidden != nil:
		d.hidden(e.index, hidden)
	default:
		return d.goesOn(e, args, result)
	}
	if b := d.find(e.index); b != nil {
		d.stray(b, e)
	}
	return true
}

// goesOn is about deltas of blocks that must have begun.
func (d *streamDecoder) goesOn(e *wireEvent, args, result []byte) bool {
	b := d.find(e.index)
	switch {
	case b == nil:
		return false
	case args != nil && b.kind == scri.PartToolCall:
		d.more(b, args)
	case result != nil && b.held != nil:
		if inner := bytes.TrimSpace(result[1 : len(result)-1]); len(inner) > 0 && len(b.list)+len(inner) <= d.limit {
			if len(b.list) > 0 {
				b.list = append(b.list, ',')
			}
			b.list = append(b.list, inner...)
		}
	case args != nil || result != nil:
		return false
	}
	d.stray(b, e)
	return true
}

// begunAs is the open block of that index and kind, which may begin here.
func (d *streamDecoder) begunAs(index int64, kind scri.PartKind) *openBlock {
	if b := d.find(index); b != nil && b.kind == kind && !b.whole {
		return b
	}
	b := d.add(index, kind)
	d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: &scri.Part{Kind: kind}})
	return b
}

func (d *streamDecoder) more(b *openBlock, quoted []byte) {
	if t := scri.QuotedText(quoted); !t.IsZero() {
		b.got = true
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Delta: t})
	}
}

func (d *streamDecoder) cite(b *openBlock, raw []byte) {
	c := newDecoder(bytes.Clone(raw)).citation()
	b.got = true
	d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Citation: &c})
}

// hidden is a thought that only its issuer can read. It comes in one piece.
func (d *streamDecoder) hidden(index int64, quoted []byte) {
	b := d.add(index, scri.PartThinking)
	b.whole = true
	p := &scri.Part{Kind: scri.PartThinking, Signature: &scri.Signature{
		Value: scri.QuotedText(bytes.Clone(quoted)), Dialect: Name, Redacted: true,
	}}
	d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: p})
}
