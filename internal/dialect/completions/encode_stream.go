package completions

import (
	"bytes"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of one streamed answer.
func (completions) EncodeStream(in *dialect.Incoming) dialect.StreamEncoder {
	s := &streamEncoder{req: in.Req, more: in.More, asked: in.Req != nil && formed(in.Req.Ext, "usage")}
	s.e.Own = Name
	return s
}

// streamEncoder writes one answer as chunks.
type streamEncoder struct {
	e       encoder // its buffer is where a chunk is put together
	req     *scri.ChatRequest
	more    []*scri.ChatRequest
	prompts []string // to be echoed
	each    int      // choices of one prompt

	asked   bool // the client wants the usage
	started bool
	head    scri.ChatResponse
	own     []byte // members of the answer for the first chunk
	late    []byte // and for the last
	belated bool   // the end says who answered, of which the beginning said less
	usage   *scri.Usage
	choices []spoken
	ended   bool
}

// spoken is what was told of one choice.
type spoken struct {
	index, tokens, offset int
	message, part         int // that spoke last
	words, echo           bool
	open                  []openPart
}

// openPart is a part that has begun.
type openPart struct {
	message, part int
	words         bool
}

// maxOpen bounds the parts and the choices that are looked after.
const maxOpen = 1024

// ContentType is that of server-sent events.
func (*streamEncoder) ContentType() string { return "text/event-stream" }

// Warnings are the losses so far.
func (s *streamEncoder) Warnings() []scri.Warning { return s.e.Warn }

// Ping appends a comment.
func (*streamEncoder) Ping(b []byte) []byte { return append(b, ": ping\n\n"...) }

// Event appends the chunks of one event.
func (s *streamEncoder) Event(b []byte, ev *scri.StreamEvent) []byte {
	if s.ended {
		return b
	}
	switch ev.Kind {
	case scri.EventStart:
		s.start(ev.Head)
	case scri.EventMessage:
		if ev.Open != nil {
			s.e.Part(ev.Choice, ev.Message, -1)
			s.e.envelope(ev.Open)
			s.e.Out(0)
		}
	case scri.EventPart:
		return s.part(b, ev)
	case scri.EventDelta:
		return s.delta(b, ev)
	case scri.EventPartEnd:
		s.partEnd(ev)
	case scri.EventUsage:
		s.count(ev.Usage)
	case scri.EventFinish:
		return s.finish(b, ev)
	case scri.EventDone:
		s.done(ev)
	case scri.EventOpaque:
		if own := ev.Ext.Of(Name); own != nil && len(own.Members) > 0 {
			s.e.w.B = append(s.e.w.B[:0], own.Members...)
			return s.frame(b)
		}
	case scri.EventPing:
		return s.Ping(b)
	case scri.EventError:
		return s.End(b, ev.Err)
	default: // warnings and seams have no words here
	}
	return b
}

// start keeps who answers.
func (s *streamEncoder) start(h *scri.ChatResponse) {
	if h == nil || s.started {
		return
	}
	s.started = true
	s.head = scri.ChatResponse{ID: h.ID, Model: h.Model, Created: h.Created, Lineage: h.Lineage, Ext: h.Ext.Clone()}
	if s.prompts = echoed(s.req, s.more, h); s.prompts != nil {
		s.each = s.req.N
	}
	s.req, s.more = nil, nil
	if own := s.head.Ext.Of(Name); own == nil {
		s.e.Foreign(h.Ext)
	} else {
		s.own = own.Members
	}
	if h.Usage != nil {
		s.usage = h.Usage.Clone()
	}
}

func (s *streamEncoder) at(i int) *spoken {
	for k := range s.choices {
		if s.choices[k].index == i {
			return &s.choices[k]
		}
	}
	if len(s.choices) >= maxOpen {
		s.choices = s.choices[1:]
	}
	s.choices = append(s.choices, spoken{index: i, message: -1})
	return &s.choices[len(s.choices)-1]
}

func (c *spoken) find(message, part int) *openPart {
	for k := range c.open {
		if c.open[k].message == message && c.open[k].part == part {
			return &c.open[k]
		}
	}
	return nil
}

func (s *streamEncoder) part(b []byte, ev *scri.StreamEvent) []byte {
	if ev.Whole == nil {
		return b
	}
	s.e.Part(ev.Choice, ev.Message, ev.Part)
	words := s.e.speaks(ev.Whole)
	s.e.Out(0)
	c := s.at(ev.Choice)
	if len(c.open) >= maxOpen {
		c.open = c.open[1:]
	}
	c.open = append(c.open, openPart{message: ev.Message, part: ev.Part, words: words})
	if !words || ev.Whole.Text.IsZero() {
		return b
	}
	return s.say(b, c, ev, ev.Whole.Text)
}

func (s *streamEncoder) delta(b []byte, ev *scri.StreamEvent) []byte {
	c := s.at(ev.Choice)
	p := c.find(ev.Message, ev.Part)
	if p == nil { // it began without an event, or is over
		p = &openPart{message: ev.Message, part: ev.Part, words: true}
		if !ev.Delta.IsZero() && len(c.open) < maxOpen {
			c.open = append(c.open, *p)
		}
	}
	s.e.Part(ev.Choice, ev.Message, ev.Part)
	if p.words {
		if ev.Citation != nil {
			s.e.once("citations", "a text has no citations here")
		}
		if ev.Signature != nil {
			s.e.once("signature", "nothing is signed here")
		}
	}
	s.e.Out(0)
	text := ev.Delta
	if !p.words {
		text = scri.Text{}
	}
	if text.IsZero() && len(ev.LogProbs) == 0 && ev.Ext.Of(Name) == nil {
		return b
	}
	return s.say(b, c, ev, text)
}

// say appends a chunk with a piece of a choice's text. A second part that speaks makes
// one text with the first.
func (s *streamEncoder) say(b []byte, c *spoken, ev *scri.StreamEvent, text scri.Text) []byte {
	if !text.IsZero() {
		if c.words && (c.message != ev.Message || c.part != ev.Part) {
			for _, m := range [...]int{c.message, ev.Message} {
				s.e.Part(ev.Choice, m, -1)
				s.e.joined()
				s.e.Out(0)
			}
		}
		c.words, c.message, c.part = true, ev.Message, ev.Part
	}
	b = s.echo(b, c)
	s.begin(c)
	s.e.w.Key("text")
	dialect.WriteText(&s.e.w, text)
	s.tokens(c, ev.LogProbs, ev.Ext)
	s.e.w.Key("finish_reason")
	s.e.w.Null()
	if own := ev.Ext.Of(Name); own != nil {
		s.e.others(own, len(ev.LogProbs) > 0, isPiece)
	}
	return s.end(b)
}

// echo appends the prompt that is to stand before the text of a choice.
func (s *streamEncoder) echo(b []byte, c *spoken) []byte {
	prompt := promptOf(s.prompts, c.index, s.each)
	if prompt == "" || c.echo {
		return b
	}
	c.echo, c.offset = true, utf8.RuneCountInString(prompt)
	s.begin(c)
	s.e.w.Key("text")
	s.e.w.Str(prompt)
	s.tokens(c, nil, nil)
	s.e.w.Key("finish_reason")
	s.e.w.Null()
	return s.end(b)
}

// isPiece reports whether a member of a chunk's choice is written from the event.
func isPiece(name string) bool {
	return name == "index" || name == "text" || name == "finish_reason"
}

func (s *streamEncoder) tokens(c *spoken, list []scri.TokenLogProb, x *scri.Ext) {
	if len(list) == 0 {
		if dialect.Member(x, Name, "logprobs") == nil {
			s.e.w.Key("logprobs")
			s.e.w.Null()
		}
		return
	}
	s.e.In("choices")
	s.e.At(c.index)
	s.e.logProbs(list, x, c.tokens, &c.offset)
	s.e.Out(0)
	c.tokens += len(list)
}

// open begins a chunk up to its list of choices.
func (s *streamEncoder) open() {
	s.e.w.B = append(s.e.w.B[:0], '{')
	s.e.head(&s.head)
	if own := s.own; len(own) > 0 {
		s.own = nil
		s.e.Ext(&s.e.w, &scri.Ext{Dialect: Name, Members: own}, isHead)
	}
	s.e.w.Key("choices")
	s.e.w.BeginArray()
}

// begin begins a chunk up to the members of its choice.
func (s *streamEncoder) begin(c *spoken) {
	s.open()
	s.e.w.BeginObject()
	s.e.w.Key("index")
	s.e.w.Int(int64(c.index))
}

// end ends a chunk of a choice.
func (s *streamEncoder) end(b []byte) []byte {
	s.e.w.EndObject()
	s.e.w.EndArray()
	s.e.w.EndObject()
	return s.frame(b)
}

// frame appends the chunk that was put together. Raw values may hold line ends.
func (s *streamEncoder) frame(b []byte) []byte {
	data := s.e.w.B
	b = append(b, "data: "...)
	if bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		b = wire.AppendCompact(b, data)
	} else {
		b = append(b, data...)
	}
	return append(b, '\n', '\n')
}

