package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/scri"
)

// Orderly gives the events of a decoder in the order in which a stream has them,
// whatever order the provider told them in, so that each encoder need know no other:
//
//   - the answer begins once; what a second beginning tells comes with the last event;
//   - messages and parts are numbered as they begin, and begin with an event;
//   - a text, thought or refusal has nothing after it while it goes on: more text of one
//     behind which another part has begun is a part of its own;
//   - parts end once, and calls in the order in which they have begun;
//   - the finishes come behind all content, just before the last event.
//
// Arguments for a call that is over cannot be told to anybody: they make the stream
// unreadable, and so does more than can be kept for the end. An end before each choice
// that spoke has its finish is truncated.
//
// Events that are in order pass as they are. It takes over s, and has one user as any
// stream has.
func Orderly(s scri.Stream) scri.Stream { return &orderly{s: s} }

type orderly struct {
	s     scri.Stream
	queue []scri.StreamEvent // goes before e
	next  int
	e     *scri.StreamEvent // of s, still to be given
	end   error             // what follows

	closed atomic.Bool

	told    bool // something of the answer was given, so that it has begun
	again   *toldAgain
	choices []*choiceOrder
	last    *partOrder // of the delta before, if the same may pass
	spoke   *choiceOrder
}

// choiceOrder is how far a choice has come.
type choiceOrder struct {
	number  int  // of the choice
	message int  // as the source numbers it
	out     int  // as it is given
	open    bool // it has begun
	parts   []*partOrder
	next    int // number of the next part
	finish  *scri.StreamEvent
	ext     *layeredExt // of several finishes
}

// partOrder is a part of the message at hand.
type partOrder struct {
	number int // as the source numbers it
	out    int // as it is given
	kind   scri.PartKind
	over   bool              // its end has come
	held   *scri.StreamEvent // the end of a call, which waits for those of the calls before it
	gone   bool              // its end was given
}

// Bounds of the parts of a message that are remembered: of those that are over, and of
// those that are not, or whose end waits.
const (
	maxParts = 256
	mostOpen = 4096
)

// Next returns the next event.
func (o *orderly) Next() (*scri.StreamEvent, error) {
	for {
		switch {
		case o.closed.Load():
			return nil, &scri.Error{Kind: scri.ErrCanceled, Message: "the stream was closed"}
		case o.next < len(o.queue):
			o.next++
			return &o.queue[o.next-1], nil
		case o.e != nil:
			e := o.e
			o.e = nil
			return e, nil
		case o.end != nil:
			return nil, o.end
		}
		o.queue, o.next = o.queue[:0], 0
		e, err := o.s.Next()
		if err != nil {
			o.ended(err)
			continue
		}
		if e.Kind == scri.EventDelta && o.last != nil && e.Part == o.last.number && e.Message == o.spoke.message && e.Choice == o.spoke.number {
			e.Message, e.Part = o.spoke.out, o.last.out
			return e, nil
		}
		o.last = nil
		o.take(e)
	}
}

// Pending reports whether Next would not wait.
func (o *orderly) Pending() bool {
	return o.next < len(o.queue) || o.e != nil || o.end != nil || scri.Pending(o.s)
}

// Close ends the stream.
func (o *orderly) Close() error {
	o.closed.Store(true)
	return o.s.Close()
}

func (o *orderly) emit(e scri.StreamEvent) { o.queue = append(o.queue, e) }

func (o *orderly) fail(err error) {
	if o.end == nil {
		o.end = err
	}
}

// take puts the next event of the source in order.
func (o *orderly) take(e *scri.StreamEvent) {
	switch e.Kind {
	case scri.EventStart:
		if o.told {
			o.belated(e.Head)
			return
		}
		o.told = true
	case scri.EventMessage:
		o.message(e)
		return
	case scri.EventPart:
		o.begin(e)
		return
	case scri.EventDelta:
		o.delta(e)
		return
	case scri.EventPartEnd:
		o.partEnd(e)
		return
	case scri.EventFinish:
		o.finish(e)
		return
	case scri.EventDone:
		o.done(e)
		return
	default:
	}
	o.e = e
}

