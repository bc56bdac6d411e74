package ollama

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// DecodeStream reads an answer that comes line by line.
func (ollama) DecodeStream(a *dialect.Answer) scri.Stream {
	limit := a.MaxFrame
	if limit <= 0 {
		limit = dialect.DefaultMaxFrame
	}
	return dialect.Orderly(&stream{frames: wire.NewNDJSON(a.Stream, limit), status: a.Status, header: a.Header, part: -1})
}

// stream makes events of lines. What an event points to lies in the line, in
// the stream, or is its own.
type stream struct {
	frames *wire.NDJSON
	status int
	header http.Header

	s     wire.Scanner
	quick quick
	a     answer
	odd   dialect.Unknown // members of the line at hand that do not fit
	model string          // as the first line named it
	ids   dialect.CallIDs
	queue []scri.StreamEvent
	given int // of the queue
	err   error

	started, called, done bool
	open                  scri.PartKind // of the part that is open; "" = none
	part                  int           // index of the latest part; -1 before the first
	early                 []scri.TokenLogProb

	first []byte // lines of an object that is written over several, as errors may be

	// What events point to.
	thought, text scri.Part
	finish        scri.Finish
}

// Close ends nothing: the source belongs to somebody else.
func (d *stream) Close() error { return nil }

// Pending reports whether an event is in memory.
func (d *stream) Pending() bool {
	return d.given < len(d.queue) || d.err != nil || !d.done && d.frames.Pending()
}

// Next returns the next event.
func (d *stream) Next() (*scri.StreamEvent, error) {
	for {
		if d.given < len(d.queue) {
			e := &d.queue[d.given]
			d.given++
			return e, nil
		}
		d.queue, d.given = d.queue[:0], 0
		if d.err != nil {
			return nil, d.err
		}
		if d.done {
			d.drain()
			d.err = io.EOF
			return nil, d.err
		}
		f, err := d.frames.Next()
		if err != nil {
			d.err = dialect.BrokenOff(err)
			return nil, d.err
		}
		d.err = d.line(f.Data)
	}
}

// drain reads on to the end, so that the connection can serve again. What could
// go wrong after the end of the answer does not matter; what goes on without an
// end is left alone.
func (d *stream) drain() {
	for range 16 {
		if _, err := d.frames.Next(); err != nil {
			return
		}
	}
}

// line reads one line and queues its events.
func (d *stream) line(data []byte) error {
	if d.started && d.quickly(data) {
		return nil
	}
	if len(d.first) > 0 {
		d.first = append(append(d.first, '\n'), data...)
		data = d.first
	}
	d.a.reset()
	d.odd, d.a.odd = dialect.Unknown{}, &d.odd
	d.s.Reset(data)
	if !d.started {
		d.ids.Prefix = idsOf(peekString(&d.s, "created_at"))
	}
	if err := d.a.read(&d.s, false, &d.ids); err != nil {
		return d.garbage(err, data)
	}
	d.first = nil
	if d.a.err != nil {
		return failure(d.status, d.header, slices.Clone(data))
	}
	if !d.a.done { // numbers of no answer
		addMembers(&d.a.rest, d.a.metrics.Object())
	}
	if !d.started {
		d.start(data)
	} else {
		d.unknown()
	}
	if obj := d.odd.Object(); obj != nil { // the answer has a place for one of its name already
		d.event(scri.EventOpaque).Ext = &scri.Ext{Dialect: Name, Members: obj}
	}
	d.content()
	if d.a.done {
		d.end()
	}
	return nil
}

// maxFirst bounds an object that is written over several lines.
const maxFirst = 64 << 10

// garbage is the error about a line that is no JSON: half a line at the end, or
// no line of Ollama's. The first one may go on in the next.
func (d *stream) garbage(err error, data []byte) error {
	if !d.started && len(data) < maxFirst && data[0] == '{' {
		if len(d.first) == 0 {
			d.first = slices.Clone(data)
		}
		return nil
	}
	if d.started {
		if _, end := d.frames.Next(); end != nil {
			return dialect.BrokenOff(end)
		}
	}
	return dialect.Unreadable(err)
}

func (d *stream) event(k scri.EventKind) *scri.StreamEvent {
	d.queue = append(d.queue, scri.StreamEvent{Kind: k})
	return &d.queue[len(d.queue)-1]
}

