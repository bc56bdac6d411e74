package anthropic

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// maxOpen bounds how many blocks may be open at once. The API opens one.
const maxOpen = 256

// DecodeStream reads a streamed answer.
func (anthropic) DecodeStream(a *dialect.Answer) scri.Stream {
	limit := a.MaxFrame
	if limit <= 0 {
		limit = dialect.DefaultMaxFrame
	}
	d := &streamDecoder{a: a, limit: limit}
	if typ, _, err := mime.ParseMediaType(a.Header.Get("Content-Type")); err == nil && typ == "application/json" {
		return dialect.Orderly(d) // a whole answer in place of a stream
	}
	d.frames = wire.NewSSE(a.Stream, limit)
	return dialect.Orderly(d)
}

type streamDecoder struct {
	a      *dialect.Answer
	limit  int
	frames *wire.SSE   // nil: the body is a whole answer
	whole  scri.Stream // its replay
	closed atomic.Bool

	s, sub wire.Scanner
	queue  []scri.StreamEvent
	next   int
	err    error // what follows the queue

	open   []openBlock
	parts  int  // given so far
	heard  bool // some event came
	begun  bool
	usage  []byte // as merged so far
	counts *scri.Usage
	finish scri.Finish
	late   dialect.Layers // members of the answer that come at its end
	junk   []byte         // the first data that was no JSON
}

// openBlock is a content block that has begun and not ended.
type openBlock struct {
	index int64
	part  int
	kind  scri.PartKind
	got   bool           // something of its content has come
	whole bool           // all of it has
	args  []byte         // the input it began with, in case no other comes
	held  []byte         // an unknown block, until all of it is here
	sign  []byte         // the signature so far, without quotes
	more  dialect.Layers // members of its events that nobody knows: one object
}

// Next returns the next event.
func (d *streamDecoder) Next() (*scri.StreamEvent, error) {
	for {
		switch {
		case d.closed.Load():
			return nil, &scri.Error{Kind: scri.ErrCanceled, Message: "the stream was closed"}
		case d.next < len(d.queue):
			d.next++
			return &d.queue[d.next-1], nil
		case d.err != nil:
			return nil, d.err
		case d.frames == nil:
			return d.nextWhole()
		}
		d.queue, d.next = d.queue[:0], 0
		f, err := d.frames.Next()
		switch {
		case err != nil:
			d.end(err)
		case f.Comment:
			d.emit(scri.StreamEvent{Kind: scri.EventPing})
		default:
			d.frame(f)
		}
	}
}

// Pending reports whether Next would not wait.
func (d *streamDecoder) Pending() bool {
	return d.next < len(d.queue) || d.err != nil || d.whole != nil || d.frames != nil && d.frames.Pending()
}

// Close ends the stream.
func (d *streamDecoder) Close() error {
	d.closed.Store(true)
	return nil
}

// nextWhole reads an answer that came whole although a stream was asked for.
func (d *streamDecoder) nextWhole() (*scri.StreamEvent, error) {
	if d.whole == nil {
		body, err := io.ReadAll(io.LimitReader(d.a.Stream, int64(d.limit)+1))
		if err == nil && len(body) > d.limit {
			err = &wire.TooLargeError{Max: d.limit}
		}
		if err != nil {
			d.err = dialect.BrokenOff(err)
			return nil, d.err
		}
		a := *d.a
		a.Body = body
		r, err := anthropic{}.DecodeResponse(&a)
		if err != nil {
			d.err = err
			return nil, err
		}
		d.whole = scri.Replay(r)
	}
	return d.whole.Next()
}

func (d *streamDecoder) emit(e scri.StreamEvent) { d.queue = append(d.queue, e) }