func (o *orderly) choice(number int) *choiceOrder {
	for _, c := range o.choices {
		if c.number == number {
			return c
		}
	}
	c := &choiceOrder{number: number, out: -1}
	o.choices = append(o.choices, c)
	return c
}

// message begins a message, unless it is the one at hand that begins once more, and
// nothing of it would be news.
func (o *orderly) message(e *scri.StreamEvent) {
	o.told = true
	c := o.choice(e.Choice)
	if c.open && c.message == e.Message && unnamed(e.Open) {
		return
	}
	o.openMessage(c, e.Message)
	e.Message = c.out
	o.e = e
}

// unnamed reports whether a message says no more of its speaker than one that begins
// without an event.
func unnamed(m *scri.Message) bool {
	return m == nil || (m.Role == scri.RoleAssistant || m.Role == "") && m.ID == "" && m.Name == "" && (m.Ext == nil || len(m.Ext.Members) == 0 && m.Ext.Form == "")
}

func (o *orderly) openMessage(c *choiceOrder, number int) {
	o.endAll(c)
	c.message, c.open = number, true
	c.out++
	c.parts, c.next = c.parts[:0], 0
}

// at is the choice of an event whose message has begun.
func (o *orderly) at(e *scri.StreamEvent) *choiceOrder {
	o.told = true
	c := o.choice(e.Choice)
	if !c.open || c.message != e.Message {
		o.openMessage(c, e.Message)
		if c.out == 0 {
			return c // as who reads it will take it for one, too
		}
		o.emit(scri.StreamEvent{Kind: scri.EventMessage, Choice: c.number, Message: c.out, Open: &scri.Message{Role: scri.RoleAssistant}})
	}
	return c
}

