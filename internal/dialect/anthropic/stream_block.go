package anthropic

import (
	"bytes"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

func (d *streamDecoder) find(index int64) *openBlock {
	for i := len(d.open) - 1; i >= 0; i-- {
		if d.open[i].index == index {
			return &d.open[i]
		}
	}
	return nil
}

// add opens a block that becomes the next part.
func (d *streamDecoder) add(index int64, kind scri.PartKind) *openBlock {
	if len(d.open) >= maxOpen {
		d.open = slices.Delete(d.open, 0, 1)
	}
	d.open = append(d.open, openBlock{index: index, part: d.parts, kind: kind})
	d.parts++
	return &d.open[len(d.open)-1]
}

func (d *streamDecoder) blockStart(e *wireEvent) {
	d.ensure()
	raw := bytes.Clone(e.block)
	p := newDecoder(raw).block()
	d.endBefore(e.index, p.Kind)
	b := d.add(e.index, p.Kind)
	if p.Kind == scri.PartOpaque {
		b.held = raw
	}
	d.stray(b, &e.more)
	switch p.Kind {
	case scri.PartOpaque:
		return
	case scri.PartToolCall:
		if args := p.Call.Args.String(); args != "{}" {
			b.args = []byte(args)
		}
		p.Call.Args = scri.Text{}
	case scri.PartThinking:
		if p.Signature != nil && p.Signature.Redacted {
			b.whole = true
			break
		}
		if p.Signature != nil {
			b.sign = p.Signature.Value.AppendJSONInner(nil)
			p.Signature = nil
		}
		b.got = !p.Text.IsZero()
		unspelled(&p)
	case scri.PartText:
		b.got = !p.Text.IsZero()
		unspelled(&p)
	default:
	}
	d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: &p})
}

// endBefore ends the blocks whose ends were left out when another one begins, but calls
// before a call, which some servers tell side by side.
func (d *streamDecoder) endBefore(index int64, kind scri.PartKind) {
	for i := 0; i < len(d.open); {
		if b := &d.open[i]; b.index == index || b.kind != scri.PartToolCall || kind != scri.PartToolCall {
			d.blockStop(&wireEvent{index: b.index})
		} else {
			i++
		}
	}
}

// unspelled forgets how the beginning of a block was spelled: it says nothing
// of the whole.
func unspelled(p *scri.Part) {
	switch {
	case p.Ext == nil:
	case len(p.Ext.Members) == 0:
		p.Ext = nil
	default:
		p.Ext.Form = ""
	}
}

// stray keeps members of a block's events that nobody knows until the block ends.
func (d *streamDecoder) stray(b *openBlock, u *dialect.Unknown) {
	obj := u.Object()
	switch {
	case obj == nil:
	case b.held != nil:
		b.held = mergeBlock(b.held, obj, d.limit)
	case b.more.Size()+len(obj) <= d.limit:
		b.more.Add(obj)
	}
}

func (d *streamDecoder) delta(e *wireEvent, data []byte) {
	var typ, text, citation []byte
	d.sub.Reset(e.delta)
	for name := range d.sub.Members() {
		switch name {
		case "type":
			typ = d.sub.Raw()
		case "text", "partial_json", "thinking", "signature":
			if d.sub.Kind() == wire.String {
				text = d.sub.Raw()
			}
		case "citation":
			citation = d.sub.Raw()
		default:
			e.own.Add(d.sub.Member())
		}
	}
	kind := deltaKind(typ)
	b := d.find(e.index)
	if b == nil && (kind == scri.PartText || kind == scri.PartThinking) {
		b = d.implicit(e.index, kind)
	}
	switch {
	case b == nil, d.sub.Err() != nil:
		d.opaque(data)
	case b.held != nil:
		b.held = mergeBlock(b.held, e.delta, d.limit)
		d.stray(b, &e.more)
	case kind != b.kind:
		d.opaque(data)
	case string(typ) == `"citations_delta"`:
		d.citation(b, citation, e, data)
	case text == nil:
		d.opaque(data)
	case string(typ) == `"signature_delta"`:
		d.strays(b, e)
		if t := scri.QuotedText(text); len(b.sign)+t.Size() <= d.limit {
			b.sign = t.AppendJSONInner(b.sign)
		}
	default:
		d.strays(b, e)
		if t := scri.QuotedText(text); !t.IsZero() {
			b.got = true
			d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Delta: t})
		}
	}
}

