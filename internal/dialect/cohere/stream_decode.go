package cohere

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

// maxOpen bounds how many items and calls may be open at once. The API opens one.
const maxOpen = 256

// DecodeStream reads a streamed answer.
func (cohere) DecodeStream(a *dialect.Answer) scri.Stream {
	d := &streamDecoder{a: a, limit: a.Limit(), plan: -1}
	if !a.IsJSON() {
		d.frames = wire.NewSSE(a.Stream, d.limit)
	}
	return dialect.Orderly(d)
}

type streamDecoder struct {
	dialect.Events
	a      *dialect.Answer
	limit  int
	frames *wire.SSE // nil: the body is a whole answer

	s     wire.Scanner
	open  []openPart
	texts []endedText
	parts int // given so far
	plan  int // the part that is the open plan, or -1

	heard, begun bool
	ending       bool
	finish       scri.Finish
	counts       *scri.Usage
	late         dialect.Unknown // members of the answer that come at its end
	lateSize     int
	junk         []byte // the first data that was no event
}

// openPart is an item of the content, or a call, that has begun and not ended.
type openPart struct {
	call  bool
	index int64
	part  int
	kind  scri.PartKind
	got   bool // something of its content has come
	over  bool // its end has come; it waits for citations
	more  dialect.Unknown
	size  int
}

// endedText is a text that is over, and may be cited all the same.
type endedText struct {
	index int64
	part  int
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
		d.ReadWhole(d.a, cohere{}.DecodeResponse)
		return
	}
	f, err := d.frames.Next()
	switch {
	case err != nil:
		d.end(err)
	case f.Comment:
		d.Emit(scri.StreamEvent{Kind: scri.EventPing})
	default:
		d.frame(f)
	}
}

// end is what follows the last frame.
func (d *streamDecoder) end(err error) {
	if d.finish.Reason != "" {
		d.done() // only the terminator is missing
		return
	}
	if errors.Is(err, io.EOF) && !d.heard {
		if d.notStream([]byte(d.frames.GarbageText())) || d.notStream(d.junk) {
			return
		}
	}
	d.Fail(dialect.BrokenOff(err))
}

// notStream takes what came in place of a stream for an error, if it is one.
func (d *streamDecoder) notStream(body []byte) bool {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || bytes.HasPrefix([]byte("data:"), body) || bytes.HasPrefix([]byte("event:"), body) {
		return false // cut within the name of a field
	}
	if wire.Valid(body) == nil {
		d.Fail(decodeError(d.a, body))
		return true
	}
	d.Fail(dialect.Unreadable(errors.New("it is no event stream")))
	return true
}

func (d *streamDecoder) done() {
	head := &scri.ChatResponse{}
	if !d.late.Empty() {
		head.Ext = d.late.Ext(Name)
	}
	d.Emit(scri.StreamEvent{Kind: scri.EventDone, Head: head, Usage: d.counts, Finish: &d.finish})
	d.Fail(io.EOF)
}

// wireEvent holds the raw members of one event, wherever in it they stand.
type wireEvent struct {
	typ, id, role, content, plan, calls, citations, logprobs, finish, usage, fault []byte

	index int64
	odd   bool            // that is no number
	more  dialect.Unknown // members nobody knows
	said  dialect.Unknown // those of its message
}

func (d *streamDecoder) frame(f *wire.Frame) {
	data := bytes.TrimSpace(f.Data)
	if len(data) == 0 || data[0] != '{' {
		switch {
		case string(data) != "[DONE]":
			if d.junk == nil {
				d.junk = bytes.Clone(data)
			}
		case d.finish.Reason != "":
			d.done()
		}
		return
	}
	var e wireEvent
	d.s.Reset(data)
	d.event(&e)
	if err := d.s.End(); err != nil {
		d.broken(err)
		return
	}
	if typ := dialect.Word(e.typ); typ != "" {
		d.take(typ, &e, data)
	} else {
		d.take(string(f.Event), &e, data)
	}
}

// broken is about an event that is no JSON: the last one was cut off, any other
// is not what the dialect says.
func (d *streamDecoder) broken(cause error) {
	d.heard = true
	if _, err := d.frames.Next(); err != nil {
		d.end(err)
		return
	}
	d.Fail(dialect.Unreadable(cause))
}

// event reads the members of an event.
func (d *streamDecoder) event(e *wireEvent) {
	s := &d.s
	for name := range s.Members() {
		switch {
		case name == "type":
			e.typ = s.Raw()
		case name == "id":
			e.id = s.Raw()
		case name == "index" && s.Kind() == wire.Number:
			e.index = int64(s.Float())
		case name == "index" && s.Kind() != wire.Null:
			e.odd = true
			s.Skip()
		case name == "logprobs":
			e.logprobs = s.Raw()
		case name == "delta" && s.Kind() == wire.Object:
			d.delta(e)
		default:
			e.more.Add(s.Member())
		}
	}
}

func (d *streamDecoder) delta(e *wireEvent) {
	s := &d.s
	for name := range s.Members() {
		switch {
		case name == "finish_reason":
			e.finish = s.Raw()
		case name == "usage":
			e.usage = s.Raw()
		case name == "error":
			e.fault = s.Raw()
		case name == "message" && s.Kind() == wire.Object:
			for name := range s.Members() {
				switch name {
				case "role":
					e.role = s.Raw()
				case "content":
					e.content = s.Raw()
				case "tool_plan":
					e.plan = s.Raw()
				case "tool_calls":
					e.calls = s.Raw()
				case "citations":
					e.citations = s.Raw()
				default:
					e.said.Add(s.Member())
				}
			}
		default:
			e.more.Add(s.Member())
		}
	}
}

