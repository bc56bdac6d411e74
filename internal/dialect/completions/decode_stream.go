package completions

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads a streamed answer.
func (completions) DecodeStream(a *dialect.Answer) scri.Stream {
	d := &streamDecoder{a: a, limit: a.Limit()}
	if !a.IsJSON() {
		d.frames = wire.NewSSE(a.Stream, d.limit)
	}
	return dialect.Orderly(d)
}

// streamDecoder reads one streamed answer. What a chunk says of the answer that the
// first did not goes to the last event; what is new in a choice, to its piece of
// text or its finish.
type streamDecoder struct {
	dialect.Events
	a      *dialect.Answer
	limit  int
	frames *wire.SSE // nil: the body is a whole answer

	s              wire.Scanner
	heard, started bool
	head, late     scri.ChatResponse
	oddly          dialect.Once
	known          []byte         // members that the first chunk had
	around         dialect.Layers // and those that came later
	choices        []heard
	use            dialect.OpenAIUsage
	counted        []byte
	junk           []byte // the first data that was no chunk
}

// heard is what came of one choice.
type heard struct {
	index                int
	opened, part, finish bool
	held                 *scri.Ext // what came before there was any text, or with the finish
	early                []scri.TokenLogProb
	tokens               bool   // some have come
	loose                []byte // and some that do not fit together
	ended                scri.Finish
}

// maxChoices bounds how many choices one answer may have.
const maxChoices = 1024

// Next returns the next event.
func (d *streamDecoder) Next() (*scri.StreamEvent, error) { return d.Events.Next(d) }

// Pending reports whether Next would not wait.
func (d *streamDecoder) Pending() bool {
	return d.Ready() || d.frames != nil && d.frames.Pending()
}

// ReadFrame reads the next frame and makes events of it.
func (d *streamDecoder) ReadFrame() {
	if d.frames == nil {
		d.ReadWhole(d.a, completions{}.DecodeResponse)
		return
	}
	f, err := d.frames.Next()
	switch {
	case err != nil:
		d.end(err)
	case f.Comment:
		d.Emit(scri.StreamEvent{Kind: scri.EventPing})
	default:
		d.frame(bytes.TrimSpace(f.Data))
	}
}

// complete reports whether every choice has its finish.
func (d *streamDecoder) complete() bool {
	for i := range d.choices {
		if !d.choices[i].finish {
			return false
		}
	}
	return len(d.choices) > 0
}

// end is what follows the last frame.
func (d *streamDecoder) end(err error) {
	if d.complete() {
		d.done()
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
		d.Fail(dialect.OpenAIErrorIn(bytes.Clone(body), Name))
		return true
	}
	if body[0] == '{' || body[0] == '[' {
		return false // cut
	}
	d.Fail(dialect.Unreadable(errors.New("it is no event stream")))
	return true
}

func (d *streamDecoder) done() {
	d.finishes()
	if around := d.around.Object(); around != nil {
		d.late.Ext = &scri.Ext{Dialect: Name, Members: around}
	}
	e := scri.StreamEvent{Kind: scri.EventDone, Head: &d.late, Finish: &d.choices[0].ended}
	for i := range d.choices {
		if d.choices[i].index == 0 {
			e.Finish = &d.choices[i].ended
		}
	}
	if d.counted != nil {
		e.Usage = &d.use.Usage
	}
	d.Emit(e)
	d.Fail(io.EOF)
}

func (d *streamDecoder) frame(data []byte) {
	if len(data) == 0 || data[0] != '{' {
		switch {
		case string(data) == "[DONE]":
			d.heard = true
			d.end(io.EOF)
		case len(data) > 0 && d.junk == nil:
			d.junk = bytes.Clone(data)
		}
		return
	}
	if err := wire.Valid(data); err != nil {
		d.broken(err)
		return
	}
	d.heard = true
	if d.s.Reset(data); dialect.OpenAIFailed(&d.s) {
		d.Fail(dialect.OpenAIErrorIn(bytes.Clone(data), Name))
		return
	}
	d.chunk()
}

// broken is about a chunk that is no JSON: the last one was cut off, any other is not
// what the dialect says.
func (d *streamDecoder) broken(cause error) {
	d.heard = true
	if _, err := d.frames.Next(); err != nil {
		d.end(err)
		return
	}
	e := dialect.Unreadable(cause)
	e.Dialect = Name
	d.Fail(e)
}