func (c *choiceOrder) find(number int) *partOrder {
	for _, p := range slices.Backward(c.parts) {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (o *orderly) add(c *choiceOrder, number int, kind scri.PartKind) *partOrder {
	if len(c.parts) >= maxParts {
		if i := slices.IndexFunc(c.parts, func(p *partOrder) bool { return p.gone }); i >= 0 {
			c.parts = slices.Delete(c.parts, i, i+1)
		} else if len(c.parts) >= mostOpen {
			o.fail(Unreadable(fmt.Errorf("more than %d parts of a message are open at once", mostOpen)))
		}
	}
	p := &partOrder{number: number, out: c.next, kind: kind}
	c.parts = append(c.parts, p)
	c.next++
	return p
}

// begin begins a part.
func (o *orderly) begin(e *scri.StreamEvent) {
	c := o.at(e)
	if p := c.find(e.Part); p != nil && !p.over {
		o.over(c, p, nil) // its end was left out
	}
	kind := scri.PartText
	if e.Whole != nil {
		kind = e.Whole.Kind
	}
	p := o.add(c, e.Part, kind)
	e.Message, e.Part = c.out, p.out
	o.e = e
}

// delta goes on with a part, or begins one if there is none that may go on. Sources of
// a text and its signature may come when something else has begun, or it is over.
func (o *orderly) delta(e *scri.StreamEvent) {
	c := o.at(e)
	p := c.find(e.Part)
	switch {
	case p == nil:
		p = o.add(c, e.Part, scri.PartText) // as who reads it will take it for one, too
	case e.Delta.IsZero() || p.out == c.next-1 && !p.over:
	case sequential(p.kind):
		if !p.over {
			o.over(c, p, nil)
		}
		p = o.add(c, e.Part, p.kind)
		o.emit(scri.StreamEvent{Kind: scri.EventPart, Choice: c.number, Message: c.out, Part: p.out, Whole: &scri.Part{Kind: p.kind}})
	case p.over:
		o.fail(Unreadable(errors.New("there is more of a part that is over")))
		return
	default:
	}
	e.Message, e.Part = c.out, p.out
	o.e = e
	if !p.over && (p.out == c.next-1 || !sequential(p.kind)) {
		o.last, o.spoke = p, c
	}
}

// sequential reports whether a part of the kind is told word by word to whoever
// reads, so that nothing can come between.
func sequential(kind scri.PartKind) bool {
	return kind == scri.PartText || kind == scri.PartThinking || kind == scri.PartRefusal
}

// partEnd ends a part. The second end of one has nothing to say but what is in its
// Ext, which is news of the part all the same.
func (o *orderly) partEnd(e *scri.StreamEvent) {
	c := o.choice(e.Choice)
	var p *partOrder
	if c.open && c.message == e.Message {
		p = c.find(e.Part)
	}
	switch {
	case p != nil && !p.over:
		o.over(c, p, e)
	case e.Ext != nil && len(e.Ext.Members) > 0: // the end of nothing, which somebody may know
		o.emit(scri.StreamEvent{Kind: scri.EventOpaque, Ext: e.Ext})
	}
}

// over ends a part, and gives the ends that have waited for it.
func (o *orderly) over(c *choiceOrder, p *partOrder, end *scri.StreamEvent) {
	p.over = true
	p.held = &scri.StreamEvent{Kind: scri.EventPartEnd, Choice: c.number, Message: c.out, Part: p.out}
	if end != nil {
		p.held.Ext = end.Ext
	}
	waits := false // for a call before it
	for _, q := range c.parts {
		waits = waits || q.kind == scri.PartToolCall && !q.over
		if q.held != nil && (!waits || q.kind != scri.PartToolCall) {
			q.gone = true
			o.emit(*q.held)
			q.held = nil
		}
	}
	if p.held != nil {
		p.held = p.held.Clone() // it outlives the event
	}
}

// endAll ends the parts of the message at hand.
func (o *orderly) endAll(c *choiceOrder) {
	for _, p := range c.parts {
		if !p.over {
			o.over(c, p, nil)
		}
	}
}

// finishes gives the ends of all parts and the finishes of all choices, and reports
// whether each choice that spoke has one.
func (o *orderly) finishes() bool {
	for _, c := range o.choices {
		if c.finish == nil || c.finish.Finish == nil {
			return false
		}
	}
	for _, c := range o.choices {
		o.endAll(c)
	}
	slices.SortStableFunc(o.choices, func(a, b *choiceOrder) int { return cmp.Compare(a.number, b.number) })
	for _, c := range o.choices {
		if c.ext != nil {
			c.finish.Ext = c.ext.join()
		}
		o.emit(*c.finish)
	}
	return true
}

// spokeFirst reports whether there is a first choice, or none at all.
func (o *orderly) spokeFirst() bool {
	return len(o.choices) == 0 || slices.ContainsFunc(o.choices, func(c *choiceOrder) bool { return c.number == 0 })
}

// done ends the answer.
func (o *orderly) done(e *scri.StreamEvent) {
	if f := e.Finish; f != nil && *f != (scri.Finish{}) && o.spokeFirst() {
		c := o.choice(0)
		if c.finish == nil {
			c.finish = &scri.StreamEvent{Kind: scri.EventFinish}
		}
		c.finish.Finish = f // the last word
	} else {
		e.Finish = nil
	}
	if !o.finishes() {
		o.fail(BrokenOff(io.EOF))
		return
	}
	if o.begunAgain() {
		o.belated(e.Head)
		e.Head = o.again.late()
	}
	o.e = e
	o.fail(io.EOF)
}

// ended is about the end of the source.
func (o *orderly) ended(err error) {
	if !scri.Ended(err) {
		o.fail(err)
		return
	}
	if len(o.choices) > 0 && !o.finishes() {
		o.fail(BrokenOff(io.EOF))
		return
	}
	if o.begunAgain() {
		o.emit(scri.StreamEvent{Kind: scri.EventDone, Head: o.again.late()})
	}
	o.fail(io.EOF)
}
