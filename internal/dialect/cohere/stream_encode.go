package cohere

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed answer.
func (cohere) EncodeStream(*dialect.Incoming) dialect.StreamEncoder {
	s := &streamEncoder{e: encoder{answer: true}}
	s.e.Own = Name
	return s
}

type streamEncoder struct {
	e     encoder // its buffer is where a frame is put together
	head  scri.ChatResponse
	open  scri.Message
	late  []byte // own members for the end of the answer
	own   bool   // the answer is of this dialect
	usage *scri.Usage

	finish         *scri.Finish
	begun          bool // it is known who answers
	started, ended bool
	planned        bool // a plan was told
	called         bool
	told           dialect.Once // what was warned of already

	parts                 []*streamPart // open ones
	over                  *streamPart   // the latest text that is over
	any                   dialect.Begun
	content, calls, cited int // how many of each were told
	texts, messages       int
	tokens                int // whose probabilities were written
}

// streamPart is a part that is being told.
type streamPart struct {
	message, part int
	where         place // nowhere: it cannot be said
	kind          scri.PartKind
	index         int
	got           bool // arguments have come
	empty         bool // there are none, and none are to be made
	cited         int
}

// maxRemembered bounds the list of open parts.
const maxRemembered = 1024

// ContentType is that of server-sent events.
func (s *streamEncoder) ContentType() string { return "text/event-stream; charset=utf-8" }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.e.Warn }

// Ping appends a comment, as the format has no event for it.
func (s *streamEncoder) Ping(b []byte) []byte { return append(b, ": ping\n\n"...) }

// Event appends the frames of one event.
func (s *streamEncoder) Event(b []byte, ev *scri.StreamEvent) []byte {
	if s.ended {
		return b
	}
	if ev.Choice > 0 {
		switch ev.Kind {
		case scri.EventMessage, scri.EventPart, scri.EventDelta, scri.EventPartEnd, scri.EventFinish:
			s.once("/choices/"+strconv.Itoa(ev.Choice), "there is only one answer here")
			return b
		default:
		}
	}
	switch ev.Kind {
	case scri.EventStart, scri.EventSeam:
		s.begin(ev.Head)
	case scri.EventMessage:
		s.message(ev)
	case scri.EventPart:
		return s.part(s.start(b), ev)
	case scri.EventDelta:
		return s.delta(s.start(b), ev)
	case scri.EventPartEnd:
		return s.partEnd(b, ev)
	case scri.EventUsage:
		s.usage = ev.Usage.Clone()
	case scri.EventFinish:
		s.finished(ev)
	case scri.EventOpaque:
		return s.opaque(b, ev)
	case scri.EventPing:
		return s.Ping(b)
	case scri.EventDone:
		s.done(ev)
	case scri.EventError:
		return s.End(b, ev.Err)
	default: // warnings have no words here
	}
	return b
}

func (s *streamEncoder) once(path, detail string) { s.told.Drop(&s.e.Warn, path, detail) }

// begin keeps who answers. It is written with the first content.
func (s *streamEncoder) begin(h *scri.ChatResponse) {
	s.begun = true
	if h == nil || s.started {
		return
	}
	s.head = scri.ChatResponse{ID: strings.Clone(h.ID), Lineage: h.Lineage, Ext: h.Ext.Clone()}
	s.own = h.Ext.Of(Name) != nil
	if h.Usage != nil {
		s.usage = h.Usage.Clone()
	}
}

func (s *streamEncoder) message(ev *scri.StreamEvent) {
	if ev.Open == nil {
		return
	}
	s.e.Part(0, ev.Message, -1)
	first := s.messages == 0 && !s.started
	s.e.said(ev.Open, first && s.own)
	if s.messages++; first {
		s.open = ev.Open.Clone()
	} else if own := ev.Open.Ext.Of(Name); own != nil {
		s.e.Homeless(own)
	}
	s.e.Out(0)
}

// compose begins the data of an event.
func (s *streamEncoder) compose(typ string) *wire.Writer {
	s.e.w.B = s.e.w.B[:0]
	s.e.open(typ)
	return &s.e.w
}

// within opens the objects in which what an event tells of the message stands.
func within(w *wire.Writer) {
	w.Key("delta")
	w.BeginObject()
	w.Key("message")
	w.BeginObject()
}

// frame appends the event whose data was put together, whose objects are still
// open so many levels deep. Raw values may be pretty printed; in an event they
// must not.
func (s *streamEncoder) frame(b []byte, typ string, levels int) []byte {
	for range levels {
		s.e.w.EndObject()
	}
	data := s.e.w.B
	if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		data = wire.AppendCompact(nil, data)
	}
	b = append(append(append(b, "event: "...), typ...), "\ndata: "...)
	b = append(b, data...)
	return append(b, '\n', '\n')
}

// startMembers are what the message at the beginning of every stream has, though
// it says nothing there.
func startMembers() [4]struct{ name, nothing string } {
	return [...]struct{ name, nothing string }{
		{"content", "[]"}, {"tool_plan", `""`}, {"tool_calls", "[]"}, {"citations", "[]"},
	}
}

