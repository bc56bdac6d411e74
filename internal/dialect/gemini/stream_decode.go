package gemini

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads a streamed answer in either of its forms: server-sent events,
// or one list of pieces.
func (gemini) DecodeStream(a *dialect.Answer) scri.Stream {
	limit := a.MaxFrame
	if limit <= 0 {
		limit = dialect.DefaultMaxFrame
	}
	d := &streamDecoder{a: a, limit: limit, sse: wire.NewSSE(a.Stream, limit)}
	d.piece.quiet = true
	return dialect.Orderly(d)
}

type streamDecoder struct {
	a     *dialect.Answer
	limit int
	sse   *wire.SSE

	model, renamed string           // who answers, and who did at last if it is another
	frames         wire.FrameReader // nil until it is known what comes
	closed         atomic.Bool

	piece answer
	queue []scri.StreamEvent
	next  int
	err   error // what follows the queue

	begun   bool
	junk    []byte // the first data that was no JSON
	choices []*spoken
	usage   []byte // the latest
	told    []byte // the one that was told last
	counts  *scri.Usage

	uncounted []byte         // counts that nobody knows, in an object
	late      dialect.Layers // members of the answer that came after its beginning
	scratch   []byte
}

// spoken is what has come of one choice.
type spoken struct {
	index    int
	opened   bool
	part     int           // the latest; -1 = none
	open     scri.PartKind // of the part that is open; "" = none
	sealed   bool          // its signature has come
	text     int           // the latest part that is a text; -1 = none
	place    runeIndex     // of the text
	untold   bool          // the metadata say more than the citations
	called   bool
	finished bool
	finish   scri.Finish
	rest     dialect.Layers // members of the choice
	sources  [][]byte       // what came of its grounding
	early    []scri.TokenLogProb
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
			d.look()
		}
		d.queue, d.next = d.queue[:0], 0
		f, err := d.frames.Next()
		switch {
		case err != nil:
			d.end(err)
		case f.Comment:
			d.emit(scri.EventPing)
		default:
			d.frame(f.Data)
		}
	}
}

// look finds out which form the stream has by how it begins.
func (d *streamDecoder) look() {
	d.frames = d.sse
	for n := 1; ; n++ {
		head, err := d.sse.Look(n)
		if text := bytes.TrimLeft(head, " \t\r\n"); len(text) > 0 {
			if text[0] == '[' || text[0] == '{' {
				d.frames = wire.NewJSONArray(io.MultiReader(bytes.NewReader(bytes.Clone(head)), d.a.Stream), d.limit)
			}
			return
		}
		if err != nil {
			return
		}
		n = len(head)
	}
}

// Pending reports whether Next would not wait.
func (d *streamDecoder) Pending() bool {
	return d.next < len(d.queue) || d.err != nil || d.frames != nil && d.frames.Pending()
}

// Close ends the stream.
func (d *streamDecoder) Close() error {
	d.closed.Store(true)
	return nil
}

func (d *streamDecoder) emit(k scri.EventKind) *scri.StreamEvent {
	d.queue = append(d.queue, scri.StreamEvent{Kind: k})
	return &d.queue[len(d.queue)-1]
}

