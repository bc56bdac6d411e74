package native

import (
	"bytes"
	"errors"
	"io"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads server-sent events. What it gives aliases the current
// frame, plain strings excepted.
func (native) DecodeStream(a *dialect.Answer) scri.Stream {
	limit := a.MaxFrame
	if limit == 0 {
		limit = dialect.DefaultMaxFrame
	}
	s := &stream{frames: wire.NewSSE(a.Stream, limit)}
	s.d.lenient, s.d.own = true, true
	return dialect.Orderly(s)
}

type stream struct {
	frames *wire.SSE
	d      decoder
	e      scri.StreamEvent
	open   scri.Message
	whole  scri.Part

	begun    bool
	done     bool
	finished []bool // of each choice that was spoken of
	err      error
}

// Next returns the next event.
func (s *stream) Next() (*scri.StreamEvent, error) {
	if s.err != nil {
		return nil, s.err
	}
	f, err := s.frames.Next()
	if err != nil {
		s.err = s.ended(err)
		return nil, s.err
	}
	s.e = scri.StreamEvent{}
	if f.Comment {
		s.e.Kind = scri.EventPing
		return &s.e, nil
	}
	s.begun = true
	if err := s.read(f.Data); err != nil {
		s.err = err
		return nil, err
	}
	s.note()
	return &s.e, nil
}

// Pending reports whether Next will not wait.
func (s *stream) Pending() bool { return s.err != nil || s.frames.Pending() }

// Close ends nothing: the source belongs to somebody else.
func (s *stream) Close() error { return nil }

// ended says what the end of the source means.
func (s *stream) ended(err error) error {
	switch {
	case !scri.Ended(err):
		return dialect.BrokenOff(err)
	case s.complete():
		return io.EOF
	case !s.begun && s.frames.Garbage() > 0:
		text := bytes.TrimSpace([]byte(s.frames.GarbageText()))
		if len(text) > 0 && text[0] != '{' && text[0] != '<' {
			return dialect.BrokenOff(err) // the first piece of an event
		}
		if f := decodeError(&dialect.Answer{Body: text}); f != nil {
			return f
		}
		return dialect.Unreadable(errors.New("it is no event stream"))
	default:
		return dialect.BrokenOff(err)
	}
}

// halved says what an event that is no JSON means: the stream was cut within it
// if nothing follows, else who speaks there does not know the dialect.
func (s *stream) halved(err error) error {
	if _, end := s.frames.Next(); end != nil {
		return s.ended(end)
	}
	return dialect.Unreadable(err)
}

// complete reports whether the answer has come to its end.
func (s *stream) complete() bool {
	for _, ok := range s.finished {
		if !ok {
			return s.done
		}
	}
	return s.done || len(s.finished) > 0
}

// note keeps count of the choices that have begun and ended.
func (s *stream) note() {
	switch s.e.Kind {
	case scri.EventMessage, scri.EventPart, scri.EventDelta, scri.EventFinish:
		for len(s.finished) <= s.e.Choice {
			s.finished = append(s.finished, false)
		}
		if s.e.Kind == scri.EventFinish {
			s.finished[s.e.Choice] = true
		}
	case scri.EventDone:
		s.done = true
	default:
	}
}

// read reads one event. One that is of no known kind, or does not fit its kind,
// is carried as it stands.
func (s *stream) read(data []byte) error {
	d := &s.d
	d.Reset(data)
	d.missing = nil
	m := d.mark()
	var x extra
	s.event(&x)
	if s.e.Err == nil && (d.misfit(m) || d.Err() == nil && s.e.Kind == "") {
		d.back(m)
		raw := d.raw("an object", wire.Object)
		s.e = scri.StreamEvent{
			Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: raw, Form: "event"},
		}
	}
	if err := d.End(); err != nil {
		return s.halved(err)
	}
	if f := s.e.Err; f != nil {
		f.Raw, f.Dialect = bytes.Clone(data), Name
		return f
	}
	if e := x.result(); e != nil && s.e.Ext == nil {
		s.e.Ext = e
	}
	return nil
}

func (s *stream) event(x *extra) {
	d, e := &s.d, &s.e
	for name := range d.Members() {
		if d.Kind() == wire.Null {
			continue
		}
		switch name {
		case "kind":
			e.Kind = eventKind(d.Unquoted())
		case "choice":
			e.Choice = d.number(0, maxChoices)
		case "message":
			e.Message = d.number(0, maxMessages)
		case "part":
			e.Part = d.number(0, maxParts)
		case "delta":
			e.Delta = scri.QuotedText(d.Str())
		case "ext":
			d.ext(x, true)
		default:
			s.member(x, name)
		}
	}
}

// member reads what few events have.
func (s *stream) member(x *extra, name string) {
	d, e := &s.d, &s.e
	switch name {
	case "signature":
		d.child(x, name, func(c *extra) { e.Signature = d.signature(c) })
	case "citation":
		c := d.citation()
		e.Citation = &c
	case "logprobs":
		e.LogProbs = list(d, x, name, d.logProb)
	case "head":
		e.Head = d.head()
	case "open":
		s.open = scri.Message{}
		d.message(&s.open)
		e.Open = &s.open
	case "whole":
		s.whole = scri.Part{}
		d.part(&s.whole)
		e.Whole = &s.whole
	case "finish":
		d.child(x, name, func(c *extra) { e.Finish = d.finish(c) })
	case "usage":
		d.child(x, name, func(c *extra) { e.Usage = d.usage(c) })
	case "warning":
		d.child(x, name, func(c *extra) {
			w := d.warning(c)
			e.Warning = &w
		})
	case "error":
		e.Err = d.looseFault(0)
	default:
		x.keep(d.Member())
	}
}

// eventKind returns the constant of a known kind, or "".
func eventKind(s string) scri.EventKind {
	switch scri.EventKind(s) {
	case scri.EventDelta:
		return scri.EventDelta
	case scri.EventStart:
		return scri.EventStart
	case scri.EventMessage:
		return scri.EventMessage
	case scri.EventPart:
		return scri.EventPart
	case scri.EventPartEnd:
		return scri.EventPartEnd
	case scri.EventUsage:
		return scri.EventUsage
	case scri.EventFinish:
		return scri.EventFinish
	case scri.EventOpaque:
		return scri.EventOpaque
	case scri.EventPing:
		return scri.EventPing
	case scri.EventWarning:
		return scri.EventWarning
	case scri.EventSeam:
		return scri.EventSeam
	case scri.EventError:
		return scri.EventError
	case scri.EventDone:
		return scri.EventDone
	default:
		return ""
	}
}
