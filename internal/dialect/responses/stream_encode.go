package responses

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed answer.
func (responses) EncodeStream(in *dialect.Incoming) dialect.StreamEncoder {
	s := &streamEncoder{previous: strings.Clone(previousID(in))}
	s.e.answer = true
	if in != nil && in.Req != nil {
		s.echo = wire.AppendCompact([]byte{'{'}, append(appendEcho([]byte{'{'}, in.Req), '}'))[1:]
		s.echo = s.echo[:len(s.echo)-1]
	} else {
		s.echo = appendEcho([]byte{'{'}, nil)
	}
	return s
}

// streamEncoder writes the events of one answer. What was streamed of an item is
// kept, as the events at its end and that of the answer repeat the whole.
type streamEncoder struct {
	e        answerEncoder // its buffer is where an event is put together
	echo     []byte        // an object without its end: what answers repeat of the request
	previous string        // the answer that the request goes on from
	head     scri.ChatResponse
	late     scri.RawJSON // own members that came at the end
	seq      int64

	headed         bool // it is known who answers
	started, ended bool
	usage          *scri.Usage
	finish         *scri.Finish
	called         bool
	told           dialect.Once // what was warned of already

	items  []*item // all that were begun
	parts  []*part // those that are open
	known  []added // items whose beginning was passed on as it came
	gone   []partID
	speaks int // the message at hand
}

// partID says which part of the answer something is about.
type partID struct{ message, part int }

// item is an item of the output in the making.
type item struct {
	no    int // its output_index
	id    string
	kind  scri.PartKind // of its parts
	parts []*part
	done  []byte // the whole item
	over  bool   // nothing more comes
}

// part is a part of an item.
type part struct {
	id      partID
	p       scri.Part
	item    *item // nil: it waits for its first word, or for its end
	index   int   // among those of its sort in its item
	thought bool
	text    []byte // so far, as a JSON string without its quotes
	probs   []scri.TokenLogProb
	ended   bool
}

// added is an item of a tool that its provider runs itself, from its beginning
// until it is whole.
type added struct {
	id string
	no int
}

// maxRemembered bounds the lists of what is over.
const maxRemembered = 1024

// ContentType is that of server-sent events.
func (*streamEncoder) ContentType() string { return "text/event-stream; charset=utf-8" }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.e.warn }

// Ping appends a comment.
func (*streamEncoder) Ping(b []byte) []byte { return append(b, ": ping\n\n"...) }

// Event appends the events of one event.
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
	case scri.EventStart:
		return s.start(b, ev)
	case scri.EventMessage:
		return s.message(s.begin(b), ev)
	case scri.EventPart:
		return s.part(s.begin(b), ev)
	case scri.EventDelta:
		return s.delta(s.begin(b), ev)
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
	default: // warnings and seams have no words here
	}
	return b
}

func (s *streamEncoder) once(path, detail string) { s.told.Drop(&s.e.warn, path, detail) }

// start tells who answers.
func (s *streamEncoder) start(b []byte, ev *scri.StreamEvent) []byte {
	if ev.Head == nil || s.started {
		return b
	}
	s.headed = true
	h := ev.Head
	s.head = scri.ChatResponse{
		ID: strings.Clone(h.ID), Model: strings.Clone(h.Model), Created: h.Created, Lineage: h.Lineage, Ext: h.Ext.Clone(),
	}
	if h.Usage != nil {
		s.usage = h.Usage.Clone()
	}
	s.e.own = h.Ext.Of(Name) != nil
	if !s.e.own {
		s.e.foreign(h.Ext)
		s.head.Ext = nil
	}
	return s.begin(b)
}

// begin appends the two events that open an answer, once.
func (s *streamEncoder) begin(b []byte) []byte {
	if s.started {
		return b
	}
	s.started = true
	s.e.seed = seedOf(responseID(&s.head))
	for _, typ := range [...]string{"response.created", "response.in_progress"} {
		s.compose(typ)
		s.response(statusInProgress, false)
		b = s.send(b, typ)
	}
	return b
}

// beginKnown does so if it is known who answers, as one must not be made up.
func (s *streamEncoder) beginKnown(b []byte) []byte {
	if !s.headed {
		return b
	}
	return s.begin(b)
}

