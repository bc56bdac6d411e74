package anthropic

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/scri"
)

func id(ev *scri.StreamEvent) partID { return partID{ev.Choice, ev.Message, ev.Part} }

func (s *streamEncoder) find(p partID) *block {
	for _, b := range s.blocks {
		if b.id == p {
			return b
		}
	}
	return nil
}

// emit appends a finished frame to what is sent if the block is on the wire,
// else to what waits.
func (s *streamEncoder) emit(b []byte, k *block, event string) []byte {
	if k == s.blocks[0] {
		return s.frame(b, event)
	}
	before := len(k.buf)
	k.buf = s.frame(k.buf, event)
	return s.waits(b, len(k.buf)-before)
}

// waits counts what is held back; too much of it ends the answer.
func (s *streamEncoder) waits(b []byte, n int) []byte {
	if s.waiting += n; s.waiting <= maxWaiting {
		return b
	}
	return s.End(b, &scri.Error{
		Kind: scri.ErrInternal, Message: "too many parts of the answer came at the same time for this dialect",
	})
}

// part begins a block. A text that is still open ends then: others may go on
// with theirs at any time, but clients here know one open block only.
func (s *streamEncoder) part(b []byte, ev *scri.StreamEvent) []byte {
	p := ev.Whole
	if p == nil {
		p = &scri.Part{Kind: scri.PartText}
	}
	for _, k := range s.blocks {
		if k.whole || k.kind != scri.PartToolCall {
			if !k.ended && !k.whole && len(s.early) < maxRemembered {
				s.early = append(s.early, early{k.id, k.kind})
			}
			k.ended = true
		}
	}
	b = s.advance(b)
	s.any.Note(ev)
	s.at(id(ev))
	defer func() { s.e.path = s.e.path[:0] }()
	k := &block{id: id(ev), kind: p.Kind, index: s.blockNo}
	if !s.blockStart(k, p) {
		if len(s.skipped) < maxRemembered {
			s.skipped = append(s.skipped, k.id)
		}
		return b
	}
	s.blockNo++
	s.blocks = append(s.blocks, k)
	b = s.emit(b, k, "content_block_start")
	return s.wholeContent(b, k, p)
}

// blockStart puts the beginning of a block together.
func (s *streamEncoder) blockStart(k *block, p *scri.Part) bool {
	w := s.compose("content_block_start")
	w.Key("index")
	w.Int(int64(k.index))
	w.Key("content_block")
	q := *p
	switch {
	case p.Kind == scri.PartToolCall && p.Call != nil:
		c := *p.Call
		c.Args = scri.NewText("{}")
		q.Call = &c
	case p.Kind == scri.PartText, p.Kind == scri.PartRefusal:
		q.Text, q.Citations = scri.Text{}, nil
	case p.Kind == scri.PartThinking && (p.Signature == nil || !p.Signature.Redacted && p.Signature.Dialect == Name):
		q.Text, q.Signature, q.Ext = scri.Text{}, nil, spelled(p.Ext)
	case p.Kind == scri.PartThinking && !p.Signature.Redacted:
		s.e.drop("signature", "a signature of another provider")
		q.Text, q.Signature = scri.Text{}, nil
	default:
		k.whole = true
	}
	if !s.e.part(&q) {
		return false
	}
	if p.Kind == scri.PartToolCall && p.Call.Server == "" {
		s.called = true
	}
	w.EndObject()
	return true
}

// spelled forgets that a thought had no signature: the block begins with an
// empty one as all do.
func spelled(x *scri.Ext) *scri.Ext {
	own := x.Of(Name)
	if own == nil || own.Form == "" {
		return x
	}
	return &scri.Ext{Dialect: Name, Members: own.Members}
}

// wholeContent appends the content that a part began with.
func (s *streamEncoder) wholeContent(b []byte, k *block, p *scri.Part) []byte {
	if k.whole {
		return b
	}
	switch p.Kind {
	case scri.PartToolCall:
		if !p.Call.Args.IsZero() {
			b = s.content(b, k, p.Call.Args)
		}
	default:
		if !p.Text.IsZero() {
			b = s.content(b, k, p.Text)
		}
	}
	for i := range p.Citations {
		b = s.citation(b, k, &p.Citations[i], k.cited)
		k.cited++
	}
	if p.Kind == scri.PartThinking && p.Signature != nil && p.Signature.Dialect == Name {
		b = s.signature(b, k, p.Signature)
	}
	return b
}

// content appends more of a block. It is where nearly all of an answer goes
// through, so the frame is written in place.
func (s *streamEncoder) content(b []byte, k *block, t scri.Text) []byte {
	if k != s.blocks[0] {
		before := len(k.buf)
		k.buf = appendDelta(k.buf, k, t)
		return s.waits(b, len(k.buf)-before)
	}
	return appendDelta(b, k, t)
}