// chunk takes in the chunk at hand, of sound JSON.
func (d *streamDecoder) chunk() {
	var who scri.ChatResponse
	var u dialect.Unknown
	var choices, usage []byte
	s := &d.s
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null, name == "object" && s.Kind() == wire.String: // said of every chunk
			s.Skip()
		case name == "id" && s.Kind() == wire.String:
			who.ID = strings.Clone(s.Unquoted())
		case name == "model" && s.Kind() == wire.String:
			who.Model = strings.Clone(s.Unquoted())
		case name == "created" && s.Kind() == wire.Number:
			raw := s.Raw()
			if t, ok := dialect.Moment(whole(raw)); ok {
				who.Created = t
			} else if string(raw) != "0" { // no time
				d.odd(name, raw)
			}
		case name == "choices" && s.Kind() == wire.Array:
			choices = s.Raw()
		case name == "usage" && s.Kind() == wire.Object:
			usage = s.Raw()
		case isHead(name): // of no shape that it has
			d.odd(name, s.Raw())
		default:
			u.Add(s.Member())
		}
	}
	d.about(&who, u.Object(), len(choices) > 2)
	if choices != nil {
		d.told(choices)
	}
	if usage != nil && !bytes.Equal(usage, d.counted) {
		d.counted = bytes.Clone(usage)
		d.use.Read(s, d.counted, Name)
		d.Emit(scri.StreamEvent{Kind: scri.EventUsage, Usage: &d.use.Usage})
	}
}

// odd passes on a member of a chunk that is of another shape than it should be, once:
// the answer has a place for one of its name already.
func (d *streamDecoder) odd(name string, raw []byte) {
	if !d.oddly.First(name) {
		return
	}
	w := wire.Writer{B: []byte{'{'}}
	if name != "choices" {
		w.Key("choices")
		w.B = append(w.B, "[]"...)
	}
	w.Key(name)
	w.Raw(raw)
	w.EndObject()
	d.Emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: w.B}})
}

// misfit does so with a member of a choice.
func (d *streamDecoder) misfit(choice int, name string, raw []byte) {
	w := wire.Writer{B: []byte(`{"choices":[{`)}
	if name != "index" {
		w.Key("index")
		w.Int(int64(choice))
	}
	w.Key(name)
	w.Raw(raw)
	w.B = append(w.B, "}]}"...)
	d.Emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: w.B}})
}

// whole is a number that counts something; 0 for any other.
func whole(raw []byte) (n int64) {
	dialect.OpenAICount(wire.NewScanner(raw), &n)
	return n
}

// about takes in what a chunk says of the whole answer.
func (d *streamDecoder) about(who *scri.ChatResponse, members []byte, speaks bool) {
	if !d.started && (who.ID != "" || speaks) {
		d.started = true
		d.head = *who
		d.known = bytes.Clone(members)
		d.head.Ext = &scri.Ext{Dialect: Name, Members: dialect.MergeMembers(d.around.Object(), d.known)}
		d.around = dialect.Layers{}
		d.Emit(scri.StreamEvent{Kind: scri.EventStart, Head: &d.head})
		return
	}
	if d.head.ID == "" && d.late.ID == "" {
		d.late.ID = who.ID
	}
	if d.head.Model == "" && d.late.Model == "" {
		d.late.Model = who.Model
	}
	if d.head.Created.IsZero() && d.late.Created.IsZero() {
		d.late.Created = who.Created
	}
	if news := d.news(members); news != nil && d.around.Size()+len(news) <= d.limit {
		d.around.Add(news)
	}
}

// news are the members that the first chunk did not say in the same words.
func (d *streamDecoder) news(members []byte) []byte {
	if len(members) == 0 {
		return nil
	}
	var u dialect.Unknown
	s := wire.NewScanner(members)
	for name := range s.Members() {
		m := s.Mark()
		if v := s.Raw(); len(d.known) > 0 && bytes.Equal(wire.NewScanner(d.known).Peek(name), v) {
			continue
		}
		s.Rewind(m)
		u.Add(s.Member())
	}
	return u.Object()
}

// told makes events of the choices of a chunk. What is of another shape is passed on as it stands.
func (d *streamDecoder) told(choices []byte) {
	s := wire.NewScanner(choices)
	for range s.Elements() {
		m := s.Mark()
		if s.Kind() == wire.Object && d.piece(s) {
			continue
		}
		s.Rewind(m)
		raw := append(append([]byte(`{"choices":[`), s.Raw()...), "]}"...)
		d.Emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: &scri.Ext{Dialect: Name, Members: raw}})
	}
}

func (d *streamDecoder) at(i int) *heard {
	for k := range d.choices {
		if d.choices[k].index == i {
			return &d.choices[k]
		}
	}
	if len(d.choices) >= maxChoices {
		return nil
	}
	d.choices = append(d.choices, heard{index: i})
	return &d.choices[len(d.choices)-1]
}

