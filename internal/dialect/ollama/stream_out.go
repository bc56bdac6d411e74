package ollama

import (
	"slices"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// EncodeStream returns the encoder of an answer that goes line by line.
func (ollama) EncodeStream(in *dialect.Incoming) dialect.StreamEncoder {
	e := &lines{teller: teller{generate: isGenerate(in)}}
	e.speech.losses, e.speech.blind = &e.losses, e.generate
	return e
}

// lines writes a stream. A call is written whole when its part ends; the last
// line when all is known that belongs to it.
type lines struct {
	teller
	begin   []byte // how each line begins
	speaks  []byte // how the message of each line begins
	who     scri.Role
	model   string
	created string
	remote  scri.Ext // members of the head that each line repeats
	tail    scri.Ext // other members of ours, for the last line
	parts   []openPart
	last    openPart // whose words were written last
	reached [2]int   // message and part of the furthest that was written
	calls   int
	probs   int
	finish  *scri.Finish
	usage   *scri.Usage
	extra   []int // choices beyond the first
	mixed   bool
	ended   bool
}

// openPart is a part that has begun and not ended.
type openPart struct {
	message, part int
	kind          scri.PartKind
	call          *scri.ToolCall
	args          []byte // of the call, as the inside of a JSON string
	said, lost    bool   // something was written; a loss was reported
	signed, cited bool   // that comes in pieces: of a signature, of citations
	bare          bool   // a text and nothing more
	skip          bool   // it cannot be said
}

func (p *openPart) place() place { return place{listOutput, p.message, p.part, -1} }

// ContentType is that of JSON lines.
func (e *lines) ContentType() string { return "application/x-ndjson" }

// Ping appends nothing: Ollama's clients know no line without meaning.
func (e *lines) Ping(b []byte) []byte { return b }

// Warnings are the losses so far.
func (e *lines) Warnings() []scri.Warning { return e.warn }

// Event appends the lines of one event.
func (e *lines) Event(b []byte, ev *scri.StreamEvent) []byte {
	e.w.B = b
	if ev.Choice > 0 {
		if !slices.Contains(e.extra, ev.Choice) {
			e.extra = append(e.extra, ev.Choice)
			e.drop(index("/choices", ev.Choice), "Ollama gives one answer")
		}
		return b
	}
	switch ev.Kind {
	case scri.EventStart, scri.EventSeam:
		e.start(ev.Head)
	case scri.EventMessage:
		e.message(ev)
	case scri.EventPart:
		e.part(ev)
	case scri.EventDelta:
		e.delta(ev)
	case scri.EventPartEnd:
		e.partEnd(ev)
	case scri.EventUsage:
		e.usage = ev.Usage.Clone()
	case scri.EventFinish:
		e.finished(ev)
	case scri.EventOpaque:
		e.opaque(ev.Ext)
	case scri.EventDone:
		e.done(ev)
	default: // nothing that a line could say
	}
	return e.w.B
}

// line begins a line.
func (e *lines) line() {
	if e.begin == nil {
		w := wire.Writer{B: []byte{'{'}}
		e.header(&w, func(string) bool { return false })
		e.begin = append(w.B, ',')
	}
	e.w.B = append(e.w.B, e.begin...)
}

// header writes what each line begins with, save what is said otherwise.
func (e *lines) header(w *wire.Writer, otherwise func(name string) bool) {
	if e.created == "" {
		e.created = epoch
	}
	if !otherwise("model") {
		w.Key("model")
		w.Str(e.model)
	}
	if !otherwise("created_at") {
		w.Key("created_at")
		w.Str(e.created)
	}
	rest(w, &e.remote, true, otherwise)
}

const (
	genText     = `"response":`
	genThinking = `"response":"","thinking":`
	notDone     = `,"done":false}` + "\n"
)

// chat begins the message of a line, up to its content.
func (e *lines) chat() {
	if e.speaks == nil {
		e.as(scri.RoleAssistant)
	}
	e.w.B = append(e.w.B, e.speaks...)
}

// as sets who speaks in all lines.
func (e *lines) as(role scri.Role) {
	role = scri.Role(strings.Clone(string(role)))
	b := wire.AppendQuote([]byte(`"message":{"role":`), string(role))
	e.speaks, e.who = append(b, `,"content":`...), role
}

// say writes one line with a text.
func (e *lines) say(kind scri.PartKind, t scri.Text, probs []scri.TokenLogProb) {
	e.line()
	thinking := kind == scri.PartThinking
	switch {
	case e.generate && thinking:
		e.w.B = append(e.w.B, genThinking...)
	case e.generate:
		e.w.B = append(e.w.B, genText...)
	default:
		e.chat()
		if thinking {
			e.w.B = append(e.w.B, `"","thinking":`...)
		}
	}
	e.w.B = t.AppendJSON(e.w.B)
	if !e.generate {
		e.w.B = append(e.w.B, '}')
	}
	if len(probs) > 0 {
		e.w.Key("logprobs")
		e.logProbs(probs, e.probs)
		e.probs += len(probs)
	}
	e.w.B = append(e.w.B, notDone...)
}

func (e *lines) find(ev *scri.StreamEvent) *openPart {
	for i := range e.parts {
		if p := &e.parts[i]; p.part == ev.Part && p.message == ev.Message {
			return p
		}
	}
	return nil
}

func (e *lines) part(ev *scri.StreamEvent) {
	if e.find(ev) != nil {
		e.partEnd(ev)
	}
	p := openPart{message: ev.Message, part: ev.Part, kind: scri.PartText}
	w := ev.Whole
	if w == nil {
		e.parts = append(e.parts, p)
		return
	}
	p.kind, p.bare = w.Kind, bare(w)
	at := p.place()
	switch w.Kind {
	case scri.PartText, scri.PartThinking, scri.PartRefusal:
		p.skip = w.Signature != nil && w.Signature.Redacted
		if p.skip {
			e.drop(at.String(), "hidden thoughts, which only their issuer can read")
			break
		}
		e.speech.partLoss(w, at)
		p.signed, p.cited = w.Signature != nil, len(w.Citations) > 0
		p.lost = p.signed || p.cited
		if !w.Text.IsZero() {
			e.words(&p, w.Text, nil)
		}
	case scri.PartToolCall:
		if w.Call == nil || w.Call.Server != "" {
			p.skip = true
			e.drop(at.String(), "a call that the provider ran itself")
			break
		}
		e.speech.partLoss(w, at)
		c := *w.Call
		c.ID, c.Name, c.Ext = strings.Clone(c.ID), strings.Clone(c.Name), c.Ext.Clone()
		p.args = c.Args.AppendJSONInner(append(p.args, '"'))
		c.Args = scri.Text{}
		p.call = &c
	default:
		p.skip = true
		e.speech.reset()
		e.speech.add(w, at)
		e.passed(&p)
		e.spoken(&p, 0)
	}
	e.parts = append(e.parts, p)
}

// words writes a piece of a text.
func (e *lines) words(p *openPart, t scri.Text, probs []scri.TokenLogProb) {
	if !t.IsZero() {
		e.border(p)
		if p.kind == scri.PartRefusal && !p.said {
			e.change(p.place().String()+"/kind", string(scri.PartRefusal), string(scri.PartText), "")
		}
		joined := e.last.said && class(p.kind) == class(e.last.kind)
		p.said = true
		if e.last = *p; !joined {
			e.passed(p)
		}
	}
	e.say(p.kind, t, probs)
}

// passed notes that something of a part is written, and reports whether it comes behind
// what its answer has after it.
func (e *lines) passed(p *openPart) bool {
	at := [2]int{p.message, p.part}
	if slices.Compare(at[:], e.reached[:]) < 0 {
		return true
	}
	e.reached = at
	return false
}

// border notes when a reader of the lines cannot tell the parts apart: what he
// reads as one, or the parts that go on after another.
func (e *lines) border(p *openPart) {
	if e.mixed || e.last.part == p.part && e.last.message == p.message || !e.last.said {
		return
	}
	if p.said || class(p.kind) == class(e.last.kind) {
		e.mixed = true
		e.change(listOutput, "", "", "neighbouring texts become one")
	}
}

// class tells which kinds of parts come in the same member.
func class(k scri.PartKind) scri.PartKind {
	switch k {
	case scri.PartText, scri.PartRefusal:
		return scri.PartText
	case scri.PartThinking:
		return k
	default: // each is one for itself
		return ""
	}
}

func (e *lines) delta(ev *scri.StreamEvent) {
	p := e.find(ev)
	if p == nil {
		e.parts = append(e.parts, openPart{message: ev.Message, part: ev.Part, kind: scri.PartText})
		p = &e.parts[len(e.parts)-1]
	}
	if p.skip {
		return
	}
	if ev.Signature != nil && !p.signed {
		p.lost, p.signed = true, true
		e.drop(p.place().String()+"/signature", "")
	}
	if ev.Citation != nil && !p.cited {
		p.lost, p.cited = true, true
		e.drop(p.place().String()+"/citations", "")
	}
	if p.call != nil {
		p.args = ev.Delta.AppendJSONInner(p.args)
		if len(ev.LogProbs) > 0 {
			e.say(scri.PartText, scri.Text{}, ev.LogProbs)
		}
		return
	}
	if !ev.Delta.IsZero() || len(ev.LogProbs) > 0 {
		e.words(p, ev.Delta, ev.LogProbs)
	}
}

func (e *lines) partEnd(ev *scri.StreamEvent) {
	for i := range e.parts {
		p := &e.parts[i]
		if p.part != ev.Part || p.message != ev.Message {
			continue
		}
		e.close(p, ev.Ext)
		e.parts = slices.Delete(e.parts, i, i+1)
		return
	}
}

// close writes what was kept back of a part.
func (e *lines) close(p *openPart, ext *scri.Ext) {
	e.homeless(ext, func() string { return p.place().String() })
	switch {
	case p.skip:
	case p.call != nil:
		p.call.Args = scri.QuotedText(append(p.args, '"'))
		if e.passed(p) {
			e.change(p.place().String(), "", "", "it was whole only when others were told that come behind it")
		}
		e.speech.reset()
		e.speech.add(&scri.Part{Kind: scri.PartToolCall, Call: p.call}, p.place())
		e.spoken(p, e.calls)
		e.calls++
	case !p.said && (!p.bare || p.lost):
		e.drop(p.place().String(), "there is no text in it")
	default:
	}
}

// spoken writes a line with what the speech has gathered: calls or images.
func (e *lines) spoken(p *openPart, first int) {
	s := &e.speech
	if len(s.calls)+len(s.images) == 0 {
		return
	}
	p.said = true
	e.last = *p
	e.called = e.called || len(s.calls) > 0
	e.line()
	if e.generate {
		s.write(&e.w, "response", "", nil, first, true)
	} else {
		e.chat()
		e.w.B = e.w.B[:len(e.w.B)-len(`,"content":`)]
		s.write(&e.w, "content", "", nil, first, true)
		e.w.B = append(e.w.B, '}')
	}
	e.w.B = append(e.w.B, notDone...)
}

func (e *lines) finished(ev *scri.StreamEvent) {
	e.flush()
	e.homeless(ev.Ext, func() string { return "/choices/0" })
	if len(ev.LogProbs) > 0 {
		e.say(scri.PartText, scri.Text{}, ev.LogProbs)
	}
	e.finish = cloneFinish(ev.Finish)
}

func cloneFinish(f *scri.Finish) *scri.Finish {
	if f == nil {
		return nil
	}
	c := *f
	c.Raw, c.Detail = strings.Clone(f.Raw), strings.Clone(f.Detail)
	return &c
}

// flush closes the parts that nobody ended.
func (e *lines) flush() {
	for i := range e.parts {
		e.close(&e.parts[i], nil)
	}
	e.parts = e.parts[:0]
}

// opaque writes a line with members that have no other word. One that did not
// fit its shape stands where the usual one would.
func (e *lines) opaque(ext *scri.Ext) {
	if ext.Of(Name) == nil || len(ext.Members) == 0 {
		return
	}
	w := &e.w
	there := func(name string) bool { return member(ext, name) != nil }
	raw := member(ext, "message")
	extra := isObject(raw) && !present(raw, "role") && !present(raw, "content")
	if extra && !e.generate && e.begin == nil { // else they would be members of the message
		e.say(scri.PartText, scri.Text{}, nil)
	}
	w.B = append(w.B, '{')
	e.header(w, there)
	switch {
	case extra && !e.generate:
		w.Comma()
		e.messageWith(raw)
	case e.generate && !there("response"):
		w.Comma()
		w.B = append(w.B, genText+`""`...)
	case !e.generate && raw == nil:
		w.Comma()
		e.chat()
		w.B = append(w.B, `""}`...)
	}
	rest(w, ext, true, func(name string) bool { return name == "message" && extra })
	if there("done") {
		w.B = append(w.B, '}', '\n')
	} else {
		w.B = append(w.B, notDone...)
	}
}

func (e *lines) done(ev *scri.StreamEvent) {
	if h := ev.Head; h != nil {
		e.foreign(h.Ext, func() string { return "" })
		e.take(h.Ext)
		if h.Model != "" && h.Model != e.model {
			e.model, e.begin = strings.Clone(h.Model), nil
		}
	}
	if ev.Usage != nil {
		e.usage = ev.Usage.Clone()
	}
	if ev.Finish != nil && e.finish == nil {
		e.finish = cloneFinish(ev.Finish)
	}
	e.end(e.finish)
}

// end writes the last line.
func (e *lines) end(f *scri.Finish) {
	if e.ended {
		return
	}
	e.flush()
	e.ended = true
	if f == nil {
		f = new(scri.Finish)
	}
	e.line()
	if e.generate {
		e.w.B = append(e.w.B, genText+`""`...)
	} else {
		e.chat()
		e.w.B = append(e.w.B, `""}`...)
	}
	e.teller.end(f, e.usage, nil)
	rest(&e.w, &e.tail, true, func(name string) bool {
		switch name {
		case "model", "created_at", "message", "response", "done":
			return true
		default:
			return e.written(name)
		}
	})
	e.w.B = append(e.w.B, '}', '\n')
}

// End appends the last line, or the error that there will be none.
func (e *lines) End(b []byte, err *scri.Error) []byte {
	e.w.B = b
	switch {
	case err == nil:
		e.end(e.finish)
	case e.ended:
	default:
		e.w.B = append(appendError(e.w.B, err, 0), '\n')
	}
	return e.w.B
}