// take makes events of one that was read. data is all of it.
func (d *streamDecoder) take(typ string, e *wireEvent, data []byte) {
	d.heard = true
	known := !e.odd
	if e.odd { // nobody knows what it is about
		typ = ""
	}
	switch typ {
	case "content-delta":
		known = d.contentDelta(e)
	case "tool-call-delta":
		known = d.callDelta(e)
	case "tool-plan-delta":
		known = d.planDelta(e)
	case "message-start":
		known = d.messageStart(e, data)
	case "content-start":
		known = d.contentStart(e)
	case "content-end":
		known = d.over(d.find(false, e.index), e)
	case "tool-call-start":
		known = d.callStart(e)
	case "tool-call-end":
		b := d.find(true, e.index)
		if known = d.over(b, e); known {
			d.flush()
		}
	case "citation-start":
		known = d.citation(e)
	case "citation-end":
		known = e.more.Empty() && e.said.Empty()
	case "message-end":
		d.messageEnd(e)
	default:
		known = false
	}
	if !known {
		d.opaque(data)
	}
}

// opaque passes on an event that nobody knows.
func (d *streamDecoder) opaque(data []byte) {
	d.Emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: bytes.Clone(data)}})
}

func (d *streamDecoder) messageStart(e *wireEvent, data []byte) bool {
	if d.begun {
		return false
	}
	if len(e.citations) > 2 && e.citations[0] == '[' {
		e.said.Add(append([]byte(`"citations":`), e.citations...))
		e.citations = nil
	}
	for _, raw := range [...][]byte{e.content, e.plan, e.calls, e.citations} {
		if len(raw) > 2 && string(raw) != "null" { // an answer begins with nothing
			defer d.opaque(data)
			break
		}
	}
	head := &scri.ChatResponse{ID: strings.Clone(dialect.Word(e.id)), Ext: e.more.Ext(Name)}
	open := &scri.Message{Role: scri.RoleAssistant}
	if role := dialect.Word(e.role); role != "" {
		if open.Role = scri.Role(strings.Clone(role)); !knownRole(open.Role) {
			e.said.Form("role")
		}
	}
	open.Ext = e.said.Ext(Name)
	d.begin(head, open)
	return true
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

// messageEnd ends the answer.
func (d *streamDecoder) messageEnd(e *wireEvent) {
	d.ensure()
	for i := range d.open {
		d.open[i].over = true
	}
	d.ending = true
	d.flush()
	d.addLate(&e.more)
	d.addLate(&e.said)
	if u := decodeUsage(bytes.Clone(e.usage)); u != nil {
		d.counts = u
		d.Emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: u})
	}
	if fault := dialect.Word(e.fault); fault != "" {
		message := strings.Clone(fault)
		d.Fail(&scri.Error{Kind: kindOf(0, message), Message: message, Dialect: Name})
		return
	}
	if word := dialect.Word(e.finish); word != "" {
		d.finish = finishOf(strings.Clone(word))
		d.Emit(scri.StreamEvent{Kind: scri.EventFinish, Finish: &d.finish})
	}
}

// addLate keeps members of the answer that came at its end.
func (d *streamDecoder) addLate(u *dialect.Unknown) {
	if obj := u.Object(); obj != nil {
		d.lateSize += len(obj)
		if d.lateSize <= d.limit {
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

func (d *streamDecoder) find(call bool, index int64) *openPart {
	for i := len(d.open) - 1; i >= 0; i-- {
		if b := &d.open[i]; b.call == call && b.index == index && !b.over {
			return b
		}
	}
	return nil
}

// add opens the next part.
func (d *streamDecoder) add(call bool, index int64, p *scri.Part) *openPart {
	d.ensure()
	if b := d.find(call, index); b != nil {
		b.over = true // its end was left out
	}
	d.flush()
	if len(d.open) >= maxOpen {
		d.open = slices.Delete(d.open, 0, 1)
	}
	d.open = append(d.open, openPart{call: call, index: index, part: d.parts, kind: p.Kind})
	d.Emit(scri.StreamEvent{Kind: scri.EventPart, Part: d.parts, Whole: p})
	d.parts++
	return &d.open[len(d.open)-1]
}

// flush ends the parts that wait for their end, and the plan.
func (d *streamDecoder) flush() {
	if d.plan >= 0 {
		d.Emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: d.plan})
		d.plan = -1
	}
	kept := d.open[:0]
	for i := range d.open {
		b := &d.open[i]
		if !b.over {
			kept = append(kept, *b)
			continue
		}
		if b.call && !b.got {
			b.more.Form("empty")
		}
		if b.kind == scri.PartText && !b.call && len(d.texts) < maxOpen && !d.ending {
			d.texts = append(d.texts, endedText{b.index, b.part})
		}
		d.Emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: b.part, Ext: b.more.Ext(Name)})
	}
	d.open = kept
}

// over notes that a part has ended. Citations of a text may still follow.
func (d *streamDecoder) over(b *openPart, e *wireEvent) bool {
	if b == nil {
		return false
	}
	d.stray(b, e)
	b.over = true
	return true
}

// stray keeps members of a part's events that nobody knows until the part ends.
func (d *streamDecoder) stray(b *openPart, e *wireEvent) {
	for _, u := range [...]*dialect.Unknown{&e.more, &e.said} {
		if obj := u.Object(); obj != nil && b.kind == scri.PartOpaque { // which is what it was told to be
			d.opaque(obj)
		} else if obj != nil {
			if b.size += len(obj); b.size <= d.limit {
				addAll(&b.more, obj)
			}
		}
	}
}