// piece makes events of one choice of a chunk.
func (d *streamDecoder) piece(s *wire.Scanner) bool {
	var u dialect.Unknown
	var text scri.Text
	var list []scri.TokenLogProb
	i, finish := 0, ""
	var odd []string
	var odds [][]byte
	var loose []byte // log-probabilities that do not fit together
	for name := range s.Members() {
		switch {
		case s.Kind() == wire.Null:
			s.Skip()
		case name == "index" && s.Kind() == wire.Number:
			i = int(min(whole(s.Raw()), maxChoices))
		case name == "text" && s.Kind() == wire.String:
			text = scri.QuotedText(s.Str())
		case name == "finish_reason" && s.Kind() == wire.String:
			finish = strings.Clone(s.Unquoted())
		case name == "index", name == "text", name == "finish_reason": // of no shape that it has
			odd = append(odd, name)
			odds = append(odds, s.Raw())
		case name == "logprobs":
			var of dialect.Unknown
			m := s.Mark()
			if list = logProbs(s, &of, true); list != nil || !anyTokens(&of) {
				u.Put(of.Ext(Name))
				continue
			}
			s.Rewind(m)
			loose = s.Raw()
		default:
			u.Add(s.Member())
		}
	}
	c := d.at(i)
	if c == nil || s.Err() != nil {
		return false
	}
	for k, name := range odd {
		d.misfit(i, name, odds[k])
	}
	if !c.opened {
		c.opened = true
		d.Emit(scri.StreamEvent{Kind: scri.EventMessage, Choice: i, Open: &scri.Message{Role: scri.RoleAssistant}})
	}
	if loose != nil {
		d.apart(i, c, loose)
	}
	d.says(i, c, text, list, u.Ext(Name), finish)
	return true
}

// says makes events of what a piece says. A text is not begun for members or tokens
// alone: there may come none. What comes behind the finish, as some servers go on, is
// part of the choice all the same.
func (d *streamDecoder) says(i int, c *heard, text scri.Text, list []scri.TokenLogProb, x *scri.Ext, finish string) {
	x = both(c.held, x)
	c.tokens = c.tokens || len(list) > 0
	switch {
	case text.IsZero() && !c.part:
		if x == nil || len(x.Members) <= d.limit {
			c.held = x
		}
		if len(list) > 0 && len(c.early) < maxEarly {
			e := scri.StreamEvent{LogProbs: list}
			c.early = append(c.early, e.Clone().LogProbs...)
		}
	case text.IsZero() && len(list) == 0 && (x == nil || finish != ""):
		c.held = x
	default:
		if !c.part {
			c.part = true
			d.Emit(scri.StreamEvent{Kind: scri.EventPart, Choice: i, Whole: &scri.Part{Kind: scri.PartText}})
		}
		e := scri.StreamEvent{Kind: scri.EventDelta, Choice: i, Delta: text, LogProbs: append(c.early, list...)}
		if c.early, c.held = nil, nil; finish == "" {
			e.Ext = x
		} else {
			c.held = x
		}
		d.Emit(e)
	}
	if finish != "" && !c.finish {
		c.finish, c.ended = true, finishOf(finish)
	}
}

// apart keeps log-probabilities that do not fit together for the finish of the choice, but
// one of its pieces.
func (d *streamDecoder) apart(i int, c *heard, raw []byte) {
	if c.loose != nil {
		d.misfit(i, "logprobs", c.loose)
	}
	c.loose = bytes.Clone(raw)
}

// maxEarly bounds how many tokens wait for the text that they are of.
const maxEarly = 4096

// finishes ends the choices.
func (d *streamDecoder) finishes() {
	for i := range d.choices {
		c := &d.choices[i]
		switch {
		case c.loose == nil:
		case c.tokens: // the choice has others
			d.misfit(c.index, "logprobs", c.loose)
		default:
			c.held = both(c.held, &scri.Ext{Dialect: Name, Members: append(append([]byte(`{"logprobs":`), c.loose...), '}')})
		}
		if c.part {
			d.Emit(scri.StreamEvent{Kind: scri.EventPartEnd, Choice: c.index})
		}
		d.Emit(scri.StreamEvent{Kind: scri.EventFinish, Choice: c.index, Finish: &c.ended, LogProbs: c.early, Ext: c.held})
	}
}

// both lays what a later chunk had over what an earlier one had.
func both(before, after *scri.Ext) *scri.Ext {
	switch {
	case before == nil:
		return after
	case after == nil:
		return before
	}
	x := &scri.Ext{Dialect: Name, Members: dialect.MergeMembers(before.Members, after.Members), Form: after.Form}
	if x.Form == "" {
		x.Form = before.Form
	}
	return x
}
