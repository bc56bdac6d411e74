package responses

import (
	"bytes"
	"slices"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// maxOpen bounds how many items may be open at once.
const maxOpen = 256

// openItem is an item of the output that has begun and not ended.
type openItem struct {
	index int64
	id    []byte // as it stands; nil: it has none
	typ   string
	head  dialect.Unknown // what is known of it at its beginning, for its first part
	parts []*openPart
}

// Which list of an item a part stands in.
const (
	keyContent = 'c'
	keySummary = 's'
	keyCall    = 'a'
)

// openPart is a part of an item.
type openPart struct {
	key   byte
	index int64
	no    int // of the part, in the answer
	kind  scri.PartKind
	got   bool // something of its content has come
	cited int
	probs int
}

func (d *streamDecoder) find(output int64) *openItem {
	for _, t := range slices.Backward(d.items) {
		if t.index == output {
			return t
		}
	}
	return nil
}

// about is the item that an event is about: some tell another number than that of the
// item that they name.
func (d *streamDecoder) about(e *wireEvent) *openItem {
	t := d.find(e.output)
	if len(e.id) <= len(`""`) || t != nil && bytes.Equal(t.id, e.id) {
		return t
	}
	for _, o := range slices.Backward(d.items) {
		if bytes.Equal(o.id, e.id) {
			return o
		}
	}
	return t
}

func (t *openItem) find(key byte, index int64) *openPart {
	for _, p := range t.parts {
		if p.key == key && p.index == index {
			return p
		}
	}
	return nil
}

// add opens an item.
func (d *streamDecoder) add(output int64, typ string) *openItem {
	d.ensure()
	d.endBefore()
	if len(d.items) >= maxOpen {
		d.items = slices.Delete(d.items, 0, 1)
	}
	t := &openItem{index: output, typ: typ}
	d.items = append(d.items, t)
	d.seen++
	return t
}

// endBefore ends the items whose ends were left out when another one begins, but calls,
// which some servers tell side by side.
func (d *streamDecoder) endBefore() {
	for i := 0; i < len(d.items); {
		if t := d.items[i]; t.typ == typeMessage || t.typ == typeReasoning {
			if len(d.early) < maxOpen {
				d.early = append(d.early, t.early())
			}
			d.itemDone(t.index, nil, &dialect.Unknown{})
		} else {
			i++
		}
	}
}

// earlyItem is an item that had to end when another began.
type earlyItem struct {
	index   int64
	thought int // the last part that thought something; -1
}

func (t *openItem) early() earlyItem {
	e := earlyItem{index: t.index, thought: -1}
	for _, p := range t.parts {
		if p.kind == scri.PartThinking && p.got {
			e.thought = p.no
		}
	}
	return e
}

// signLate gives the signature of a thought that was told before, as far as it could be.
func (d *streamDecoder) signLate(t earlyItem, raw []byte) {
	if t.thought < 0 || len(raw) == 0 {
		return
	}
	s := newDecoder(bytes.Clone(raw))
	s.answer = true
	if s.item(); s.Err() != nil || len(s.parts) == 0 {
		return
	}
	if sign := s.parts[len(s.parts)-1].Signature; sign != nil {
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: t.thought, Signature: sign})
	}
}

// itemAdded opens an item. A call is told of at once, a message or a thought with
// its first part, any other when it is whole.
func (d *streamDecoder) itemAdded(e *wireEvent) {
	if len(e.item) == 0 || e.item[0] != '{' {
		d.opaque(e)
		return
	}
	if t := d.find(e.output); t != nil {
		d.itemDone(e.output, nil, &dialect.Unknown{}) // its end was left out
	}
	s := newDecoder(bytes.Clone(e.item))
	t := d.add(e.output, dialect.Word(s.Peek("type")))
	t.id = s.Peek("id")
	switch t.typ {
	case typeMessage, typeReasoning:
		var v envelope
		for name := range s.Members() {
			switch name {
			case "type", "role", "content", "summary", "encrypted_content":
			default:
				v.add(s, name)
			}
		}
		t.head.Form("item")
		v.nested(&t.head)
	case typeCall, typeCustom:
		s.parts, s.begins = nil, true
		if s.item(); s.Err() != nil || len(s.parts) != 1 || s.parts[0].Kind != scri.PartToolCall {
			t.typ = ""
			d.opaque(e)
			return
		}
		p := &s.parts[0]
		open := &openPart{key: keyCall, no: d.parts, kind: p.Kind, got: !p.Call.Args.IsZero()}
		t.parts = append(t.parts, open)
		d.parts++
		d.called = true
		d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: open.no, Whole: p})
	default:
		t.typ = ""
		d.opaque(e)
		d.queue[len(d.queue)-1].Ext.Form = dialect.Slight // it comes again when it is whole
	}
}