func (d *streamDecoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// end is what follows the last frame.
func (d *streamDecoder) end(err error) {
	if d.begun && len(d.choices) > 0 && !slices.ContainsFunc(d.choices, func(c *spoken) bool { return !c.finished }) {
		d.done()
		return
	}
	if errors.Is(err, io.EOF) && !d.begun {
		text := bytes.TrimSpace([]byte(d.sse.GarbageText()))
		if len(text) == 0 {
			text = d.junk
		}
		if len(text) > 0 && !bytes.HasPrefix([]byte("data:"), text) && !bytes.HasPrefix([]byte("event:"), text) {
			d.fail(dialect.Unreadable(errors.New("it is no event stream")))
			return
		}
	}
	d.tell()
	d.fail(dialect.BrokenOff(err))
}

// tell passes on the counts, if they are new.
func (d *streamDecoder) tell() {
	if len(d.usage) == 0 || bytes.Equal(d.usage, d.told) {
		return
	}
	d.told = append(d.told[:0], d.usage...)
	u := decodeUsage(bytes.Clone(d.usage))
	if u == nil { // it counts nothing that anybody knows
		d.uncounted = append(append([]byte(`{"usageMetadata":`), d.usage...), '}')
		return
	}
	d.counts = u
	d.emit(scri.EventUsage).Usage = u
}

func (d *streamDecoder) done() {
	d.tell()
	switch {
	case d.uncounted == nil:
	case d.counts == nil:
		d.addLate(d.uncounted)
	default: // the answer has counts
		d.emit(scri.EventOpaque).Ext = &scri.Ext{Dialect: Name, Members: d.uncounted}
	}
	head := &scri.ChatResponse{Model: d.renamed}
	if late := d.late.Object(); late != nil {
		head.Ext = &scri.Ext{Dialect: Name, Members: late}
	}
	e := d.emit(scri.EventDone)
	e.Head, e.Usage = head, d.counts
	for _, c := range d.choices {
		if c.index == 0 {
			e.Finish = &c.finish
		}
	}
	d.fail(io.EOF)
}

// addLate keeps members of the answer that came after its beginning.
func (d *streamDecoder) addLate(obj scri.RawJSON) {
	if obj != nil && d.late.Size()+len(obj) <= d.limit {
		d.late.Add(obj)
	}
}

func (d *streamDecoder) frame(data []byte) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' {
		if d.junk == nil && string(data) != "[DONE]" {
			d.junk = bytes.Clone(data)
		}
		return
	}
	p := &d.piece
	p.reset(data)
	if !d.begun {
		p.ids.Prefix = idsOf(strings.Clone(dialect.Word(p.Peek("responseId"))))
	}
	if err := p.read(); err != nil {
		d.broken(err)
		return
	}
	if p.err != nil && !p.listed {
		d.tell()
		d.fail(decodeError(d.a, data))
		return
	}
	if p.usage != nil {
		d.usage = append(d.usage[:0], p.usage...)
	}
	d.head()
	for i := range p.cands {
		d.candidate(i, &p.cands[i])
	}
	for i := range p.cands {
		d.finish(d.at(i, &p.cands[i]), &p.cands[i])
	}
	if p.block != nil && len(p.cands) == 0 {
		d.blocked()
	}
}

// broken is about an event that is no JSON: the last one was cut off, any other
// is not what the dialect says.
func (d *streamDecoder) broken(cause error) {
	if _, err := d.frames.Next(); err != nil {
		d.begun = true
		d.end(err)
		return
	}
	d.fail(dialect.Unreadable(cause))
}

// head begins the answer with the first piece, and keeps what later ones have
// beside their candidates.
func (d *streamDecoder) head() {
	p := &d.piece
	if p.err != nil {
		p.rest.Add(append([]byte(`"error":`), p.err...))
	}
	switch {
	case p.block != nil && len(p.cands) == 0:
		addNested(&p.rest, "promptFeedback", &p.feedback)
	case p.block != nil:
		p.rest.Add(append([]byte(`"promptFeedback":`), p.feedbackObject()...))
	}
	if d.begun {
		d.addLate(p.rest.Object())
		if p.model != "" && p.model != d.model {
			d.model = strings.Clone(p.model)
			d.renamed = d.model
		}
		return
	}
	d.begun, d.model = true, strings.Clone(p.model)
	head := &scri.ChatResponse{ID: strings.Clone(p.id), Model: strings.Clone(p.model)}
	if t, err := time.Parse(time.RFC3339Nano, p.created); err == nil {
		head.Created = t.UTC()
	}
	if p.block != nil && len(p.cands) == 0 {
		p.rest.Form("blocked")
	}
	head.Ext = p.rest.Ext(Name)
	d.emit(scri.EventStart).Head = head
}

