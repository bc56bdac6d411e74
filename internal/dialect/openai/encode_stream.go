package openai

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed chat completion.
func (chat) EncodeStream(in *dialect.Incoming) dialect.StreamEncoder {
	s := new(streamEncoder)
	s.asked = in.Req != nil && has(in.Req.Ext, "usage")
	return s
}

// streamEncoder writes the chunks of one answer. The chunk that tells of a
// finish is held until it is known what comes after it.
type streamEncoder struct {
	encoder

	asked   bool // the client wants a chunk with the usage
	started bool
	who     *scri.ChatResponse // who answers, while not all of it is known
	first   []byte             // how the first frame begins, with all that is known of the answer
	prefix  []byte             // how all others begin
	model   string             // as they say
	choices []*spoken

	held   []byte // a frame without its end
	use    []byte // the usage, as JSON
	inline bool   // the provider told the usage unasked, beside the finish

	counted bool // the usage was written already
}

// spoken is what was written of one choice.
type spoken struct {
	index  int
	opened bool
	parts  []spokenPart
	last   int // of parts, the one that text was written to last; -1
	text   int // of parts, the one of which a reader will take sources to be; -1
	calls  int
	heard  bool // a sound was passed on as it came
}

// spokenPart is what is known of a part while it is written.
type spokenPart struct {
	msg, part int
	kind      scri.PartKind
	place     place
	field     string
	detail    string // type of an item of reasoning_details
	doubled   [2]bool
	members   []byte // of each item
	call      int
	custom    bool
	older     bool       // a function_call
	args      bool       // some were written, or none are wanted
	spoke     bool       // some text was written
	told      bool       // something of it was written
	joins     int        // the part that a reader will take it for more of, or -1
	changed   bool       // it was reported that another went on with it
	item      bool       // a text that must be an item of a list
	gathered  *scri.Part // which is written whole, at its end
	words     []byte     // its text so far, as a JSON string without its end
	probs     []scri.TokenLogProb
	dropped   bool
	unsigned  bool // its signature was reported
	cited     int
	sourced   bool // one of its citations was written
}

// ContentType is that of server-sent events.
func (*streamEncoder) ContentType() string { return "text/event-stream" }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.warn }

// Ping appends a comment.
func (*streamEncoder) Ping(b []byte) []byte { return append(b, ": ping\n\n"...) }

// Event appends the chunks of one event.
func (s *streamEncoder) Event(b []byte, ev *scri.StreamEvent) []byte {
	s.B = b
	s.choice, s.msg = ev.Choice, ev.Message
	switch ev.Kind {
	case scri.EventStart:
		s.start(ev.Head)
	case scri.EventMessage:
		s.open(ev.Open)
	case scri.EventPart:
		s.part(ev)
	case scri.EventDelta:
		s.delta(ev)
	case scri.EventPartEnd:
		s.partEnd(ev)
	case scri.EventUsage:
		s.tally(ev)
	case scri.EventFinish:
		s.finish(ev)
	case scri.EventDone:
		s.done(ev)
	case scri.EventOpaque:
		if ev.Ext.Of(name) != nil && !aboutCalls(ev.Ext.Members) {
			s.at(s.choice).heard = s.at(s.choice).heard || isAudio(ev.Ext.Members)
			s.flush()
			n := len(s.B)
			s.B = append(append(s.B, "data: "...), ev.Ext.Members...)
			s.endFrame(n)
		}
	case scri.EventPing:
		s.B = s.Ping(s.B)
	default: // warnings and seams have no place here
	}
	return s.B
}

// End appends the end of the stream.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	s.B = b
	s.flush()
	if s.asked && s.use != nil {
		n := s.beginFrame()
		s.B = append(s.B, ']')
		s.Key("usage")
		s.B = append(s.B, s.use...)
		s.B = append(s.B, '}')
		s.endFrame(n)
	}
	if err == nil {
		s.B = append(s.B, "data: [DONE]\n\n"...)
		return s.B
	}
	n := len(s.B)
	s.B = dialect.AppendOpenAIError(append(s.B, "data: "...), err)
	s.endFrame(n)
	return s.B
}