func (s *streamEncoder) partEnd(ev *scri.StreamEvent) {
	c := s.at(ev.Choice)
	for k := range c.open {
		if p := c.open[k]; p.message == ev.Message && p.part == ev.Part {
			if p.words {
				s.e.Part(ev.Choice, ev.Message, ev.Part)
				s.e.Homeless(ev.Ext)
				s.e.Out(0)
			}
			c.open = append(c.open[:k], c.open[k+1:]...)
			return
		}
	}
}

// finish appends the chunk that ends a choice.
func (s *streamEncoder) finish(b []byte, ev *scri.StreamEvent) []byte {
	c := s.at(ev.Choice)
	b = s.echo(b, c)
	f := ev.Finish
	if f == nil {
		f = new(scri.Finish)
	}
	s.begin(c)
	s.e.w.Key("text")
	s.e.w.Str("")
	offsets := ev.Ext.Of(Name) != nil && dialect.IsSlight(ev.Ext, "logprobs") // of tokens that were told with the text
	if offsets {
		s.tokens(c, ev.LogProbs, nil)
	} else {
		s.tokens(c, ev.LogProbs, ev.Ext)
	}
	s.e.In("choices")
	s.e.At(c.index)
	if f.Reason == "" {
		s.e.Tell(scri.WarnAdded, "finish/reason", "", "stop", "a stream must say that it is complete")
		f = &scri.Finish{Reason: scri.FinishStop}
	}
	s.e.w.Key("finish_reason")
	s.e.w.Str(s.e.finishWord(f))
	s.e.others(ev.Ext, offsets || len(ev.LogProbs) > 0, isPiece)
	s.e.Out(0)
	return s.end(b)
}