// blocked ends the answer to a prompt that was not taken.
func (d *streamDecoder) blocked() {
	c := d.choice(0)
	if c.finished {
		return
	}
	d.tell()
	c.finished, c.finish = true, d.piece.blocked()
	c.finish.Raw, c.finish.Detail = strings.Clone(c.finish.Raw), strings.Clone(c.finish.Detail)
	d.emit(scri.EventFinish).Finish = &c.finish
}

func (d *streamDecoder) at(i int, c *candidate) *spoken {
	if c.index >= 0 {
		i = int(c.index)
	}
	return d.choice(i)
}

func (d *streamDecoder) choice(index int) *spoken {
	for _, c := range d.choices {
		if c.index == index {
			return c
		}
	}
	c := &spoken{index: index, part: -1, text: -1}
	d.choices = append(d.choices, c)
	return c
}

// candidate passes on what a piece has of a choice, less its end.
func (d *streamDecoder) candidate(i int, c *candidate) {
	s := d.at(i, c)
	if s.finished {
		d.afterwards(s, c)
		return
	}
	if c.content {
		d.open(s, c)
	}
	last := -1 // event of the latest text
	for j := range c.parts {
		if at := d.part(s, &c.parts[j]); at >= 0 {
			last = at
		}
	}
	switch {
	case len(c.tokens) == 0:
	case last >= 0:
		d.queue[last].LogProbs = append(s.early, c.tokens...)
		s.early = nil
	case len(s.early) < maxEarly:
		for k := range c.tokens {
			e := scri.StreamEvent{LogProbs: c.tokens[k : k+1]}
			s.early = append(s.early, e.Clone().LogProbs...)
		}
	}
	if c.sources != nil || c.recited != nil {
		d.cite(s, c)
	}
	if obj := c.rest.Object(); obj != nil && s.rest.Size()+len(obj) <= d.limit {
		s.rest.Add(obj)
	}
}

// maxEarly bounds how many tokens wait for what they are about.
const maxEarly = 4096

// afterwards passes on what came of a choice that had ended.
func (d *streamDecoder) afterwards(s *spoken, c *candidate) {
	obj := c.rest.Object()
	if obj == nil {
		return
	}
	w := wire.Writer{B: []byte(`{"candidates":[{"index":`)}
	w.Int(int64(s.index))
	w.Members(obj)
	w.B = append(w.B, "}]}"...)
	d.emit(scri.EventOpaque).Ext = &scri.Ext{Dialect: Name, Members: w.B}
}

// open begins the message of a choice.
func (d *streamDecoder) open(s *spoken, c *candidate) {
	if s.opened {
		if obj := c.inside.Object(); obj != nil {
			addNested(&c.rest, "content", &c.inside)
		}
		return
	}
	if len(c.parts) == 0 && c.inside.Empty() {
		return
	}
	s.opened = true
	open := &scri.Message{Role: scri.RoleAssistant}
	if c.said && c.role != roleModel {
		open.Role = scri.Role(strings.Clone(c.role))
		c.inside.Form("raw")
	}
	open.Ext = c.inside.Ext(Name)
	e := d.emit(scri.EventMessage)
	e.Choice, e.Open = s.index, open
}

// finish ends a choice, if the piece does.
func (d *streamDecoder) finish(s *spoken, c *candidate) {
	reason := reasonOf(c.finish, s.called)
	if s.finished || reason == "" {
		return
	}
	d.close(s)
	d.tell()
	s.finished = true
	s.finish = scri.Finish{Reason: reason, Raw: strings.Clone(c.finish), Dialect: Name, Detail: strings.Clone(c.detail)}
	e := d.emit(scri.EventFinish)
	e.Choice, e.Finish, e.LogProbs = s.index, &s.finish, s.early
	if rest := s.rest.Object(); rest != nil {
		e.Ext = &scri.Ext{Dialect: Name, Members: rest}
		if len(s.sources) > 0 && !s.untold {
			e.Ext.Form = told
		}
	}
}