// aboutCalls reports whether a chunk that the decoder had no word for is a piece of a
// call: one that goes on with none, which clients would take for more of another.
func aboutCalls(members []byte) bool {
	return bytes.Contains(members, []byte(`"delta":{"tool_calls":`)) || bytes.Contains(members, []byte(`"delta":{"function_call":`))
}

// start makes what the frames begin with.
func (s *streamEncoder) start(h *scri.ChatResponse) {
	if h == nil {
		h = new(scri.ChatResponse)
	}
	s.started = true
	e := encoder{}
	e.B = append(e.B, `data: {`...)
	e.head(h, chunkObject)
	e.except(h.Ext, func() string { return "" }, "choices", "usage", "error", "object", "id", "created", "model")
	e.Key("choices")
	e.B = append(e.B, '[')
	s.warn = append(s.warn, e.warn...)
	s.first = compacted(e.B)
	s.prefix, s.model = begins(h), strings.Clone(h.Model)
	if h.ID == "" || h.Model == "" || h.Created.IsZero() {
		s.who = &scri.ChatResponse{ID: h.ID, Model: h.Model, Created: h.Created, Lineage: h.Lineage, Ext: h.Ext.Of(name).Clone()}
	}
}

const chunkObject = "chat.completion.chunk"

// begins is how every frame but the first begins.
func begins(h *scri.ChatResponse) []byte {
	e := encoder{}
	e.B = append(e.B, `data: {`...)
	e.head(h, chunkObject)
	e.short(h.Ext)
	e.Key("choices")
	return compacted(append(e.B, '['))
}

// belated takes in what was told of the answer only at its end. The frame that
// is held says it.
func (s *streamEncoder) belated(h *scri.ChatResponse) {
	if s.model != "" {
		dialect.Belated(&s.warn, &scri.ChatResponse{Model: s.model}, &scri.ChatResponse{Model: h.Model}, name)
	}
	w := s.who
	if w == nil || h.ID == "" && h.Model == "" && h.Created.IsZero() {
		return
	}
	w.ID, w.Model = cmp.Or(w.ID, h.ID), cmp.Or(w.Model, h.Model)
	if w.Created.IsZero() {
		w.Created = h.Created
	}
	before := s.prefix
	s.prefix = begins(w)
	if rest, ok := bytes.CutPrefix(s.held, before); ok {
		s.held = append(bytes.Clone(s.prefix), rest...)
	}
}

// compacted is a frame without white space that would break it.
func compacted(b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	return wire.AppendCompact([]byte("data: "), b[len("data:"):])
}

// short writes those members that every chunk repeats: small texts.
func (e *encoder) short(x *scri.Ext) {
	raw := members(x)
	if len(raw) == 0 {
		return
	}
	var s wire.Scanner
	s.Reset(raw)
	for n := range s.Members() {
		if isOneOf(n, "system_fingerprint", "service_tier", "provider") && s.Kind() == wire.String {
			e.Raw(s.Member())
		}
	}
}

// beginFrame begins a frame up to the list of choices.
func (s *streamEncoder) beginFrame() int {
	if !s.started {
		s.start(nil)
	}
	s.flush()
	n := len(s.B)
	if s.first != nil {
		s.B = append(s.B, s.first...)
		s.first = nil
	} else {
		s.B = append(s.B, s.prefix...)
	}
	return n
}

// endFrame ends the frame that begins at n. Raw values may hold line ends.
func (s *streamEncoder) endFrame(n int) {
	if frame := s.B[n:]; bytes.IndexByte(frame, '\n') >= 0 || bytes.IndexByte(frame, '\r') >= 0 {
		s.B = append(s.B[:n], compacted(bytes.Clone(frame))...)
	}
	s.B = append(s.B, '\n', '\n')
}

// flush writes the held frame.
func (s *streamEncoder) flush() {
	if len(s.held) == 0 {
		return
	}
	n := len(s.B)
	s.B = append(s.B, s.held...)
	if s.use != nil && s.inline && !s.asked {
		s.Key("usage")
		s.B = append(s.B, s.use...)
		s.use, s.counted = nil, true
	}
	s.B = append(s.B, '}')
	s.held = s.held[:0]
	s.endFrame(n)
}

// beginDelta begins a chunk up to the members of its delta.
func (s *streamEncoder) beginDelta() int {
	n := s.beginFrame()
	s.B = append(s.B, `{"index":`...)
	s.Int(int64(s.choice))
	s.B = append(s.B, `,"delta":{`...)
	return n
}