// count keeps the usage for the end.
func (s *streamEncoder) count(u *scri.Usage) {
	if u != nil {
		s.usage = u.Clone()
		s.e.estimated(u)
	}
}

func (s *streamEncoder) done(ev *scri.StreamEvent) {
	s.count(ev.Usage)
	h := ev.Head
	if h == nil {
		return
	}
	if s.head.ID == "" {
		s.head.ID, s.belated = h.ID, s.belated || h.ID != ""
	}
	if s.head.Model != "" {
		dialect.Belated(&s.e.Warn, &scri.ChatResponse{Model: s.head.Model}, &scri.ChatResponse{Model: h.Model}, Name)
	} else {
		s.head.Model, s.belated = h.Model, s.belated || h.Model != ""
	}
	if s.head.Created.IsZero() {
		s.head.Created, s.belated = h.Created, s.belated || !h.Created.IsZero()
	}
	if own := h.Ext.Of(Name); own == nil {
		s.e.Foreign(h.Ext)
	} else {
		s.late = bytes.Clone(own.Members)
	}
}

// End appends the end of the stream. Only a clean one has the last word.
func (s *streamEncoder) End(b []byte, err *scri.Error) []byte {
	if s.ended {
		return b
	}
	s.ended = true
	if err != nil {
		s.e.w.B = dialect.AppendOpenAIError(s.e.w.B[:0], err)
		return s.frame(b)
	}
	if counted := s.asked && s.usage != nil; counted || s.belated || len(s.late) > 0 {
		s.open()
		s.e.w.EndArray()
		if counted {
			dialect.WriteOpenAIUsage(&s.e.w, s.usage, Name)
		}
		if len(s.late) > 0 {
			s.e.Ext(&s.e.w, &scri.Ext{Dialect: Name, Members: s.late}, isHead)
		}
		s.e.w.EndObject()
		b = s.frame(b)
	}
	return append(b, "data: [DONE]\n\n"...)
}
