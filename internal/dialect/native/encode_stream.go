package native

import (
	"bytes"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream writes server-sent events: each is named by its kind and holds
// the event as JSON.
func (native) EncodeStream(*dialect.Incoming) dialect.StreamEncoder { return new(streamEncoder) }

type streamEncoder struct {
	e    encoder
	done bool
}

// ContentType is that of server-sent events.
func (*streamEncoder) ContentType() string { return "text/event-stream" }

// Warnings are none: the dialect has words for everything.
func (*streamEncoder) Warnings() []scri.Warning { return nil }

// TellsAll says that events which only others know are told as they are.
func (*streamEncoder) TellsAll() {}

// Ping appends a comment.
func (*streamEncoder) Ping(b []byte) []byte { return append(b, ": ping\n\n"...) }

// End appends the event that ends the stream, unless it was among the events.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	switch {
	case err != nil:
		return s.Event(b, &scri.StreamEvent{Kind: scri.EventError, Err: err})
	case !s.done:
		return s.Event(b, &scri.StreamEvent{Kind: scri.EventDone})
	default:
		return b
	}
}

// Event appends one event.
func (s *streamEncoder) Event(b []byte, ev *scri.StreamEvent) []byte {
	switch ev.Kind {
	case scri.EventPing:
		return s.Ping(b)
	case scri.EventDelta:
		if ev.Signature == nil && ev.Citation == nil && ev.LogProbs == nil && ev.Ext == nil {
			return appendDelta(b, ev)
		}
	case scri.EventOpaque:
		if raw, name := foreignEvent(ev.Ext); raw != nil {
			return wire.AppendSSE(b, name, wire.Compact(raw))
		}
	case scri.EventDone:
		s.done = true
	default:
	}
	b = append(append(append(b, "event: "...), ev.Kind...), "\ndata: "...)
	start := len(b)
	s.e.B = b
	s.e.event(ev)
	b, s.e.B = s.e.B, nil
	// Values that are carried verbatim may hold line ends between their tokens.
	if bytes.IndexByte(b[start:], '\n') >= 0 || bytes.IndexByte(b[start:], '\r') >= 0 {
		b = append(b[:start], wire.Compact(b[start:])...)
	}
	return append(b, '\n', '\n')
}

// appendDelta is the way of nearly all events.
func appendDelta(b []byte, ev *scri.StreamEvent) []byte {
	b = append(b, "event: delta\ndata: {\"kind\":\"delta\""...)
	if ev.Choice != 0 {
		b = strconv.AppendInt(append(b, `,"choice":`...), int64(ev.Choice), 10)
	}
	if ev.Message != 0 {
		b = strconv.AppendInt(append(b, `,"message":`...), int64(ev.Message), 10)
	}
	if ev.Part != 0 {
		b = strconv.AppendInt(append(b, `,"part":`...), int64(ev.Part), 10)
	}
	if !ev.Delta.IsZero() {
		b = ev.Delta.AppendJSON(append(b, `,"delta":`...))
	}
	return append(b, '}', '\n', '\n')
}

func (e *encoder) event(ev *scri.StreamEvent) {
	at := e.begin()
	e.key("kind")
	e.Str(string(ev.Kind))
	e.int("choice", int64(ev.Choice))
	e.int("message", int64(ev.Message))
	e.int("part", int64(ev.Part))
	e.text("delta", ev.Delta)
	if ev.Signature != nil {
		e.signature(ev.Signature, nil)
	}
	if ev.Citation != nil {
		e.key("citation")
		e.citation(ev.Citation)
	}
	each(e, "logprobs", ev.LogProbs, e.logProb)
	if ev.Head != nil {
		e.key("head")
		e.head(ev.Head)
	}
	if ev.Open != nil {
		e.key("open")
		e.message(ev.Open)
	}
	if ev.Whole != nil {
		e.key("whole")
		e.part(ev.Whole)
	}
	if ev.Finish != nil {
		e.finish(ev.Finish, nil)
	}
	e.usage(ev.Usage, nil, false)
	if ev.Warning != nil {
		e.key("warning")
		e.warning(ev.Warning)
	}
	if ev.Err != nil {
		e.key("error")
		e.fault(ev.Err)
	}
	if ev.Ext != nil {
		e.key("ext")
		e.ext(ev.Ext)
	}
	e.end(at, nil)
}

// foreignEvent returns the data and the name of an event of this dialect that
// the decoder had no word for.
func foreignEvent(x *scri.Ext) (data []byte, name string) {
	if !formHas(x, "event") {
		return nil, ""
	}
	kind := unquote(wire.NewScanner(x.Members).Peek("kind"))
	if kind != "" && !memberName(kind) {
		return nil, ""
	}
	return x.Members, kind
}