// start begins the answer and its message. The members that each line repeats
// belong to the head, those of the first line alone too.
func (d *stream) start(line []byte) {
	d.started = true
	d.quick.learn(line)
	a := &d.a
	d.model = strings.Clone(a.model)
	head := &scri.ChatResponse{Model: strings.Clone(a.model)}
	var u dialect.Unknown
	a.head(head, &u)
	for _, o := range []scri.RawJSON{a.remote.Object(), a.restUnlessDone()} {
		addMembers(&u, o)
	}
	if head.Ext = u.Ext(Name); head.Ext != nil {
		head.Ext.Form = strings.Clone(head.Ext.Form)
	}
	d.event(scri.EventStart).Head = head
	open := &scri.Message{Role: scri.RoleAssistant}
	if a.msg.role != "" {
		open.Role = known(strings.Clone(a.msg.role))
	}
	if o := a.msg.rest.Object(); o != nil {
		open.Ext = &scri.Ext{Dialect: Name, Members: o}
	}
	d.event(scri.EventMessage).Open = open
}

func (a *answer) restUnlessDone() scri.RawJSON {
	if a.done {
		return nil
	}
	return a.rest.Object()
}

func addMembers(u *dialect.Unknown, obj scri.RawJSON) {
	if len(obj) == 0 {
		return
	}
	s := wire.NewScanner(obj)
	for range s.Members() {
		u.Add(s.Member())
	}
}

// unknown passes on what a later line has beside its content.
func (d *stream) unknown() {
	var u dialect.Unknown
	addMembers(&u, d.a.restUnlessDone())
	addNested(&u, "message", &d.a.msg.rest)
	if !u.Empty() {
		d.event(scri.EventOpaque).Ext = &scri.Ext{Dialect: Name, Members: u.Object()}
	}
}

// content queues what the line says.
func (d *stream) content() {
	m := &d.a.msg
	probs := d.a.logprobs
	if !m.thinking.IsZero() {
		d.delta(scri.PartThinking, m.thinking, probs)
		probs = nil
	}
	if !m.content.IsZero() {
		d.delta(scri.PartText, m.content, probs)
		probs = nil
	}
	for _, data := range m.images {
		p := image(data)
		d.one(&p)
	}
	for i := range m.calls {
		d.called = true
		if c := m.calls[i].Call; c != nil { // strings of an event outlive its line
			c.ID, c.Name, c.Type = strings.Clone(c.ID), strings.Clone(c.Name), strings.Clone(c.Type)
		}
		d.one(&m.calls[i])
	}
	if len(probs) == 0 {
		return
	}
	if d.open != "" {
		e := d.event(scri.EventDelta)
		e.Part, e.LogProbs = d.part, probs
		return
	}
	// Nothing was said yet: they wait for what will be, in bytes of their own.
	e := scri.StreamEvent{LogProbs: probs}
	if d.early = append(d.early, e.Clone().LogProbs...); len(d.early) >= maxEarly {
		d.delta(scri.PartText, scri.Text{}, nil) // which is then of nothing
	}
}

// maxEarly bounds how many tokens wait for what they are about.
const maxEarly = 4096

// delta goes on with the open part, or opens one.
func (d *stream) delta(k scri.PartKind, t scri.Text, probs []scri.TokenLogProb) {
	if d.open != k {
		d.close()
		d.part++
		d.open = k
		whole := &d.text
		if k == scri.PartThinking {
			whole = &d.thought
		}
		*whole = scri.Part{Kind: k}
		e := d.event(scri.EventPart)
		e.Part, e.Whole = d.part, whole
	}
	if len(d.early) > 0 {
		probs = append(d.early, probs...)
		d.early = nil
	}
	e := d.event(scri.EventDelta)
	e.Part, e.Delta, e.LogProbs = d.part, t, probs
}

// one queues a part that came whole.
func (d *stream) one(p *scri.Part) {
	d.close()
	d.part++
	e := d.event(scri.EventPart)
	e.Part, e.Whole = d.part, p
	d.event(scri.EventPartEnd).Part = d.part
}

func (d *stream) close() {
	if d.open != "" {
		d.event(scri.EventPartEnd).Part = d.part
		d.open = ""
	}
}

// end queues the end of the answer.
func (d *stream) end() {
	d.close()
	d.done = true
	d.finish = d.a.finish(d.called)
	d.finish.Raw = strings.Clone(d.finish.Raw)
	u := d.a.usage()
	if u != nil {
		d.event(scri.EventUsage).Usage = u
	}
	e := d.event(scri.EventFinish)
	e.Finish, e.LogProbs = &d.finish, d.early
	head := new(scri.ChatResponse)
	if d.a.model != d.model {
		head.Model = strings.Clone(d.a.model)
	}
	if o := d.a.rest.Object(); o != nil {
		head.Ext = &scri.Ext{Dialect: Name, Members: o}
	}
	e = d.event(scri.EventDone)
	e.Head, e.Usage, e.Finish = head, u, &d.finish
}
