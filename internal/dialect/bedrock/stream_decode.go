package bedrock

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// maxOpen bounds how many blocks may be open at once. The API opens one.
const maxOpen = 256

// DecodeStream reads a streamed answer.
func (bedrock) DecodeStream(a *dialect.Answer) scri.Stream {
	d := &streamDecoder{a: a, limit: a.Limit()}
	if !a.IsJSON() {
		d.frames = wire.NewEventStream(a.Stream, d.limit)
	}
	return dialect.Orderly(d)
}

type streamDecoder struct {
	dialect.Events
	a      *dialect.Answer
	limit  int
	frames *wire.EventStream // nil: the body is a whole answer

	s     wire.Scanner
	open  []openBlock
	parts int // given so far

	begun    bool
	finish   scri.Finish
	counts   *scri.Usage
	late     dialect.Unknown // members of the answer that come at its end
	lateSize int
}

// openBlock is a block that has begun and not ended.
type openBlock struct {
	index int64
	part  int
	kind  scri.PartKind
	got   bool   // something of its content has come
	whole bool   // all of it has
	sign  []byte // the signature so far, without quotes
	held  []byte // a result of a tool: its object, still open
	list  []byte // and its content
	more  dialect.Unknown
	size  int
}

// Next returns the next event.
func (d *streamDecoder) Next() (*scri.StreamEvent, error) { return d.Events.Next(d) }

// Pending reports whether Next would not wait.
func (d *streamDecoder) Pending() bool {
	return d.Ready() || d.frames != nil && d.frames.Pending()
}

// ReadFrame reads the next frame and makes events of it.
func (d *streamDecoder) ReadFrame() {
	if d.frames == nil {
		d.ReadWhole(d.a, bedrock{}.DecodeResponse)
		return
	}
	f, err := d.frames.Next()
	switch {
	case err != nil:
		d.end(err)
	case string(f.Type) == "event":
		d.event(f)
	default: // an exception or, without a payload, an error
		body := f.Payload
		if len(f.Message) > 0 {
			w := wire.Writer{}
			w.BeginObject()
			w.Key("message")
			w.Str(string(f.Message))
			w.EndObject()
			body = w.B
		}
		d.Fail(decodeError(d.a, string(f.Name), body))
	}
}

// end is what follows the last frame.
func (d *streamDecoder) end(err error) {
	if d.finish.Reason != "" {
		d.done() // the counts are missing
		return
	}
	if _, corrupt := errors.AsType[*wire.CorruptError](err); corrupt && !d.begun {
		d.Fail(dialect.Unreadable(err)) // it is no event stream
		return
	}
	d.Fail(dialect.BrokenOff(err))
}

func (d *streamDecoder) done() {
	head := &scri.ChatResponse{Ext: d.late.Ext(Name)}
	d.Emit(scri.StreamEvent{Kind: scri.EventDone, Head: head, Usage: d.counts, Finish: &d.finish})
	d.Fail(io.EOF)
}

// wireEvent holds the raw members of one event.
type wireEvent struct {
	index                           int64
	start, delta, role, stop, usage []byte
	more                            dialect.Unknown // members nobody knows
}

func (d *streamDecoder) event(f *wire.EventFrame) {
	var e wireEvent
	s := &d.s
	s.Reset(f.Payload)
	for name := range s.Members() {
		switch {
		case name == "contentBlockIndex" && s.Kind() == wire.Number:
			e.index = int64(s.Float())
		case name == "p", name == "contentBlockIndex": // which hides how long the rest is, and none
			s.Skip()
		case name == "start" && s.Kind() == wire.Object:
			e.start = s.Raw()
		case name == "delta" && s.Kind() == wire.Object:
			e.delta = s.Raw()
		case name == "role" && s.Kind() == wire.String:
			e.role = s.Raw()
		case name == "stopReason" && s.Kind() == wire.String:
			e.stop = s.Raw()
		case name == "usage" && s.Kind() == wire.Object:
			e.usage = s.Raw()
		default:
			e.more.Add(s.Member())
		}
	}
	if err := s.End(); err != nil {
		d.Fail(dialect.Unreadable(err))
		return
	}
	if !d.take(string(f.Name), &e) {
		d.opaque(f)
	}
}

// opaque passes on an event that nobody knows.
func (d *streamDecoder) opaque(f *wire.EventFrame) {
	w := wire.Writer{B: make([]byte, 0, len(f.Payload)+len(f.Name)+8)}
	w.BeginObject()
	w.Str(string(f.Name))
	w.B = append(w.B, ':')
	w.Raw(f.Payload)
	w.EndObject()
	d.Emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: w.B}})
}

// take makes events of one that was read, and reports whether it is known.
func (d *streamDecoder) take(name string, e *wireEvent) bool {
	switch name {
	case "contentBlockDelta":
		return d.delta(e)
	case "contentBlockStart":
		return d.blockStart(e)
	case "contentBlockStop":
		d.stop(d.find(e.index), e)
	case "messageStart":
		d.messageStart(e)
	case "messageStop":
		d.messageStop(e)
	case "metadata":
		d.metadata(e)
	default:
		return false
	}
	return true
}