const afterDelta = `},"finish_reason":null}]}`

// endDelta ends a chunk after its delta.
func (s *streamEncoder) endDelta(n int) {
	s.B = append(s.B, afterDelta...)
	s.endFrame(n)
}

func (s *streamEncoder) at(i int) *spoken {
	for _, c := range s.choices {
		if c.index == i {
			return c
		}
	}
	c := &spoken{index: i, last: -1, text: -1}
	s.choices = append(s.choices, c)
	return c
}

// open writes the role. Several messages of an answer become one.
func (s *streamEncoder) open(m *scri.Message) {
	c := s.at(s.choice)
	if m == nil {
		m = &scri.Message{Role: scri.RoleAssistant}
	}
	s.foreign(m.Ext, s.messagePath)
	if m.ID != "" {
		s.dropped(s.messagePath()+"/id", "messages have no id")
	}
	if c.opened {
		return
	}
	c.opened = true
	n := s.beginDelta()
	s.str("role", string(m.Role))
	if m.Name != "" {
		s.str("name", m.Name)
	}
	s.B = append(s.B, `,"content":""`...)
	s.except(m.Ext, s.messagePath, "role", "content", "name")
	s.endDelta(n)
}

// tally notes the usage for the end.
func (s *streamEncoder) tally(ev *scri.StreamEvent) {
	if ev.Usage == nil {
		return
	}
	s.inline = has(ev.Ext, "inline")
	e := encoder{Writer: wire.Writer{B: s.use[:0]}}
	e.usage(ev.Usage)
	if n := len(`"usage":`); len(e.B) > n {
		s.use = append(s.use[:0], e.B[n:]...)
	}
	for _, w := range e.warn {
		if !slices.Contains(s.warn, w) {
			s.warn = append(s.warn, w)
		}
	}
}

// finish holds the chunk that ends a choice.
func (s *streamEncoder) finish(ev *scri.StreamEvent) {
	c := s.at(s.choice)
	n := s.beginDelta()
	s.B = append(s.B, '}')
	f := ev.Finish
	if f == nil {
		f = new(scri.Finish)
	}
	if f.Reason == "" {
		s.tell(scri.WarnAdded, s.choicePath()+"/finish/reason", "a stream must say that it is complete")
		f = &scri.Finish{Reason: scri.FinishStop}
	}
	s.finishReason(f, c.calls > 0, false)
	s.foreign(ev.Ext, s.choicePath)
	s.logProbs(ev.LogProbs, ev.Ext)
	if has(ev.Ext, "+logprobs") {
		s.except(without(ev.Ext, "logprobs"), s.choicePath, "index", "delta", "message", "finish_reason")
	} else {
		s.except(ev.Ext, s.choicePath, "index", "delta", "message", "finish_reason")
	}
	s.B = append(s.B, "}]"...)
	s.held = append(s.held[:0], s.B[n:]...)
	s.B = s.B[:n]
}

// without is an Ext of this dialect less one member.
func without(x *scri.Ext, member string) *scri.Ext {
	e := encoder{}
	e.BeginObject()
	e.extra(x, member)
	e.EndObject()
	return &scri.Ext{Dialect: name, Members: e.B}
}

// done adds what became known only now to the held chunk.
func (s *streamEncoder) done(ev *scri.StreamEvent) {
	if ev.Usage != nil && s.use == nil && !s.counted {
		s.tally(&scri.StreamEvent{Kind: scri.EventUsage, Usage: ev.Usage})
	}
	if ev.Head == nil {
		return
	}
	s.belated(ev.Head)
	s.foreign(ev.Head.Ext, func() string { return "" })
	if len(members(ev.Head.Ext)) == 0 {
		return
	}
	n := len(s.B)
	if len(s.held) == 0 {
		s.beginFrame()
		s.B = append(s.B, `{"index":0,"delta":{},"finish_reason":null}]`...)
	} else {
		s.B = append(s.B, s.held...)
	}
	s.except(ev.Head.Ext, func() string { return "" }, "choices", "usage", "error", "object", "id", "created", "model")
	s.held = append(s.held[:0], s.B[n:]...)
	s.B = s.B[:n]
}