// compose begins the data of an event.
func (s *streamEncoder) compose(typ string) *wire.Writer {
	w := &s.e.w
	w.B = w.B[:0]
	s.e.open(typ)
	w.Key("sequence_number")
	w.Int(s.seq)
	s.seq++
	return w
}

// send ends the data of an event and appends it. Raw values may be pretty
// printed; in an event they must not.
func (s *streamEncoder) send(b []byte, typ string) []byte {
	s.e.w.EndObject()
	data := s.e.w.B
	if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		data = wire.AppendCompact(nil, data)
	}
	b = append(append(append(b, "event: "...), typ...), "\ndata: "...)
	b = append(b, data...)
	return append(b, '\n', '\n')
}

// response writes the answer as it stands.
func (s *streamEncoder) response(word string, whole bool) {
	e, r := &s.e, &s.head
	w := &e.w
	w.Key("response")
	w.BeginObject()
	ext := s.members()
	absent := func(name string) bool {
		return e.own && member(ext, name) != nil && (whole || name == "object" || name == "created_at")
	}
	h := *r
	h.Ext = ext
	if e.own && ext == nil {
		h.Ext = &scri.Ext{Dialect: Name}
	}
	e.head(&h, word, absent)
	w.Key("output")
	w.BeginArray()
	for _, t := range s.items {
		if whole && len(t.done) > 0 {
			w.Raw(t.done)
		}
	}
	w.EndArray()
	if whole {
		e.usage(s.usage)
	} else {
		w.Key("usage")
		w.Null()
	}
	if !e.own {
		if len(s.echo) > 1 {
			w.Comma()
			w.B = append(w.B, s.echo[1:]...)
		}
	} else {
		e.previous(ext, s.previous)
		if !whole {
			e.wrote = append(e.wrote, "error", "incomplete_details", "status")
		}
		e.ext(ext, e.wrote...)
	}
	w.EndObject()
}

// members are the own members of the answer, those that came late included.
func (s *streamEncoder) members() *scri.Ext {
	own := s.head.Ext.Of(Name)
	if own == nil || len(s.late) == 0 {
		return own
	}
	return merged(own, &scri.Ext{Dialect: Name, Members: s.late})
}

// merged is what was said of something at its beginning and at its end, where
// the end has the last word.
func merged(a, b *scri.Ext) *scri.Ext {
	if a == nil || a.Dialect != b.Dialect {
		return b.Clone()
	}
	last := map[string]bool{}
	m := wire.NewScanner(b.Members)
	for name := range m.Members() {
		last[name] = true
	}
	var u dialect.Unknown
	m.Reset(a.Members)
	for name := range m.Members() {
		if raw := m.Member(); !last[name] {
			u.Add(raw)
		}
	}
	u.Put(&scri.Ext{Members: b.Members})
	form := a.Form
	for w := range strings.FieldsSeq(b.Form) {
		if !dialect.HasWord(form, w) {
			form = strings.TrimPrefix(form+" "+w, " ")
		}
	}
	return &scri.Ext{Dialect: a.Dialect, Members: u.Object(), Form: form}
}

func (s *streamEncoder) message(b []byte, ev *scri.StreamEvent) []byte {
	b = s.settle(b)
	s.parts, s.speaks = nil, ev.Message
	if m := ev.Open; m != nil {
		s.at(partID{ev.Message, -1})
		if m.ID != "" {
			s.e.drop("id", "ids belong to items, not to messages")
		}
		if m.Name != "" {
			s.e.drop("name", "speakers have no names here")
		}
		if m.Role != scri.RoleAssistant && m.Role != "" {
			s.e.lose(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "only the assistant answers")
		}
		s.e.homeless(m.Ext)
		s.e.path = s.e.path[:0]
	}
	return b
}

// at puts the path of the encoder on a part, or with a negative part on its
// message.
func (s *streamEncoder) at(id partID) {
	e := &s.e
	e.path = append(e.path[:0], "/choices/0/output"...)
	e.at(id.message)
	e.in("content")
	if id.part >= 0 {
		e.at(id.part)
	} else {
		e.path = e.path[:len(e.path)-len("/content")]
	}
}

