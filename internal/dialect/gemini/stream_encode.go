package gemini

import (
	"bytes"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed answer: server-sent events for
// a client that asks for alt=sse, else one list of pieces.
func (gemini) EncodeStream(in *dialect.Incoming) dialect.StreamEncoder {
	s := &streamEncoder{list: in == nil || in.Query.Get("alt") != "sse"}
	s.answer, s.line, s.Own = true, true, Name
	return s
}

// streamEncoder writes the pieces of one answer. How the choices ended is held
// until all is known that belongs to it.
type streamEncoder struct {
	encoder
	list bool // one list, not events

	pieces  int
	who     scri.ChatResponse
	extra   scri.RawJSON // own members of the head, for the first piece
	late    scri.RawJSON // and those for the last
	block   bool         // the prompt was not taken
	ending  []byte       // how each piece ends, behind its candidates
	told    []*telling
	held    []byte // ended candidates
	counts  *scri.Usage
	counted bool // they were written
	scratch []byte
	done    bool
	ended   bool
}

// telling is what was written of one choice.
type telling struct {
	index    int
	messages int
	reached  [2]int       // message and part of the furthest that was written
	content  scri.RawJSON // own members of its content, for its first piece
	role     string       // who speaks, as a JSON string, where it is none that anybody knows
	parts    []*writing
	open     scri.PartKind // what a reader would go on with; "" = nothing
	last     string        // path of that part
	called   bool
	probs    int
	finished bool
	text     *writing  // the latest text
	place    runeIndex // of that and what it is joined to
	claims   claims    // of that
}

// writing is a part that has begun and not ended.
type writing struct {
	msg, part int
	kind      scri.PartKind
	whole     *scri.Part // which is written at its end
	args      []byte     // of what is written then, as a JSON string without its end
	skip      bool
	joined    bool // it was reported that it goes on with another
	wrote     bool
	from      int // bytes of the text that it is joined to
	cites     []scri.Citation
	told      dialect.Once
}

// ContentType is that of events or of JSON.
func (s *streamEncoder) ContentType() string {
	if s.list {
		return "application/json"
	}
	return "text/event-stream"
}

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.Warn }

// Ping appends an event of nothing, as Google's SDK for Go takes a comment for a
// broken stream; a list has no such thing.
func (s *streamEncoder) Ping(b []byte) []byte {
	if s.list {
		return b
	}
	return append(b, "\n\n"...)
}

// Event appends the pieces of one event.
func (s *streamEncoder) Event(b []byte, ev *scri.StreamEvent) []byte {
	s.w.B = b
	switch ev.Kind {
	case scri.EventStart, scri.EventSeam:
		s.start(ev.Head)
	case scri.EventMessage:
		s.message(ev)
	case scri.EventPart:
		s.part(ev)
	case scri.EventDelta:
		s.delta(ev)
	case scri.EventPartEnd:
		s.partEnd(ev)
	case scri.EventUsage:
		s.counts = ev.Usage.Clone()
	case scri.EventFinish:
		s.finished(ev)
	case scri.EventOpaque:
		if own := ev.Ext.Of(Name); own != nil && len(own.Members) > 0 {
			n := s.begin()
			s.raw(own.Members)
			if s.pieces == 1 { // who answers is told by the first, whatever it is
				s.w.B = s.w.B[:len(s.w.B)-1]
				s.tailOf()
			}
			s.end(n)
		}
	case scri.EventPing:
		s.w.B = s.Ping(s.w.B)
	case scri.EventDone:
		s.finale(ev)
	default: // nothing that a piece could say
	}
	s.Out(0)
	return s.w.B
}

// End appends the end of the stream.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	s.w.B = b
	if s.ended {
		return b
	}
	s.ended = true
	if err == nil {
		s.finale(&scri.StreamEvent{Kind: scri.EventDone})
	} else {
		n := s.begin()
		s.w.B = appendError(s.w.B, err)
		s.end(n)
	}
	if s.list {
		if s.pieces == 0 {
			s.w.B = append(s.w.B, '[')
		}
		s.w.B = append(s.w.B, ']')
	}
	return s.w.B
}

// begin begins a frame.
func (s *streamEncoder) begin() int {
	n := len(s.w.B)
	switch {
	case !s.list:
		s.w.B = append(s.w.B, "data: "...)
	case s.pieces == 0:
		s.w.B = append(s.w.B, '[')
	default:
		s.w.B = append(s.w.B, ",\r\n"...)
	}
	s.pieces++
	return n
}

