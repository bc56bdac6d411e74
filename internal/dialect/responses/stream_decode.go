package responses

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"strings"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads a streamed answer.
func (responses) DecodeStream(a *dialect.Answer) scri.Stream {
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

	s     wire.Scanner
	now   wireEvent // the one at hand
	queue []scri.StreamEvent
	next  int
	err   error // what follows the queue

	items  []*openItem
	early  []earlyItem // those that were ended by the next
	parts  int         // given so far
	seen   int         // items that have begun
	heard  bool
	begun  bool
	called bool         // the client is to run a tool
	first  scri.RawJSON // members that the answer had at its beginning
	junk   []byte       // the first data that was no JSON
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
		r, err := responses{}.DecodeResponse(&a)
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

// end is what follows the last frame. The last event of an answer tells of its
// finish, so that nothing is missing after it.
func (d *streamDecoder) end(err error) {
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
		d.fail(dialect.OpenAIErrorIn(bytes.Clone(body), Name))
		return true
	}
	d.fail(dialect.Unreadable(errors.New("it is no event stream")))
	return true
}

// wireEvent holds the members of one event.
type wireEvent struct {
	typ                      string
	id                       []byte
	response, item, part     []byte
	delta, whole, logProbs   []byte
	annotation, error        []byte
	output, content, summary int64
	more                     dialect.Unknown // members that nobody knows
	data                     []byte
}

func (d *streamDecoder) frame(f *wire.Frame) {
	data := bytes.TrimSpace(f.Data)
	if len(data) == 0 || data[0] != '{' {
		if d.junk == nil && string(data) != "[DONE]" {
			d.junk = bytes.Clone(data)
		}
		return
	}
	e := &d.now
	*e = wireEvent{data: data}
	d.s.Reset(data)
	for name := range d.s.Members() {
		d.member(e, name)
	}
	if err := d.s.End(); err != nil {
		d.broken(err)
		return
	}
	if e.typ == "" { // some proxies name the event only outside
		e.typ = string(f.Event)
	}
	d.heard = true
	d.event(e)
}

func (d *streamDecoder) member(e *wireEvent, name string) {
	s := &d.s
	switch name {
	case "type":
		e.typ = dialect.Word(s.Raw())
	case "delta":
		e.delta = s.Raw()
	case "output_index":
		e.output = index(s)
	case "content_index":
		e.content = index(s)
	case "summary_index":
		e.summary = index(s)
	case "item_id":
		e.id = s.Raw()
	case "annotation_index", "sequence_number", "obfuscation":
		s.Skip()
	case "logprobs":
		e.logProbs = s.Raw()
	case "response":
		e.response = s.Raw()
	case "item":
		e.item = s.Raw()
	case "part":
		e.part = s.Raw()
	case "text", "refusal", "arguments", "input":
		e.whole = s.Raw()
	case "annotation":
		e.annotation = s.Raw()
	case "error":
		e.error = s.Raw()
	default:
		e.more.Add(s.Member())
	}
}

// index reads a number that says where something belongs.
func index(s *wire.Scanner) int64 {
	if s.Kind() != wire.Number {
		s.Skip()
		return 0
	}
	m := s.Mark()
	n := s.Int()
	if s.Err() != nil {
		s.Rewind(m)
		s.Skip()
		return 0
	}
	return n
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

func (d *streamDecoder) event(e *wireEvent) {
	what, ok := strings.CutPrefix(e.typ, "response.")
	if !ok {
		d.other(e)
		return
	}
	before := len(d.queue)
	switch what {
	case "output_text.delta":
		d.delta(e, keyContent, scri.PartText)
	case "function_call_arguments.delta", "custom_tool_call_input.delta":
		d.delta(e, keyCall, scri.PartToolCall)
	case "reasoning_summary_text.delta":
		d.delta(e, keySummary, scri.PartThinking)
	case "reasoning_text.delta":
		d.delta(e, keyContent, scri.PartThinking)
	case "refusal.delta":
		d.delta(e, keyContent, scri.PartRefusal)
	case "created", "in_progress", "queued":
		if !d.begun && len(e.response) > 0 && e.response[0] == '{' {
			d.start(e.response)
		}
	case "output_item.added":
		d.itemAdded(e)
	case "output_item.done":
		d.itemDone(e.output, e.item, &e.more)
		return
	case "content_part.added":
		d.partAdded(e, keyContent)
	case "reasoning_summary_part.added":
		d.partAdded(e, keySummary)
	case "output_text.annotation.added":
		d.annotation(e)
	case "output_text.done", "refusal.done":
		d.rest(e, keyContent)
	case "reasoning_text.done":
		d.rest(e, keyContent)
	case "reasoning_summary_text.done":
		d.rest(e, keySummary)
	case "function_call_arguments.done", "custom_tool_call_input.done":
		d.rest(e, keyCall)
	case "content_part.done", "reasoning_summary_part.done":
	case "completed", "incomplete", "cancelled":
		d.completed(e)
		return
	case statusFailed:
		d.failed(e)
		return
	default:
		d.opaque(e)
		return
	}
	d.strays(e, before)
}

// strays carries the members of an event that nobody knows along with what came
// of it, or as they stand where nothing did.
func (d *streamDecoder) strays(e *wireEvent, before int) {
	switch {
	case e.more.Empty():
	case len(d.queue) > before && d.queue[len(d.queue)-1].Kind != scri.EventOpaque:
		d.queue[len(d.queue)-1].Ext = &scri.Ext{Dialect: Name, Members: e.more.Object()}
	case len(d.queue) == before:
		d.opaque(e)
	}
}

func (d *streamDecoder) other(e *wireEvent) {
	switch {
	case e.typ == "error" || e.error != nil:
		raw := e.data
		if len(e.error) > 0 && e.error[0] == '{' {
			raw = e.error
		}
		d.fail(dialect.OpenAIErrorIn(bytes.Clone(raw), Name))
	case (e.typ == "keepalive" || e.typ == "ping") && e.more.Empty():
		d.emit(scri.StreamEvent{Kind: scri.EventPing})
	default:
		d.opaque(e)
	}
}

// opaque passes on an event that nobody knows.
func (d *streamDecoder) opaque(e *wireEvent) {
	d.emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: bytes.Clone(e.data)}})
}