func (d *streamDecoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// end is what follows the last frame.
func (d *streamDecoder) end(err error) {
	if d.finish.Reason != "" {
		d.done() // only the terminator is missing
		return
	}
	if errors.Is(err, io.EOF) && !d.begun && !d.heard {
		if d.notStream([]byte(d.frames.GarbageText())) || d.notStream(d.junk) {
			return
		}
	}
	d.fail(dialect.BrokenOff(err))
}

// notStream takes what came in place of a stream for an error, if it is one.
func (d *streamDecoder) notStream(body []byte) bool {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || bytes.HasPrefix([]byte("data:"), body) || bytes.HasPrefix([]byte("event:"), body) {
		return false // cut within the name of a field
	}
	if wire.Valid(body) == nil {
		d.fail(decodeError(d.a, body))
		return true
	}
	d.fail(dialect.Unreadable(errors.New("it is no event stream")))
	return true
}

func (d *streamDecoder) done() {
	head := &scri.ChatResponse{}
	if late := d.late.Object(); late != nil {
		head.Ext = &scri.Ext{Dialect: Name, Members: late}
	}
	d.emit(scri.StreamEvent{Kind: scri.EventDone, Head: head, Usage: d.counts, Finish: &d.finish})
	d.fail(io.EOF)
}

// wireEvent holds the raw members of one event.
type wireEvent struct {
	typ, delta, block, message, usage, error []byte
	index                                    int64
	more, own                                dialect.Unknown // members nobody knows: of the event, of its delta
}

func (d *streamDecoder) frame(f *wire.Frame) {
	data := bytes.TrimSpace(f.Data)
	if len(data) == 0 || data[0] != '{' {
		if d.junk == nil && string(data) != "[DONE]" {
			d.junk = bytes.Clone(data)
		}
		return
	}
	var e wireEvent
	d.s.Reset(data)
	for name := range d.s.Members() {
		switch name {
		case "type":
			e.typ = d.s.Raw()
		case "index":
			if d.s.Kind() == wire.Number {
				e.index = d.s.Int()
			}
		case "delta":
			e.delta = d.s.Raw()
		case "content_block":
			e.block = d.s.Raw()
		case "message":
			e.message = d.s.Raw()
		case "usage":
			e.usage = d.s.Raw()
		case "error":
			e.error = d.s.Raw()
		default:
			e.more.Add(d.s.Member())
		}
	}
	if err := d.s.End(); err != nil {
		d.broken(err)
		return
	}
	if e.typ == nil && len(f.Event) > 0 { // some proxies name the event only outside
		e.typ = append(append([]byte{'"'}, f.Event...), '"')
	}
	d.event(&e, data)
}

// broken is about an event that is no JSON: the last one was cut off, any other
// is not what the dialect says.
func (d *streamDecoder) broken(cause error) {
	d.begun = true
	if _, err := d.frames.Next(); err != nil {
		d.end(err)
		return
	}
	d.fail(dialect.Unreadable(cause))
}

func (d *streamDecoder) event(e *wireEvent, data []byte) {
	d.heard = true
	switch string(e.typ) {
	case `"content_block_delta"`:
		d.delta(e, data)
	case `"content_block_start"`:
		if len(e.block) == 0 || e.block[0] != '{' {
			d.opaque(data)
			return
		}
		d.blockStart(e)
	case `"content_block_stop"`:
		d.blockStop(e)
	case `"message_start"`:
		d.messageStart(e, data)
	case `"message_delta"`:
		d.messageDelta(e, data)
	case `"message_stop"`:
		d.messageStop(data)
	case `"ping"`:
		if !e.more.Empty() {
			d.opaque(data)
			return
		}
		d.emit(scri.StreamEvent{Kind: scri.EventPing})
	case `"error"`:
		d.fail(decodeError(d.a, data))
	default:
		if e.error != nil {
			d.fail(decodeError(d.a, data))
			return
		}
		d.opaque(data)
	}
}

// opaque passes on an event that nobody knows.
func (d *streamDecoder) opaque(data []byte) {
	d.emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: bytes.Clone(data)}})
}

