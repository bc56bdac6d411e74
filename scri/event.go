package scri

import (
	"slices"
	"strings"
)

// EventKind says which fields of a StreamEvent are valid.
type EventKind string

// The kinds of events, in the order in which a stream has them.
const (
	EventStart   EventKind = "start"    // Head (without choices)
	EventMessage EventKind = "message"  // Open (without parts): message Message of choice Choice begins
	EventPart    EventKind = "part"     // Whole: part Part begins, with what is known of it so far
	EventDelta   EventKind = "delta"    // Delta, Signature, Citation, LogProbs: more of part Part
	EventPartEnd EventKind = "part_end" // the part is finished; Ext: members known only now
	EventUsage   EventKind = "usage"    // Usage: replaces what was said before
	EventFinish  EventKind = "finish"   // Finish of choice Choice; LogProbs not bound to a part; Ext of the choice
	EventOpaque  EventKind = "opaque"   // Ext.Members: a wire event of Ext.Dialect that has no other word
	EventPing    EventKind = "ping"     // the upstream is alive
	EventWarning EventKind = "warning"  // Warning
	EventSeam    EventKind = "seam"     // Head: from here on another target speaks
	EventError   EventKind = "error"    // Err: only on the SCRI wire; in the process Next returns it
	EventDone    EventKind = "done"     // Head (lineage, warnings, members known only now), Usage, Finish of choice 0
)

// StreamEvent is one step of an answer. It and all that it points to are valid
// until the next call of Next; Clone keeps it. Texts and raw values may lie in
// memory that is used again then; plain strings never do.
//
// Delta of a part of kind text, thinking or refusal goes on Part.Text; of a
// tool call, Call.Args; of media, Media.Data. A part may also come whole, with
// its EventPart alone. Parts of one message may be open at the same time.
type StreamEvent struct {
	Kind      EventKind      `json:"kind"`
	Choice    int            `json:"choice,omitempty"`
	Message   int            `json:"message,omitempty"`
	Part      int            `json:"part,omitempty"`
	Delta     Text           `json:"delta,omitzero"`
	Signature *Signature     `json:"signature,omitempty"`
	Citation  *Citation      `json:"citation,omitempty"`
	LogProbs  []TokenLogProb `json:"logprobs,omitempty"`
	Head      *ChatResponse  `json:"head,omitempty"`
	Open      *Message       `json:"open,omitempty"`
	Whole     *Part          `json:"whole,omitempty"`
	Finish    *Finish        `json:"finish,omitempty"`
	Usage     *Usage         `json:"usage,omitempty"`
	Warning   *Warning       `json:"warning,omitempty"`
	Err       *Error         `json:"error,omitempty"`
	Ext       *Ext           `json:"ext,omitempty"`
}

// Content reports whether the event shows the client something of the answer,
// so that from then on nobody else can give it unnoticed.
func (e *StreamEvent) Content() bool {
	switch e.Kind {
	case EventDelta:
		return !e.Delta.IsZero() || e.Signature != nil || e.Citation != nil
	case EventPart:
		return e.Whole != nil && (!e.Whole.Text.IsZero() || e.Whole.Kind == PartToolCall ||
			e.Whole.Kind == PartMedia || e.Whole.Kind == PartOpaque || e.Whole.Kind == PartToolResult || e.Whole.Signature != nil)
	default:
		return false
	}
}

// size is about how many bytes Clone takes, beyond some hundreds.
func (e *StreamEvent) size() int {
	n := e.Delta.Size() + e.Ext.size() + e.Usage.size() + logProbsSize(e.LogProbs)
	if e.Signature != nil {
		n += e.Signature.Value.Size()
	}
	if e.Citation != nil {
		n += 256 + e.Citation.Quote.Size() + e.Citation.Ext.size()
	}
	if h := e.Head; h != nil {
		n += h.Ext.size() + h.Usage.size() + 128*len(h.Warnings)
	}
	if e.Open != nil {
		n += e.Open.Ext.size()
	}
	if p := e.Whole; p != nil {
		n += p.Size()
	}
	return n
}

func (e *Ext) size() int {
	if e == nil {
		return 0
	}
	return len(e.Dialect) + len(e.Members) + len(e.Form)
}

func (u *Usage) size() int {
	if u == nil {
		return 0
	}
	return len(u.Dialect) + len(u.Raw)
}

