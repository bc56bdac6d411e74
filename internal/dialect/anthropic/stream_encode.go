package anthropic

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// maxWaiting bounds what is held back of blocks that came while another one was
// open: clients of this dialect know one open block at a time.
const maxWaiting = 16 << 20

// EncodeStream returns the encoder of one streamed answer.
func (anthropic) EncodeStream(*dialect.Incoming) dialect.StreamEncoder {
	return &streamEncoder{e: encoder{answer: true}}
}

type streamEncoder struct {
	e    encoder // its buffer is where a frame is put together
	head scri.ChatResponse
	late scri.RawJSON // own members for the end of the answer
	own  bool         // the answer is of this dialect
	role string

	started, ended bool
	begun          bool // who answers is known
	zeroed         bool // the beginning had to tell counts that were not known
	usage          *scri.Usage
	finish         *scri.Finish
	called         bool
	told           dialect.Once // what was warned of already

	blocks  []*block // open ones: the first is on the wire, the others wait
	early   []early  // texts that were ended so that others could begin
	skipped []partID // parts that cannot be said
	any     dialect.Begun
	cited   dialect.Cited
	blockNo int
	waiting int
}

// partID says which part of the answer something is about.
type partID struct{ choice, message, part int }

// block is a content block in the making.
type block struct {
	id    partID
	kind  scri.PartKind
	index int
	buf   []byte // frames that wait
	late  []byte // own members that came with its end
	ended bool
	got   bool // arguments have come
	cited int
	whole bool // nothing more is to come
}

type early struct {
	id   partID
	kind scri.PartKind
}

// maxRemembered bounds the lists of parts that are over.
const maxRemembered = 1024

// ContentType is that of server-sent events.
func (s *streamEncoder) ContentType() string { return "text/event-stream; charset=utf-8" }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.e.warn }

// Ping appends a sign of life.
func (s *streamEncoder) Ping(b []byte) []byte {
	return append(b, "event: ping\ndata: {\"type\": \"ping\"}\n\n"...)
}

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
		s.begin(ev)
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
	default: // warnings and seams have no words here
	}
	return b
}

func (s *streamEncoder) once(path, detail string) { s.told.Drop(&s.e.warn, path, detail) }

// begin keeps who answers. It is written with the first content, as counts of
// the input may come before that.
func (s *streamEncoder) begin(ev *scri.StreamEvent) {
	if ev.Head == nil || s.started {
		return
	}
	s.begun = true
	h := ev.Head
	s.head = scri.ChatResponse{
		ID: strings.Clone(h.ID), Model: strings.Clone(h.Model), Created: h.Created, Lineage: h.Lineage, Ext: h.Ext.Clone(),
	}
	s.own = h.Ext.Of(Name) != nil
	if h.Usage != nil {
		s.usage = h.Usage.Clone()
	}
}

func (s *streamEncoder) message(ev *scri.StreamEvent) {
	if ev.Open == nil {
		return
	}
	if s.role == "" {
		s.role = strings.Clone(string(ev.Open.Role))
	}
	s.at(partID{0, ev.Message, -1})
	s.e.turn(ev.Open, s.own)
	s.e.path = s.e.path[:0]
}

// at puts the path of the encoder on a part, or with a negative part on its
// message.
func (s *streamEncoder) at(id partID) {
	e := &s.e
	e.path = e.path[:0]
	e.in("choices")
	e.at(id.choice)
	e.in("output")
	e.at(id.message)
	if id.part >= 0 {
		e.in("content")
		e.at(id.part)
	}
}

func (s *streamEncoder) finished(ev *scri.StreamEvent) {
	if ev.Finish != nil {
		f := *ev.Finish
		f.Raw, f.Detail = strings.Clone(f.Raw), strings.Clone(f.Detail)
		s.finish = &f
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
	s.belated(ev.Head)
	if ev.Head.Ext == nil {
		return
	}
	if own := ev.Head.Ext.Of(Name); own == nil {
		s.e.foreign(ev.Head.Ext)
	} else if len(own.Members) > 0 {
		s.late = dialect.MergeMembers(s.late, bytes.Clone(own.Members))
	}
}

// belated takes in what was told of the answer only at its end.
func (s *streamEncoder) belated(h *scri.ChatResponse) {
	if s.started {
		dialect.Belated(&s.e.warn, &s.head, h, Name)
		return
	}
	if h.Ext.Of(Name) != nil && h.ID != "" {
		s.head.ID = strings.Clone(h.ID)
	}
	if h.Model != "" {
		s.head.Model = strings.Clone(h.Model)
	}
}

// frame appends the event whose data was put together in the encoder's buffer.
// Raw values may be pretty printed; in an event they must not.
func (s *streamEncoder) frame(b []byte, event string) []byte {
	data := s.e.w.B
	if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		data = wire.AppendCompact(nil, data)
	}
	b = append(append(append(b, "event: "...), event...), "\ndata: "...)
	b = append(b, data...)
	return append(b, '\n', '\n')
}

// compose begins the data of an event.
func (s *streamEncoder) compose(typ string) *wire.Writer {
	w := &s.e.w
	w.B = w.B[:0]
	s.e.open(typ)
	return w
}