// start opens the answer and its message.
func (d *streamDecoder) start(raw []byte) {
	d.begun = true
	h := head{}
	s := newDecoder(bytes.Clone(raw))
	for name := range s.Members() {
		if name != "output" {
			s.headMember(&h, name)
		}
	}
	h.close(false)
	h.r.Usage = nil
	d.first = h.r.Ext.Members
	d.emit(scri.StreamEvent{Kind: scri.EventStart, Head: &h.r})
	d.emit(scri.StreamEvent{Kind: scri.EventMessage, Open: &scri.Message{Role: scri.RoleAssistant}})
}

// ensure begins an answer of which the beginning has not come.
func (d *streamDecoder) ensure() {
	if !d.begun {
		d.start([]byte("{}"))
	}
}

// completed ends the answer: what the last event tells is what counts.
func (d *streamDecoder) completed(e *wireEvent) {
	if !d.begun && len(e.response) > 0 {
		d.start(e.response)
	}
	h := head{}
	s := newDecoder(bytes.Clone(e.response))
	var output [][]byte
	for name := range s.Members() {
		if name == "output" && s.Kind() == wire.Array {
			for range s.Elements() {
				output = append(output, s.Raw())
			}
			continue
		}
		s.headMember(&h, name)
	}
	if len(e.response) == 0 || s.End() != nil {
		d.fail(dialect.Unreadable(errors.New("the last event tells of no response")))
		return
	}
	d.finishItems(output)
	if h.status == "" { // the event itself says it
		h.status = strings.TrimPrefix(e.typ, "response.")
	}
	h.u.Put(&scri.Ext{Members: e.more.Object()})
	h.close(false)
	f := finish(strings.Clone(h.word()), d.called)
	if h.r.Usage != nil {
		d.emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: h.r.Usage})
	}
	d.emit(scri.StreamEvent{Kind: scri.EventFinish, Finish: &f})
	h.r.Ext = news(h.r.Ext, d.first)
	d.emit(scri.StreamEvent{Kind: scri.EventDone, Head: &h.r, Usage: h.r.Usage, Finish: &f})
	h.r.Usage = nil
	d.fail(io.EOF)
}

// news is what of e was not said in the same words before.
func news(e *scri.Ext, before scri.RawJSON) *scri.Ext {
	if len(before) == 0 || len(e.Members) == 0 {
		return e
	}
	said := map[string][]byte{}
	s := wire.NewScanner(before)
	for name := range s.Members() {
		said[name] = s.Raw()
	}
	var u dialect.Unknown
	s.Reset(e.Members)
	for name := range s.Members() {
		if m := s.Member(); !bytes.Equal(value(m), said[name]) {
			u.Add(m)
		}
	}
	return &scri.Ext{Dialect: Name, Members: u.Object(), Form: e.Form}
}

// failed ends the answer with the error that the provider tells.
func (d *streamDecoder) failed(e *wireEvent) {
	s := wire.NewScanner(e.response)
	if u := decodeUsage(bytes.Clone(s.Peek("usage"))); u != nil {
		d.emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: u})
	}
	raw := s.Peek("error")
	if isNull(raw) {
		raw = []byte(`{"message":"the provider failed and gave no reason","code":"server_error"}`)
	}
	d.fail(dialect.OpenAIErrorIn(bytes.Clone(raw), Name))
}
