package bedrock

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed answer.
func (bedrock) EncodeStream(*dialect.Incoming) dialect.StreamEncoder {
	s := &streamEncoder{e: encoder{answer: true}}
	s.e.Own = Name
	return s
}

type streamEncoder struct {
	e      encoder // its buffer is where a payload is put together
	ext    *scri.Ext
	late   []byte // own members for the end of the answer
	own    bool   // the answer is of this dialect
	role   string
	usage  *scri.Usage
	finish *scri.Finish

	started, ended, called bool
	told                   dialect.Once  // what was warned of already
	parts                  []*streamPart // open ones
	any                    dialect.Begun
	cited                  dialect.Cited
	blocks                 int
}

// streamPart is a part that is being told.
type streamPart struct {
	message, part int
	said          bool // false: it cannot be
	kind          scri.PartKind
	index         int
	got, empty    bool
	cited         int
	ext           *scri.Ext // own members that its end tells
}

// maxRemembered bounds the list of open parts.
const maxRemembered = 1024

// ContentType is that of AWS event streams.
func (s *streamEncoder) ContentType() string { return mimeStream }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.e.Warn }

// Ping appends nothing: the format has no such thing.
func (s *streamEncoder) Ping(b []byte) []byte { return b }

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
	if len(ev.LogProbs) > 0 {
		s.once("/choices/0/logprobs", "there is no such field here")
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
	case scri.EventDone:
		s.done(ev)
	case scri.EventError:
		return s.End(b, ev.Err)
	default: // pings and warnings have no words here
	}
	return b
}

func (s *streamEncoder) once(path, detail string) { s.told.Drop(&s.e.Warn, path, detail) }

func (s *streamEncoder) begin(h *scri.ChatResponse) {
	if h == nil || s.started {
		return
	}
	s.ext, s.own = h.Ext.Clone(), h.Ext.Of(Name) != nil
	if h.Usage != nil {
		s.usage = h.Usage.Clone()
	}
}

func (s *streamEncoder) message(ev *scri.StreamEvent) {
	if ev.Open == nil {
		return
	}
	s.e.Part(0, ev.Message, -1)
	first := s.role == "" && !s.started
	if first {
		s.role = strings.Clone(string(ev.Open.Role))
	}
	own := first && s.own
	s.e.said(ev.Open, own)
	if own && ev.Open.Ext.Of(Name) != nil {
		s.e.Homeless(ev.Open.Ext)
	}
	s.e.Out(0)
}

// compose begins a payload.
func (s *streamEncoder) compose() *wire.Writer {
	s.e.w.B = s.e.w.B[:0]
	s.e.w.BeginObject()
	return &s.e.w
}

// frame appends the event whose payload was put together, whose objects are still
// open so many levels deep.
func (s *streamEncoder) frame(b []byte, name string, levels int) []byte {
	for range levels {
		s.e.w.EndObject()
	}
	return wire.AppendEvent(b, "event", name, s.e.w.B)
}

// start appends the beginning of the answer, once.
func (s *streamEncoder) start(b []byte) []byte {
	if s.started {
		return b
	}
	s.started = true
	role := string(scri.RoleAssistant)
	if s.own && s.role != "" {
		role = s.role
	}
	s.compose()
	s.e.str("role", role)
	return s.frame(b, "messageStart", 1)
}

func (s *streamEncoder) finished(ev *scri.StreamEvent) {
	if ev.Finish != nil {
		f := *ev.Finish
		f.Raw, f.Detail = strings.Clone(f.Raw), strings.Clone(f.Detail)
		s.finish = &f
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
	if own := ev.Head.Ext.Of(Name); own == nil {
		s.e.Foreign(ev.Head.Ext)
	} else {
		s.late = bytes.Clone(own.Members)
	}
}

// opaque passes on an event of this dialect as it came: its name and its payload.
func (s *streamEncoder) opaque(b []byte, ev *scri.StreamEvent) []byte {
	own := ev.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return b // a wire event of another dialect is no part of the answer
	}
	b = s.start(b)
	m := wire.NewScanner(own.Members)
	for name := range m.Members() {
		if len(name) < 256 && goesOn(name, m) {
			b = wire.AppendEvent(b, "event", name, m.Raw())
		} else {
			m.Skip()
		}
	}
	return b
}

// goesOn reports whether an event that its decoder had no word for, whose value comes next
// in s, may stand between those that are written. One that a reader has a word for would
// be read there as one about something else.
func goesOn(name string, s *wire.Scanner) bool {
	switch name {
	case "messageStart", "messageStop", "contentBlockStart", "contentBlockStop", "metadata":
		return false
	case "contentBlockDelta":
		at := s.Mark()
		defer s.Rewind(at)
		d := wire.NewScanner(wire.NewScanner(s.Raw()).Peek("delta"))
		return d.Kind() != wire.Object || d.Peek(blockCall) == nil && d.Peek(blockResult) == nil && d.Peek(blockThinking) == nil && d.Peek("text") == nil
	default:
		return true
	}
}

// End appends the end of the stream.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	if s.ended {
		return b
	}
	b = s.start(b)
	s.ended = true
	if err != nil {
		return exception(b, err)
	}
	for _, p := range slices.Clone(s.parts) {
		b = s.close(b, p, nil)
	}
	if s.finish == nil {
		s.finish = &scri.Finish{}
	}
	s.compose()
	s.e.In("choices/0")
	s.e.str("stopReason", s.e.stopReason(s.finish, s.called))
	s.e.Out(0)
	b = s.frame(b, "messageStop", 1)
	w := s.compose()
	if s.usage != nil {
		w.Key("usage")
		s.e.usage(s.usage)
	}
	var all dialect.Unknown
	if own := s.ext.Of(Name); own == nil {
		s.e.Foreign(s.ext)
	} else if len(own.Members) > 0 {
		addAll(&all, own.Members)
	}
	if len(s.late) > 0 {
		addAll(&all, s.late)
	}
	s.e.Ext(w, &scri.Ext{Dialect: Name, Members: all.Object()}, func(name string) bool {
		return name == "usage" && s.usage != nil || name == "p"
	})
	return s.frame(b, "metadata", 1)
}