// start appends the beginning of the answer, once.
func (s *streamEncoder) start(b []byte) []byte {
	if s.started {
		return b
	}
	s.started = true
	s.e.path = s.e.path[:0]
	w := s.compose("message_start")
	w.Key("message")
	s.e.open("message")
	s.e.envelope(&s.head)
	w.Key("role")
	if s.own && s.role != "" {
		w.Str(s.role)
	} else {
		w.Str(string(scri.RoleAssistant))
	}
	w.Key("content")
	w.Raw([]byte("[]"))
	w.Key("stop_reason")
	w.Null()
	w.Key("stop_sequence")
	w.Null()
	w.Key("usage")
	warned := len(s.e.warn)
	if s.usage == nil {
		w.Raw([]byte(`{"input_tokens":0,"output_tokens":0}`))
		s.zeroed = true
	} else {
		s.e.usage(s.usage)
	}
	s.e.warn = s.e.warn[:warned] // the counts at the end are those that hold
	s.startMembers()
	w.EndObject()
	w.EndObject()
	return s.frame(b, "message_start")
}

// startMembers writes the own members of the answer that stand at its
// beginning, and keeps those for the end.
func (s *streamEncoder) startMembers() {
	own := s.head.Ext.Of(Name)
	if own == nil {
		s.e.foreign(s.head.Ext)
		return
	}
	if len(own.Members) == 0 {
		return
	}
	var now, then dialect.Unknown
	m := wire.NewScanner(own.Members)
	for name := range m.Members() {
		switch {
		case name == "type" || name == "content":
		case isLate(name):
			then.Add(m.Member())
		default:
			now.Add(m.Member())
		}
	}
	s.e.w.Members(now.Object())
	if obj := then.Object(); obj != nil {
		s.late = dialect.MergeMembers(obj, s.late)
	}
}

// isLate reports whether a member of an answer is told at its end.
func isLate(name string) bool {
	switch name {
	case "stop_details", "container", "context_management":
		return true
	default:
		return strings.HasPrefix(name, "amazon-bedrock-")
	}
}

// End appends the end of the stream.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	if s.ended {
		return b
	}
	s.e.path = s.e.path[:0]
	if err != nil {
		s.ended = true
		_, typ := errorType(err)
		s.e.w.B = appendError(s.e.w.B[:0], err, typ)
		return s.frame(b, "error")
	}
	b = s.start(b)
	for len(s.blocks) > 0 {
		s.blocks[0].ended = true
		b = s.advance(b)
	}
	s.ended = true
	if s.finish == nil || s.finish.Reason == "" {
		s.finish = &scri.Finish{Reason: scri.FinishStop}
		s.e.lose(scri.WarnAdded, "choices/0/finish", "", stopEndTurn, "every answer has a reason for its end")
	}
	return s.messageStop(s.messageDelta(b))
}

// messageDelta appends how the answer ended.
func (s *streamEncoder) messageDelta(b []byte) []byte {
	var inner, outer, last dialect.Unknown
	if len(s.late) > 0 {
		m := wire.NewScanner(s.late)
		for name := range m.Members() {
			switch {
			case name == "context_management":
				outer.Add(m.Member())
			case strings.HasPrefix(name, "amazon-bedrock-"):
				last.Add(m.Member())
			default:
				inner.Add(m.Member())
			}
		}
	}
	s.late = last.Object()
	w := s.compose("message_delta")
	w.Key("delta")
	w.BeginObject()
	in := s.e.in("choices/0")
	s.e.finish(s.finish, s.called, func(string) bool { return false })
	s.e.out(in)
	w.Members(inner.Object())
	w.EndObject()
	w.Key("usage")
	s.e.usage(s.usage)
	s.counted()
	w.Members(outer.Object())
	w.EndObject()
	return s.frame(b, "message_delta")
}

// counted tells of zeros at the beginning that no count at the end takes back.
func (s *streamEncoder) counted() {
	u := s.usage
	if !s.zeroed || u == nil || u.Dialect != Name || len(u.Raw) == 0 { // else the counts are written one by one
		return
	}
	m := wire.NewScanner(u.Raw)
	if m.Peek("input_tokens") == nil || m.Peek("output_tokens") == nil {
		s.e.lose(scri.WarnAdded, "usage", "", "0", "every answer has counts here; not all were reported")
	}
}

func (s *streamEncoder) messageStop(b []byte) []byte {
	w := s.compose("message_stop")
	w.Members(s.late)
	w.EndObject()
	return s.frame(b, "message_stop")
}

// opaque passes on an event of this dialect as it came.
func (s *streamEncoder) opaque(b []byte, ev *scri.StreamEvent) []byte {
	own := ev.Ext.Of(Name)
	if own == nil || len(own.Members) == 0 {
		return b // a wire event of another dialect is no part of the answer
	}
	name := dialect.Word(wire.NewScanner(own.Members).Peek("type"))
	if !s.goesOn(name, own.Members) {
		return b
	}
	if s.begun { // else who answers is not known yet, and one must not be made up
		b = s.start(b)
	}
	s.e.w.B = append(s.e.w.B[:0], own.Members...)
	if strings.ContainsAny(name, "\r\n") {
		name = "" // it would end the event
	}
	return s.frame(b, name)
}

// goesOn reports whether an event that its decoder had no word for may stand between
// those that are written: what it is about must be there.
func (s *streamEncoder) goesOn(typ string, data []byte) bool {
	switch typ {
	case "content_block_delta":
		m := wire.NewScanner(data)
		index, err := strconv.Atoi(string(m.Peek("index")))
		kind := wire.NewScanner(m.Peek("delta")).Peek("type")
		return err == nil && deltaKind(kind) == "" && slices.ContainsFunc(s.blocks, func(k *block) bool { return k.index == index })
	case "message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop":
		return false
	default:
		return true
	}
}