// partAdded opens a part of an item.
func (d *streamDecoder) partAdded(e *wireEvent, key byte) {
	kind := scri.PartText
	s := wire.NewScanner(e.part)
	switch dialect.Word(s.Peek("type")) {
	case typeOutputText, "text":
	case typeRefusal:
		kind = scri.PartRefusal
	case typeThought, typeSummary:
		kind = scri.PartThinking
	default:
		return // it is told of when it is whole
	}
	index := e.content
	if key == keySummary {
		index = e.summary
	}
	t := d.about(e)
	if t == nil || t.typ == "" || t.find(key, index) != nil {
		return
	}
	d.part(t, key, index, kind)
}

// part begins a part of an item that may be streamed.
func (d *streamDecoder) part(t *openItem, key byte, index int64, kind scri.PartKind) *openPart {
	if len(t.parts) >= maxOpen {
		t.parts = slices.Delete(t.parts, 0, 1)
	}
	p := &openPart{key: key, index: index, no: d.parts, kind: kind}
	d.parts++
	var u dialect.Unknown
	switch {
	case len(t.parts) == 0:
		u.Put(t.head.Ext(Name))
		if u.Ext(Name) == nil {
			u.Form("item")
		}
	default:
		u.Form("+")
	}
	if kind == scri.PartThinking {
		if key == keySummary {
			u.Form("summary")
		} else {
			u.Form(typeThought)
		}
	}
	t.parts = append(t.parts, p)
	d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: p.no, Whole: &scri.Part{Kind: kind, Ext: u.Ext(Name)}})
	return p
}

// delta goes on with a part, and begins it if its beginning was left out.
func (d *streamDecoder) delta(e *wireEvent, key byte, kind scri.PartKind) {
	if len(e.delta) < 2 || e.delta[0] != '"' {
		d.opaque(e)
		return
	}
	t := d.about(e)
	if t == nil && key != keyCall {
		typ := typeMessage
		if kind == scri.PartThinking {
			typ = typeReasoning
		}
		t = d.add(e.output, typ)
		t.head.Form("item")
		if len(e.id) > 2 && e.id[0] == '"' {
			var v envelope
			v.light.Add(append([]byte(`"id":`), e.id...))
			v.nested(&t.head)
		}
	}
	if t == nil || t.typ == "" {
		d.opaque(e)
		return
	}
	index := e.content
	switch key {
	case keySummary:
		index = e.summary
	case keyCall:
		index = 0
	}
	p := t.find(key, index)
	if p == nil && key != keyCall {
		p = d.part(t, key, index, kind)
	}
	if p == nil || p.kind != kind {
		d.opaque(e)
		return
	}
	ev := scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Delta: scri.QuotedText(e.delta)}
	if len(e.logProbs) > 2 && kind == scri.PartText {
		s := newDecoder(e.logProbs)
		if list := s.tokens(nil, true); s.End() == nil {
			ev.LogProbs = list
			p.probs += len(list)
		}
	}
	if ev.Delta.IsZero() && ev.LogProbs == nil {
		return
	}
	p.got = p.got || !ev.Delta.IsZero()
	d.emit(ev)
}

// rest gives the content of a part that came only with its end.
func (d *streamDecoder) rest(e *wireEvent, key byte) {
	t := d.about(e)
	if t == nil || len(e.whole) <= 2 || e.whole[0] != '"' {
		return
	}
	index := e.content
	switch key {
	case keySummary:
		index = e.summary
	case keyCall:
		index = 0
	}
	if p := t.find(key, index); p != nil && !p.got {
		p.got = true
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Delta: scri.QuotedText(e.whole)})
	}
}

func (d *streamDecoder) annotation(e *wireEvent) {
	t := d.about(e)
	if t == nil {
		d.opaque(e)
		return
	}
	p := t.find(keyContent, e.content)
	if p == nil || p.kind != scri.PartText || len(e.annotation) == 0 {
		d.opaque(e)
		return
	}
	s := newDecoder(slices.Concat([]byte{'['}, e.annotation, []byte{']'}))
	list := s.annotations()
	if s.End() != nil || len(list) != 1 {
		d.opaque(e)
		return
	}
	p.cited++
	d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Citation: &list[0]})
}

// finishItems ends what was left open, by what the whole output says of it. Where
// nothing was streamed all of it comes now.
func (d *streamDecoder) finishItems(output [][]byte) {
	if d.seen == 0 {
		for i, raw := range output {
			d.itemDone(int64(i), raw, &dialect.Unknown{})
		}
		return
	}
	if len(d.items) == 0 {
		return
	}
	named := make(map[string][]byte, len(output)) // which may be large: it is read once
	for _, raw := range slices.Backward(output) {
		named[string(wire.NewScanner(raw).Peek("id"))] = raw
	}
	for len(d.items) > 0 {
		t := d.items[0]
		d.itemDone(t.index, t.in(output, named), &dialect.Unknown{})
	}
}