func (d *streamDecoder) strays(b *openBlock, e *wireEvent) {
	d.stray(b, &e.more)
	d.stray(b, &e.own)
}

// deltaKind is the kind of part that a delta belongs to, or "".
func deltaKind(typ []byte) scri.PartKind {
	switch string(typ) {
	case `"text_delta"`, `"citations_delta"`:
		return scri.PartText
	case `"input_json_delta"`:
		return scri.PartToolCall
	case `"thinking_delta"`, `"signature_delta"`:
		return scri.PartThinking
	default:
		return ""
	}
}

// implicit opens a block whose beginning was left out.
func (d *streamDecoder) implicit(index int64, kind scri.PartKind) *openBlock {
	d.ensure()
	d.endBefore(index, kind)
	b := d.add(index, kind)
	d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: &scri.Part{Kind: kind}})
	return b
}

func (d *streamDecoder) citation(b *openBlock, raw []byte, e *wireEvent, data []byte) {
	s := newDecoder(bytes.Clone(raw))
	c := s.citation()
	if s.End() != nil {
		d.opaque(data)
		return
	}
	d.strays(b, e)
	d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Citation: &c})
}

// blockStop ends a block: what was held back of it comes now.
func (d *streamDecoder) blockStop(e *wireEvent) {
	b := d.find(e.index)
	if b == nil {
		return
	}
	d.stray(b, &e.more)
	end := scri.StreamEvent{Kind: scri.EventPartEnd, Part: b.part}
	switch {
	case b.whole:
	case b.held != nil:
		p := newDecoder(b.held).block() // whole, it may be of a known kind after all
		d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: b.part, Whole: &p})
	case b.kind == scri.PartToolCall && !b.got:
		args := scri.NewText("{}")
		if len(b.args) > 0 {
			args = scri.PlainText(b.args)
		}
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: b.part, Delta: args})
	case len(b.sign) > 0:
		value := scri.QuotedText(append(append([]byte{'"'}, b.sign...), '"'))
		d.emit(scri.StreamEvent{
			Kind: scri.EventDelta, Part: b.part,
			Signature: &scri.Signature{Value: value, Dialect: Name},
		})
	case b.kind == scri.PartThinking:
		end.Ext = &scri.Ext{Dialect: Name, Form: "signature"}
	case b.kind == scri.PartText && !b.got:
		end.Ext = &scri.Ext{Dialect: Name, Form: "empty"}
	}
	if more := b.more.Object(); more != nil {
		if end.Ext == nil {
			end.Ext = &scri.Ext{Dialect: Name}
		}
		end.Ext.Members = more
	}
	d.emit(end)
	at := slices.IndexFunc(d.open, func(o openBlock) bool { return o.part == end.Part })
	d.open = slices.Delete(d.open, at, at+1)
}

// mergeBlock lays a delta over an unknown block: texts go on, anything else
// takes the place of what was there.
func mergeBlock(block, delta []byte, limit int) []byte {
	if len(block)+len(delta) > limit {
		return block
	}
	s, later := wire.NewScanner(block), wire.NewScanner(delta)
	values := map[string][]byte{}
	for name := range later.Members() {
		values[name] = later.Raw()
	}
	var out dialect.Unknown
	seen := map[string]bool{"type": true}
	for name := range s.Members() {
		v := values[name]
		if name == "type" || len(v) == 0 {
			out.Add(s.Member())
			continue
		}
		seen[name] = true
		value := append(wire.AppendQuote(nil, name), ':')
		if v[0] == '"' && s.Kind() == wire.String {
			value = append(value, '"')
			value = scri.QuotedText(s.Str()).AppendJSONInner(value)
			value = append(scri.QuotedText(v).AppendJSONInner(value), '"')
		} else {
			value = append(value, v...)
		}
		out.Add(value)
	}
	later.Reset(delta)
	for name := range later.Members() {
		if !seen[name] {
			out.Add(later.Member())
		}
	}
	if merged := out.Object(); merged != nil && s.Err() == nil && later.Err() == nil {
		return merged
	}
	return block
}