// end ends the frame that begins at n. Nothing in it may end a line.
func (s *streamEncoder) end(n int) {
	if s.list {
		return
	}
	if frame := s.w.B[n:]; bytes.IndexByte(frame, '\n') >= 0 || bytes.IndexByte(frame, '\r') >= 0 {
		data := bytes.Clone(frame[len("data: "):])
		s.w.B = wire.AppendCompact(s.w.B[:n+len("data: ")], data)
	}
	s.w.B = append(s.w.B, "\r\n\r\n"...)
}

// start takes in who answers. After a seam it is another.
func (s *streamEncoder) start(h *scri.ChatResponse) {
	if h == nil {
		return
	}
	s.headExt(h.Ext, &s.extra)
	if s.who.ID == "" {
		s.who.ID = strings.Clone(h.ID)
	}
	if h.Model != "" {
		s.who.Model = strings.Clone(h.Model)
	}
	if s.who.Created.IsZero() {
		s.who.Created = h.Created
	}
	s.block = s.block || formed(h.Ext, "blocked")
	s.ending = nil
}

func (s *streamEncoder) headExt(x *scri.Ext, into *scri.RawJSON) {
	if own := x.Of(Name); own != nil {
		if len(own.Members) > 0 {
			*into = dialect.MergeMembers(*into, bytes.Clone(own.Members))
		}
		return
	}
	s.Foreign(x)
}

// tail writes what stands in each piece behind its candidates, and in the first
// one what else is known of the answer.
func (s *streamEncoder) tailOf() {
	if s.extra != nil {
		s.ext(&scri.Ext{Dialect: Name, Members: s.extra}, s.written()...)
		s.extra = nil
	}
	if s.ending == nil {
		e := encoder{}
		e.w.B = []byte{'{'}
		e.head(&s.who)
		s.ending = append(e.w.B, '}')
		s.ending[0] = ','
		if len(s.ending) == 2 {
			s.ending = []byte{'}'}
		}
	}
	s.w.B = append(s.w.B, s.ending...)
}

// written are the members of a piece that are there already.
func (s *streamEncoder) written() []string {
	names := append(headed(&s.who), "candidates")
	if s.counted {
		names = append(names, "usageMetadata")
	}
	return names
}

// candidate begins a piece of one choice, up to its members.
func (s *streamEncoder) candidate() int {
	n := s.begin()
	s.w.B = append(s.w.B, `{"candidates":[{`...)
	return n
}

// after ends a piece of one choice.
func (s *streamEncoder) after(n int, t *telling) {
	s.w.Key("index")
	s.w.Int(int64(t.index))
	s.w.B = append(s.w.B, "}]"...)
	s.tailOf()
	s.end(n)
}

// contentEnd ends the content of a piece behind its part.
func (s *streamEncoder) contentEnd(t *telling) {
	s.w.B = append(s.w.B, `],"role":`...)
	s.w.B = append(s.w.B, t.speaker()...)
	if t.content != nil {
		s.ext(&scri.Ext{Dialect: Name, Members: t.content}, "parts", "role")
		t.content = nil
	}
	s.w.B = append(s.w.B, '}')
}

// speaker is the role of a content, as a JSON string.
func (t *telling) speaker() string {
	if t.role != "" {
		return t.role
	}
	return `"` + roleModel + `"`
}

func (s *streamEncoder) choice(index int) *telling {
	for _, t := range s.told {
		if t.index == index {
			return t
		}
	}
	t := &telling{index: index}
	s.told = append(s.told, t)
	return t
}