// Clone returns an event that stays valid.
func (e *StreamEvent) Clone() *StreamEvent {
	c := *e
	c.Delta = e.Delta.Clone()
	c.Signature = e.Signature.clone()
	if e.Citation != nil {
		v := e.Citation.clone()
		c.Citation = &v
	}
	c.LogProbs = cloneLogProbs(e.LogProbs)
	c.Head = e.Head.Clone()
	if e.Open != nil {
		v := e.Open.Clone()
		c.Open = &v
	}
	if e.Whole != nil {
		v := e.Whole.Clone()
		c.Whole = &v
	}
	c.Finish = clonePtr(e.Finish)
	c.Usage = e.Usage.Clone()
	c.Warning = clonePtr(e.Warning)
	c.Err = clonePtr(e.Err)
	c.Ext = e.Ext.Clone()
	return &c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Clone returns a copy that shares no bytes with e. It may be called on nil.
func (e *Ext) Clone() *Ext {
	if e == nil {
		return nil
	}
	return &Ext{Dialect: strings.Clone(e.Dialect), Members: slices.Clone(e.Members), Form: strings.Clone(e.Form)}
}

// Clone returns a copy that shares no bytes with u. It may be called on nil.
func (u *Usage) Clone() *Usage {
	if u == nil {
		return nil
	}
	c := *u
	c.Input, c.Output, c.Thinking = clonePtr(u.Input), clonePtr(u.Output), clonePtr(u.Thinking)
	c.CacheRead, c.CacheWrite = clonePtr(u.CacheRead), clonePtr(u.CacheWrite)
	c.Raw = slices.Clone(u.Raw)
	own(&c.Dialect)
	return &c
}

func (s *Signature) clone() *Signature {
	c := clonePtr(s)
	if c != nil {
		c.Value = s.Value.Clone()
		own(&c.Dialect, &c.Provider, &c.Model)
	}
	return c
}

// own makes strings that may lie in other memory ones of their own.
func own[T ~string](list ...*T) {
	for _, s := range list {
		*s = T(strings.Clone(string(*s)))
	}
}

func (c *Citation) clone() Citation {
	v := *c
	v.Quote, v.Ext = c.Quote.Clone(), c.Ext.Clone()
	own(&v.URL, &v.Title, &v.Document)
	return v
}

func cloneLogProbs(list []TokenLogProb) []TokenLogProb {
	out := slices.Clone(list)
	for i := range out {
		out[i].Token = out[i].Token.Clone()
		out[i].Bytes = slices.Clone(out[i].Bytes)
		out[i].Top = cloneLogProbs(out[i].Top)
		out[i].Ext = out[i].Ext.Clone()
	}
	return out
}

// Clone returns a copy that shares no bytes with p.
func (p *Part) Clone() Part {
	c := *p
	own(&c.Kind)
	c.Text = p.Text.Clone()
	c.Raw = slices.Clone(p.Raw)
	c.Ext = p.Ext.Clone()
	c.Signature = p.Signature.clone()
	c.Citations = slices.Clone(p.Citations)
	for i := range c.Citations {
		c.Citations[i] = p.Citations[i].clone()
	}
	if p.Cache != nil {
		c.Cache = p.Cache.clone()
	}
	if m := clonePtr(p.Media); m != nil {
		m.Data, m.URL, m.Text, m.Ext = m.Data.Clone(), m.URL.Clone(), m.Text.Clone(), m.Ext.Clone()
		own(&m.Type, &m.Name, &m.FileID)
		c.Media = m
	}
	if t := clonePtr(p.Call); t != nil {
		t.Args, t.Ext = t.Args.Clone(), t.Ext.Clone()
		own(&t.ID, &t.Name, &t.Type, &t.Server)
		c.Call = t
	}
	if r := clonePtr(p.Result); r != nil {
		r.Parts, r.Ext = cloneParts(r.Parts), r.Ext.Clone()
		own(&r.CallID, &r.Name, &r.Server)
		c.Result = r
	}
	return c
}

func (m *CacheMark) clone() *CacheMark {
	return &CacheMark{TTL: strings.Clone(m.TTL), Ext: m.Ext.Clone()}
}

func cloneParts(list []Part) []Part {
	out := slices.Clone(list)
	for i := range out {
		out[i] = list[i].Clone()
	}
	return out
}

// Clone returns a copy that shares no bytes with m.
func (m *Message) Clone() Message {
	c := *m
	own(&c.Role)
	own(&c.ID, &c.Name)
	c.Parts = cloneParts(m.Parts)
	c.Ext = m.Ext.Clone()
	return c
}

// Clone returns a copy that shares no bytes with r. Lineage and warnings stay
// shared, as they are never changed once they are in an answer. It may be called
// on nil.
func (r *ChatResponse) Clone() *ChatResponse {
	c := clonePtr(r)
	if c == nil {
		return nil
	}
	own(&c.ID, &c.Model, &c.Provider)
	c.Usage, c.Ext = r.Usage.Clone(), r.Ext.Clone()
	c.Choices = slices.Clone(r.Choices)
	for i := range c.Choices {
		ch := &c.Choices[i]
		own(&ch.Finish.Reason)
		own(&ch.Finish.Raw, &ch.Finish.Dialect, &ch.Finish.Detail)
		ch.Output = slices.Clone(ch.Output)
		for j := range ch.Output {
			ch.Output[j] = ch.Output[j].Clone()
		}
		ch.LogProbs, ch.Ext = cloneLogProbs(ch.LogProbs), ch.Ext.Clone()
	}
	return c
}