func (s *streamEncoder) finished(ev *scri.StreamEvent) {
	if ev.Finish != nil {
		f := *ev.Finish
		f.Raw, f.Detail = strings.Clone(f.Raw), strings.Clone(f.Detail)
		s.finish = &f
	}
	if len(ev.LogProbs) > 0 {
		s.once("/choices/0/logprobs", "there is no text that they could be of")
	}
	s.e.path = append(s.e.path[:0], "/choices/0"...)
	s.e.homeless(ev.Ext)
	s.e.path = s.e.path[:0]
}

func (s *streamEncoder) done(ev *scri.StreamEvent) {
	if ev.Usage != nil {
		s.usage = ev.Usage.Clone()
	}
	if ev.Finish != nil && (s.finish == nil || *ev.Finish != scri.Finish{}) {
		s.finished(&scri.StreamEvent{Finish: ev.Finish})
	}
	if ev.Head == nil {
		return
	}
	if own := ev.Head.Ext.Of(Name); own != nil && ev.Head.ID != "" {
		s.head.ID = strings.Clone(ev.Head.ID) // the provider's last word
	}
	if ev.Head.Model != "" {
		s.head.Model = strings.Clone(ev.Head.Model)
	}
	if !ev.Head.Created.IsZero() && (s.head.Created.IsZero() || ev.Head.Ext.Of(Name) != nil) {
		s.head.Created = ev.Head.Created
	}
	s.e.odd = has(ev.Head.Ext, formWord)
	if own := ev.Head.Ext.Of(Name); own == nil {
		s.e.foreign(ev.Head.Ext)
	} else if len(own.Members) > 0 {
		s.late = bytes.Clone(own.Members)
	}
}

// End appends the end of the stream.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	if s.ended {
		return b
	}
	s.e.path = s.e.path[:0]
	b = s.begin(b)
	if err != nil {
		s.ended = true
		return s.failure(b, err)
	}
	f := scri.Finish{}
	if s.finish != nil {
		f = *s.finish
	}
	s.e.path = append(s.e.path, "/choices/0"...)
	word := s.e.finishWord(&f, s.called)
	s.e.path = s.e.path[:0]
	s.e.status = s.e.itemStatus(word)
	for len(s.parts) > 0 {
		b = s.partEnd(b, &scri.StreamEvent{Message: s.parts[0].id.message, Part: s.parts[0].id.part})
	}
	b = s.settle(b)
	s.ended = true
	status, _ := s.e.statusOf(word)
	typ := "response." + status
	switch status {
	case statusCompleted, statusIncomplete, statusCancelled:
	default: // it goes on in the background, of which a stream has no word
		typ = "response.completed"
	}
	s.compose(typ)
	s.response(word, true)
	return s.send(b, typ)
}

// failure tells of an error: of the response that failed, and as an error, by
// which some clients know it alone.
func (s *streamEncoder) failure(b []byte, err *scri.Error) []byte {
	object := dialect.AppendOpenAIErrorObject(nil, err)
	w := s.compose("response.failed")
	w.Key("response")
	w.BeginObject()
	s.e.str("id", responseID(&s.head))
	s.e.str("object", "response")
	w.Key("created_at")
	if s.head.Created.IsZero() {
		w.Int(0)
	} else {
		w.Int(s.head.Created.Unix())
	}
	s.e.str("status", statusFailed)
	s.e.str("model", s.head.Model)
	w.Key("error")
	w.Raw(object)
	w.Key("incomplete_details")
	w.Null()
	w.Key("output")
	w.BeginArray()
	for _, t := range s.items {
		if len(t.done) > 0 {
			w.Raw(t.done)
		}
	}
	w.EndArray()
	s.e.usage(s.usage)
	w.EndObject()
	b = s.send(b, "response.failed")
	w = s.compose("error")
	m := wire.NewScanner(object)
	for name := range m.Members() {
		if name == "type" {
			m.Skip()
			continue
		}
		w.Raw(m.Member())
	}
	w.Key("error")
	w.Raw(object)
	return s.send(b, "error")
}