func (d *streamDecoder) messageStart(e *wireEvent) {
	if d.begun {
		d.addLate(&e.more)
		return
	}
	open := &scri.Message{Role: scri.RoleAssistant}
	if role := dialect.Word(e.role); role != "" {
		open.Role = scri.Role(strings.Clone(role))
	}
	d.begin(&scri.ChatResponse{Ext: e.more.Ext(Name)}, open)
}

// begin opens the answer and its message. The wire does not say which model it is.
func (d *streamDecoder) begin(head *scri.ChatResponse, open *scri.Message) {
	d.begun = true
	if d.a.Target != nil {
		head.Model = d.a.Target.Model
	}
	if head.Ext == nil {
		head.Ext = &scri.Ext{Dialect: Name}
	}
	d.Emit(scri.StreamEvent{Kind: scri.EventStart, Head: head})
	d.Emit(scri.StreamEvent{Kind: scri.EventMessage, Open: open})
}

// ensure begins an answer of which the beginning has not come.
func (d *streamDecoder) ensure() {
	if !d.begun {
		d.begin(&scri.ChatResponse{}, &scri.Message{Role: scri.RoleAssistant})
	}
}

func (d *streamDecoder) messageStop(e *wireEvent) {
	d.ensure()
	for len(d.open) > 0 { // whose ends were left out
		d.stop(&d.open[0], &wireEvent{})
	}
	d.addLate(&e.more)
	if word := dialect.Word(e.stop); word != "" {
		d.finish = finishOf(strings.Clone(word))
		d.Emit(scri.StreamEvent{Kind: scri.EventFinish, Finish: &d.finish})
	}
}

// metadata is what ends a stream: counts, measurements, what a guardrail did.
func (d *streamDecoder) metadata(e *wireEvent) {
	d.ensure()
	if u := decodeUsage(bytes.Clone(e.usage)); u != nil {
		d.counts = u
		d.Emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: u})
	}
	d.addLate(&e.more)
	if d.finish.Reason != "" {
		d.done()
	}
}

// addLate keeps members of the answer that came at its end.
func (d *streamDecoder) addLate(u *dialect.Unknown) {
	if obj := u.Object(); obj != nil {
		if d.lateSize += len(obj); d.lateSize <= d.limit {
			addAll(&d.late, obj)
		}
	}
}

// addAll adds the members of an object, less those whose names are there.
func addAll(u *dialect.Unknown, obj []byte) {
	have := u.Object()
	s := wire.NewScanner(obj)
	for name := range s.Members() {
		if have == nil || wire.NewScanner(have).Peek(name) == nil {
			u.Add(s.Member())
		}
	}
}

func (d *streamDecoder) find(index int64) *openBlock {
	for i := range d.open {
		if d.open[i].index == index {
			return &d.open[i]
		}
	}
	return nil
}

// endBefore ends the blocks whose ends were left out when another one begins, but calls
// before a call, which some servers tell side by side.
func (d *streamDecoder) endBefore(index int64, kind scri.PartKind) {
	for i := 0; i < len(d.open); {
		if b := &d.open[i]; b.index == index || b.kind != scri.PartToolCall || kind != scri.PartToolCall {
			d.stop(b, &wireEvent{})
		} else {
			i++
		}
	}
}

// add opens a block as the next part.
func (d *streamDecoder) add(index int64, kind scri.PartKind) *openBlock {
	d.ensure()
	d.endBefore(index, kind)
	if len(d.open) >= maxOpen {
		d.open = slices.Delete(d.open, 0, 1)
	}
	d.open = append(d.open, openBlock{index: index, part: d.parts, kind: kind})
	d.parts++
	return &d.open[len(d.open)-1]
}

// stray keeps members of a block's events that nobody knows until the block ends.
func (d *streamDecoder) stray(b *openBlock, e *wireEvent) {
	if obj := e.more.Object(); obj != nil {
		if b.size += len(obj); b.size <= d.limit {
			addAll(&b.more, obj)
		}
	}
}

// stop ends a block: what was held back of it comes now.
func (d *streamDecoder) stop(b *openBlock, e *wireEvent) {
	if b == nil {
		d.addLate(&e.more)
		return
	}
	d.stray(b, e)
	part := b.part
	switch {
	case b.held != nil:
		raw := append(append(append(b.held, `"content":[`...), b.list...), "]}}"...)
		p := newDecoder(raw).block()
		d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: part, Whole: &p})
	case len(b.sign) > 0:
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: part, Signature: &scri.Signature{
			Value: scri.QuotedText(append(append([]byte{'"'}, b.sign...), '"')), Dialect: Name,
		}})
	case b.kind == scri.PartToolCall && !b.got:
		d.Emit(scri.StreamEvent{Kind: scri.EventDelta, Part: part, Delta: scri.NewText("{}")})
	case b.kind == scri.PartText && !b.got:
		b.more.Form("empty")
	}
	d.Emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: part, Ext: b.more.Ext(Name)})
	d.open = slices.DeleteFunc(d.open, func(o openBlock) bool { return o.part == part })
}