// start appends the beginning of the answer, once.
func (s *streamEncoder) start(b []byte) []byte {
	if s.started {
		return b
	}
	s.started = true
	s.e.Out(0)
	w := s.compose("message-start")
	s.e.str("id", answerID(&s.head))
	w.Key("delta")
	w.BeginObject()
	w.Key("message")
	w.BeginObject()
	w.Key("role")
	if s.own && s.open.Role != "" {
		w.Str(string(s.open.Role))
	} else {
		w.Str(string(scri.RoleAssistant))
	}
	for _, m := range startMembers() {
		if raw := dialect.Member(s.open.Ext, Name, m.name); raw == nil {
			w.Key(m.name)
			w.Raw([]byte(m.nothing))
		}
	}
	if own := s.open.Ext.Of(Name); own != nil {
		s.e.Ext(w, own, func(name string) bool { return name == "role" })
	}
	w.EndObject()
	w.EndObject()
	s.e.Ext(w, s.head.Ext, func(name string) bool {
		return name == "type" || name == "delta" || name == "message" || name == "id" && s.head.ID != ""
	})
	return s.frame(b, "message-start", 1)
}

func (s *streamEncoder) finished(ev *scri.StreamEvent) {
	if ev.Finish != nil {
		f := *ev.Finish
		f.Raw, f.Detail = strings.Clone(f.Raw), strings.Clone(f.Detail)
		s.finish = &f
	}
	if len(ev.LogProbs) > 0 {
		s.once("/choices/0/logprobs", "there is no text to tell it with")
	}
	s.e.In("choices/0")
	s.e.Homeless(ev.Ext)
	s.e.Out(0)
}

func (s *streamEncoder) done(ev *scri.StreamEvent) {
	if ev.Usage != nil {
		s.usage = ev.Usage.Clone()
	}
	if ev.Finish != nil && (s.finish == nil || *ev.Finish != scri.Finish{}) {
		s.finished(&scri.StreamEvent{Finish: ev.Finish})
	}
	if ev.Head == nil || ev.Head.Ext == nil {
		return
	}
	if own := ev.Head.Ext.Of(Name); own != nil && s.started {
		dialect.Belated(&s.e.Warn, &scri.ChatResponse{ID: s.head.ID}, &scri.ChatResponse{ID: ev.Head.ID, Ext: own}, Name)
	}
	if own := ev.Head.Ext.Of(Name); own == nil {
		s.e.Foreign(ev.Head.Ext)
	} else {
		s.late = bytes.Clone(own.Members)
	}
}

// opaque passes on an event of this dialect as it came.
func (s *streamEncoder) opaque(b []byte, ev *scri.StreamEvent) []byte {
	own := ev.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return b // a wire event of another dialect is no part of the answer
	}
	typ := dialect.Word(wire.NewScanner(own.Members).Peek("type"))
	if !goesOn(typ, own.Members) {
		return b
	}
	if s.begun { // else who answers is not known yet, and one must not be made up
		b = s.start(b)
	}
	s.e.w.B = append(s.e.w.B[:0], own.Members...)
	if strings.ContainsAny(typ, "\r\n") {
		typ = "" // it would end the event
	}
	return s.frame(b, typ, 0)
}

// goesOn reports whether an event that its decoder had no word for may stand between
// those that are written. One that a reader has a word for would be read there as one
// about something else.
func goesOn(typ string, data []byte) bool {
	switch typ {
	case "content-delta":
		s := wire.NewScanner(wire.NewScanner(wire.NewScanner(wire.NewScanner(data).Peek("delta")).Peek("message")).Peek("content"))
		return s.Kind() != wire.Object || s.Peek(typeText) == nil && s.Peek(typeThinking) == nil
	case "message-start", "message-end", "content-start", "content-end", "tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end", "citation-start":
		return false
	default:
		return true
	}
}

// End appends the end of the stream. An error ends an answer like any other
// reason here, but not the stream: nothing says that it is over.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	if s.ended {
		return b
	}
	b = s.start(b)
	s.ended = true
	if err == nil {
		for _, p := range s.parts {
			b = s.close(b, p, nil)
		}
	}
	w := s.compose("message-end")
	w.Key("delta")
	w.BeginObject()
	switch {
	case err != nil:
		s.e.str("error", streamMessage(err))
		s.e.str("finish_reason", endError)
	default:
		if s.finish == nil {
			s.finish = &scri.Finish{}
		}
		s.e.In("choices/0")
		s.e.str("finish_reason", s.e.finishWord(s.finish, s.called))
		s.e.Out(0)
	}
	if s.usage != nil {
		w.Key("usage")
		s.e.usage(s.usage)
	}
	w.EndObject()
	if len(s.late) > 0 {
		s.e.Ext(w, &scri.Ext{Dialect: Name, Members: s.late}, func(name string) bool {
			return name == "type" || name == "delta" || name == "id" || name == "logprobs"
		})
	}
	b = s.frame(b, "message-end", 1)
	if err == nil {
		b = append(b, "data: [DONE]\n\n"...)
	}
	return b
}