// message takes in what a message is beside its parts.
func (s *streamEncoder) message(ev *scri.StreamEvent) {
	t := s.choice(ev.Choice)
	t.messages++
	m := ev.Open
	if m == nil {
		return
	}
	s.Part(ev.Choice, ev.Message, -1)
	s.turnLoss(m, t.messages-1)
	if t.messages > 1 {
		return
	}
	if formed(m.Ext, "raw") {
		t.role = string(wire.AppendQuote(nil, string(m.Role)))
	} else if m.Role != scri.RoleAssistant && m.Role != "" {
		s.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	if own := m.Ext.Of(Name); own != nil {
		t.content = bytes.Clone(own.Members)
		return
	}
	s.Foreign(m.Ext)
}

// finished holds how a choice ended.
func (s *streamEncoder) finished(ev *scri.StreamEvent) {
	t := s.choice(ev.Choice)
	for len(t.parts) > 0 {
		s.close(t, t.parts[0], nil)
	}
	t.finished = true
	s.Out(0)
	s.In("choices")
	s.At(ev.Choice)
	f := ev.Finish
	if f == nil {
		f = new(scri.Finish)
	}
	if s.block && t.messages == 0 && ev.Choice == 0 && f.Dialect == Name && f.Raw != "" && f.Reason == scri.FinishContentFilter && ev.Ext == nil {
		s.blocked(f)
		return
	}
	if f.Reason == "" {
		s.Tell(scri.WarnAdded, "finish/reason", "", string(scri.FinishStop), "a stream must say that it is complete")
		f = &scri.Finish{Reason: scri.FinishStop, Detail: f.Detail}
		if t.called {
			f.Reason = scri.FinishToolCalls
		}
	}
	if member(ev.Ext, "groundingMetadata") != nil {
		s.cited(t)
	}
	before := s.w.B
	s.w.B = s.held
	s.w.BeginObject()
	said := append(make([]string, 0, 8), "index", "content")
	if x := nested(ev.Ext, "content"); x != nil || t.content != nil {
		s.lateContent(t, x)
	}
	said = s.finish(said, f, t.called)
	s.w.Key("index")
	s.w.Int(int64(t.index))
	if len(ev.LogProbs) > 0 {
		s.logProbs(ev.LogProbs, t.probs, ev.Ext)
		said = append(said, "logprobsResult")
	}
	t.claims.write(&s.w)
	s.lateExt(ev.Ext, said)
	s.w.EndObject()
	s.held, s.w.B = s.w.B, before
}

// lateExt writes the members of a choice, less those of its content, which are
// written there.
func (s *streamEncoder) lateExt(x *scri.Ext, said []string) {
	if raw := member(x, "content"); len(raw) > 0 && raw[0] == '{' {
		var u dialect.Unknown
		sc := wire.NewScanner(x.Members)
		for name := range sc.Members() {
			if name != "content" {
				u.Add(sc.Member())
			}
		}
		x = &scri.Ext{Dialect: Name, Members: u.Object()}
	}
	s.ext(x, said...)
}

// lateContent writes members of a content that came at its end.
func (s *streamEncoder) lateContent(t *telling, x *scri.Ext) {
	s.w.Key("content")
	s.w.BeginObject()
	s.w.Key("role")
	s.w.B = append(s.w.B, t.speaker()...)
	for _, own := range []*scri.Ext{x, {Dialect: Name, Members: t.content}} {
		if own != nil && len(own.Members) > 0 {
			s.ext(own, "parts", "role")
		}
	}
	t.content = nil
	s.w.EndObject()
}

// blocked writes that the prompt was not taken.
func (s *streamEncoder) blocked(f *scri.Finish) {
	x := &scri.Ext{Dialect: Name, Members: s.extra}
	n := s.begin()
	s.w.B = append(s.w.B, '{')
	s.feedback(&scri.Choice{Finish: *f}, x)
	if s.extra != nil {
		s.ext(x, "promptFeedback")
		s.extra = nil
	}
	s.usageOf()
	s.tailOf()
	s.end(n)
}

func (s *streamEncoder) usageOf() {
	if s.counts != nil {
		s.Out(0)
		s.w.Key("usageMetadata")
		s.usage(s.counts)
		s.counts, s.counted = nil, true
	}
}

// finale writes the last piece.
func (s *streamEncoder) finale(ev *scri.StreamEvent) {
	if s.done {
		return
	}
	s.done = true
	if h := ev.Head; h != nil {
		s.Out(0)
		s.headExt(h.Ext, &s.late)
		s.belated(h)
	}
	if ev.Usage != nil && s.counts == nil && !s.block {
		s.counts = ev.Usage.Clone()
	}
	if len(s.told) == 0 {
		s.Tell(scri.WarnAdded, "choices/0", "", "", "an answer has a choice that ends")
		s.held = append(s.held, `{"finishReason":"STOP","index":0}`...)
	}
	if len(s.held) == 0 && s.late == nil && s.counts == nil {
		return
	}
	n := s.begin()
	s.w.B = append(s.w.B, '{')
	if len(s.held) > 0 {
		s.w.B = append(append(append(s.w.B, `"candidates":[`...), s.held...), ']')
	}
	s.usageOf()
	if s.late != nil {
		s.ext(&scri.Ext{Dialect: Name, Members: s.late}, s.written()...)
	}
	s.tailOf()
	s.end(n)
}

// belated takes in what was told of the answer only at its end.
func (s *streamEncoder) belated(h *scri.ChatResponse) {
	if s.who.ID == "" && h.ID != "" || h.Model != "" || s.who.Created.IsZero() && !h.Created.IsZero() {
		s.ending = nil
		if s.who.ID == "" {
			s.who.ID = h.ID
		}
		if h.Model != "" {
			s.who.Model = h.Model
		}
		if s.who.Created.IsZero() {
			s.who.Created = h.Created
		}
	}
}