func appendDelta(b []byte, k *block, t scri.Text) []byte {
	b = append(b, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	b = strconv.AppendInt(b, int64(k.index), 10)
	switch k.kind {
	case scri.PartToolCall:
		k.got = true
		b = append(b, `,"delta":{"type":"input_json_delta","partial_json":`...)
	case scri.PartThinking:
		b = append(b, `,"delta":{"type":"thinking_delta","thinking":`...)
	default:
		b = append(b, `,"delta":{"type":"text_delta","text":`...)
	}
	b = t.AppendJSON(b)
	return append(b, "}}\n\n"...)
}

// composeDelta begins the data of a delta of the given type.
func (s *streamEncoder) composeDelta(k *block, typ string) {
	w := s.compose("content_block_delta")
	w.Key("index")
	w.Int(int64(k.index))
	w.Key("delta")
	s.e.open(typ)
}

func (s *streamEncoder) citation(b []byte, k *block, c *scri.Citation, i int) []byte {
	s.composeDelta(k, "citations_delta")
	s.e.w.Key("citation")
	s.at(k.id)
	s.e.in("citations")
	s.e.at(i)
	said := s.e.citation(c)
	s.e.path = s.e.path[:0]
	if !said {
		return b
	}
	s.e.w.EndObject()
	s.e.w.EndObject()
	return s.emit(b, k, "content_block_delta")
}

func (s *streamEncoder) signature(b []byte, k *block, sig *scri.Signature) []byte {
	s.composeDelta(k, "signature_delta")
	s.e.text("signature", sig.Value)
	s.e.w.EndObject()
	s.e.w.EndObject()
	return s.emit(b, k, "content_block_delta")
}

func (s *streamEncoder) delta(b []byte, ev *scri.StreamEvent) []byte {
	k := s.find(id(ev))
	if k == nil || k.ended {
		if slices.Contains(s.skipped, id(ev)) {
			return b
		}
		if b, k = s.again(b, ev); k == nil {
			return b
		}
	}
	if !ev.Delta.IsZero() && !k.whole {
		b = s.content(b, k, ev.Delta)
	}
	if ev.Citation != nil && !s.ended {
		b = s.citation(b, k, ev.Citation, k.cited)
		k.cited++
	}
	if ev.Signature != nil && !s.ended {
		b = s.sign(b, k, ev.Signature)
	}
	return b
}

// sign appends a signature if it is of this dialect, and to thoughts.
func (s *streamEncoder) sign(b []byte, k *block, sig *scri.Signature) []byte {
	if sig.Dialect == Name && k.kind == scri.PartThinking {
		return s.signature(b, k, sig)
	}
	s.at(k.id)
	s.once(string(s.e.path)+"/signature", "a signature of another provider")
	s.e.path = s.e.path[:0]
	return b
}

// again opens a block for more of a part whose block had to end, or that never
// began.
func (s *streamEncoder) again(b []byte, ev *scri.StreamEvent) ([]byte, *block) {
	kind := scri.PartText
	at := slices.IndexFunc(s.early, func(x early) bool { return x.id == id(ev) })
	switch {
	case s.any.Has(ev) && ev.Delta.IsZero() && ev.Citation == nil:
		if ev.Signature != nil {
			s.at(id(ev))
			s.once(string(s.e.path)+"/signature", "it came after the block had to end")
			s.e.path = s.e.path[:0]
		}
		return b, nil
	case s.any.Has(ev):
		s.at(id(ev))
		s.e.lose(scri.WarnChanged, "", "", "", "the part goes on in another block")
		s.e.path = s.e.path[:0]
		if at >= 0 {
			kind = s.early[at].kind
			s.early = slices.Delete(s.early, at, at+1)
		}
	}
	open := *ev
	open.Whole = &scri.Part{Kind: kind}
	b = s.part(b, &open)
	k := s.find(id(ev))
	if k != nil {
		k.cited = s.cited.Of(ev)
	}
	return b, k
}

func (s *streamEncoder) partEnd(b []byte, ev *scri.StreamEvent) []byte {
	if at := slices.Index(s.skipped, id(ev)); at >= 0 {
		s.skipped = slices.Delete(s.skipped, at, at+1)
		return b
	}
	k := s.find(id(ev))
	if k == nil || ev.Ext != nil && ev.Ext.Dialect != Name {
		s.at(id(ev))
		s.e.homeless(ev.Ext)
		s.e.path = s.e.path[:0]
	}
	if k == nil {
		return b
	}
	if own := ev.Ext.Of(Name); own != nil {
		k.late = bytes.Clone(own.Members)
	}
	k.ended = true
	return s.advance(b)
}

// advance ends the block on the wire if it is over, and lets the next one
// through that waits.
func (s *streamEncoder) advance(b []byte) []byte {
	for len(s.blocks) > 0 && s.blocks[0].ended {
		k := s.blocks[0]
		if k.kind == scri.PartToolCall && !k.got && !k.whole {
			s.at(k.id)
			s.e.lose(scri.WarnChanged, "call/args", "", "{}", "arguments must be an object")
			s.e.path = s.e.path[:0]
		}
		w := s.compose("content_block_stop")
		w.Key("index")
		w.Int(int64(k.index))
		w.Members(k.late)
		w.EndObject()
		b = s.frame(b, "content_block_stop")
		s.cited.Note(k.id.message, k.id.part, k.cited)
		s.blocks = slices.Delete(s.blocks, 0, 1)
		if len(s.blocks) > 0 {
			next := s.blocks[0]
			b = append(b, next.buf...)
			s.waiting -= len(next.buf)
			next.buf = nil
		}
	}
	return b
}