// in is what the whole output says of an item, by its id if it has one.
func (t *openItem) in(output [][]byte, named map[string][]byte) []byte {
	if len(t.id) > len(`""`) {
		return named[string(t.id)]
	}
	if t.index < 0 || t.index >= int64(len(output)) {
		return nil
	}
	return output[t.index]
}

// itemDone ends an item: what of it has not come yet comes now. Without raw
// nothing more is known of it.
func (d *streamDecoder) itemDone(output int64, raw []byte, more *dialect.Unknown) {
	t := d.find(output)
	if t == nil {
		if at := slices.IndexFunc(d.early, func(t earlyItem) bool { return t.index == output }); at >= 0 {
			d.signLate(d.early[at], raw)
			d.early = slices.Delete(d.early, at, at+1)
			return
		}
		if len(raw) == 0 || raw[0] != '{' {
			return
		}
		t = d.add(output, "")
	}
	d.items = slices.DeleteFunc(d.items, func(o *openItem) bool { return o == t })
	s := newDecoder(bytes.Clone(raw))
	s.answer = true
	if len(raw) > 0 {
		if s.item(); s.Err() != nil {
			s.parts = nil
		}
	}
	d.called = d.called || s.called
	whole := s.parts
	if len(t.parts) > 0 && !matches(whole, t.parts) { // another thing than was streamed
		whole = nil
	}
	probs := s.probs
	n := map[byte]int64{}
	told := slices.ContainsFunc(t.parts, func(p *openPart) bool { return p.probs > 0 })
	for i := range whole {
		key := keyOf(&whole[i])
		d.partDone(t.take(key, n[key]), &whole[i], &probs, told)
		n[key]++
	}
	for _, p := range t.parts {
		d.emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: p.no})
	}
	if more.Empty() {
		return
	}
	if len(d.queue) == 0 { // an item of which nothing came
		return
	}
	if last := &d.queue[len(d.queue)-1]; last.Kind == scri.EventPartEnd {
		var u dialect.Unknown
		u.Put(last.Ext)
		u.Put(&scri.Ext{Members: more.Object()})
		last.Ext = u.Ext(Name)
	}
}

// matches reports whether the parts that were streamed can be those of the whole.
func matches(whole []scri.Part, parts []*openPart) bool {
	for _, p := range parts {
		found := false
		n := map[byte]int64{}
		for i := range whole {
			key := keyOf(&whole[i])
			if key == p.key && n[key] == p.index {
				found = whole[i].Kind == p.kind
			}
			n[key]++
		}
		if !found {
			return false
		}
	}
	return true
}

func keyOf(p *scri.Part) byte {
	switch {
	case p.Kind == scri.PartToolCall && p.Call != nil && p.Call.Server == "":
		return keyCall
	case p.Kind == scri.PartThinking && has(p.Ext, "summary"):
		return keySummary
	default:
		return keyContent
	}
}

// partDone ends a part of an item that is whole now.
// It may never have begun. told: the tokens of its item have come.
func (d *streamDecoder) partDone(p *openPart, w *scri.Part, probs *[]scri.TokenLogProb, told bool) {
	tokens := (*probs)[:min(tokensOf(w.Ext), len(*probs))]
	*probs = (*probs)[len(tokens):]
	if p == nil {
		no := d.parts
		d.parts++
		d.emit(scri.StreamEvent{Kind: scri.EventPart, Part: no, Whole: w})
		if len(tokens) > 0 {
			d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: no, LogProbs: tokens})
		}
		d.emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: no})
		return
	}
	text := w.Text
	if w.Kind == scri.PartToolCall {
		text = w.Call.Args
	}
	if !p.got && !text.IsZero() {
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Delta: text})
	}
	for i := min(p.cited, len(w.Citations)); i < len(w.Citations); i++ {
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Citation: &w.Citations[i]})
	}
	if len(tokens) > 0 && !told {
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, LogProbs: tokens})
		p.probs = len(tokens)
	}
	if w.Signature != nil {
		d.emit(scri.StreamEvent{Kind: scri.EventDelta, Part: p.no, Signature: w.Signature})
	}
	d.emit(scri.StreamEvent{Kind: scri.EventPartEnd, Part: p.no, Ext: recount(w.Ext, p.probs)})
}

// take takes a part out of those that are open, if it is among them.
func (t *openItem) take(key byte, index int64) *openPart {
	for i, p := range t.parts {
		if p.key == key && p.index == index {
			t.parts = slices.Delete(t.parts, i, i+1)
			return p
		}
	}
	return nil
}