// messageStart begins the answer. What of it is of another shape than it should be is
// passed on as it stands: the end has a place for one of its name.
func (d *streamDecoder) messageStart(e *wireEvent, data []byte) {
	head := &scri.ChatResponse{}
	open := &scri.Message{Role: scri.RoleAssistant}
	var u, odd dialect.Unknown
	var stop, sequence string
	m := newDecoder(bytes.Clone(e.message))
	for name := range m.Members() {
		switch name {
		case "type", "content":
			m.Skip()
		case "id":
			m.Take(&u, &head.ID)
		case "model":
			m.Take(&u, &head.Model)
		case "role":
			var role string
			if m.Take(&odd, &role); role != "" {
				open.Role = scri.Role(role)
			}
		case "usage":
			d.addUsage(m.Raw())
		case "stop_reason":
			m.nullable(&odd, &stop)
		case "stop_sequence":
			m.nullable(&odd, &sequence)
		default:
			u.Add(m.Member())
		}
	}
	head.Ext = &scri.Ext{Dialect: Name, Members: u.Object()}
	d.addLate(&e.more)
	d.begin(head, open)
	if d.counts != nil {
		d.emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: d.counts})
	}
	if !odd.Empty() {
		d.opaque(data)
	}
	if stop != "" {
		d.finish = finishOf(stop, sequence)
	}
}

// begin opens the answer and its message.
func (d *streamDecoder) begin(head *scri.ChatResponse, open *scri.Message) {
	d.begun = true
	d.emit(scri.StreamEvent{Kind: scri.EventStart, Head: head})
	d.emit(scri.StreamEvent{Kind: scri.EventMessage, Open: open})
}

// ensure begins an answer of which the beginning has not come.
func (d *streamDecoder) ensure() {
	if !d.begun {
		d.begin(&scri.ChatResponse{Ext: &scri.Ext{Dialect: Name}}, &scri.Message{Role: scri.RoleAssistant})
	}
}

// maxUsage bounds what is kept of counts that come again and again.
const maxUsage = 64 << 10

// addUsage lays counts over those that came before.
func (d *streamDecoder) addUsage(raw []byte) bool {
	if len(raw) == 0 || raw[0] != '{' {
		return false
	}
	if len(d.usage)+len(raw) > maxUsage {
		d.usage = nil // nobody counts so much: the latest must do
	}
	d.usage = dialect.MergeMembers(d.usage, bytes.Clone(raw))
	d.counts = decodeUsage(d.usage)
	return true
}

func (d *streamDecoder) messageDelta(e *wireEvent, data []byte) {
	d.ensure()
	var u dialect.Unknown
	var stop, sequence string
	m := newDecoder(bytes.Clone(data))
	for name := range m.Members() {
		switch {
		case name == "type", name == "usage":
			m.Skip()
		case name == "delta" && m.Kind() == wire.Object:
			for name := range m.Members() {
				switch name {
				case "stop_reason":
					m.nullable(&u, &stop)
				case "stop_sequence":
					m.nullable(&u, &sequence)
				default:
					u.Add(m.Member())
				}
			}
		default:
			u.Add(m.Member())
		}
	}
	d.addLate(&u)
	if d.addUsage(e.usage) {
		d.emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: d.counts})
	}
	if stop != "" {
		for len(d.open) > 0 { // whose ends were left out
			d.blockStop(&wireEvent{index: d.open[0].index})
		}
		d.finish = finishOf(stop, sequence)
		d.emit(scri.StreamEvent{Kind: scri.EventFinish, Finish: &d.finish})
	}
}

// addLate keeps members of the answer that came at its end.
func (d *streamDecoder) addLate(u *dialect.Unknown) {
	if obj := u.Object(); obj != nil && d.late.Size()+len(obj) <= d.limit {
		d.late.Add(obj)
	}
}

// messageStop ends the answer. Bedrock tells its own measurements here.
func (d *streamDecoder) messageStop(data []byte) {
	var u dialect.Unknown
	m := newDecoder(bytes.Clone(data))
	for name := range m.Members() {
		if name != "type" {
			u.Add(m.Member())
		}
	}
	d.addLate(&u)
	if d.finish.Reason == "" {
		d.fail(dialect.BrokenOff(io.EOF))
		return
	}
	d.done()
}
