package openai

import (
	"bytes"
	"unsafe"

	"github.com/aratta-gateway/aratta/scri"
)

// pattern is a chunk that gave one delta and nothing else. A later chunk with
// the same bytes around its one text does the same with another text, so that
// it need not be walked: in a burst nearly all chunks are such.
type pattern struct {
	before       []byte // up to the text, less its opening quote
	after        []byte // behind the text, up to the padding if there is one
	end          []byte // behind the padding; nil if there is none
	tail         []byte // room for end
	choice, part int
}

// fast takes in a chunk that fits the pattern.
func (s *stream) fast(data []byte) bool {
	p := &s.same
	if len(p.before) == 0 || !bytes.HasPrefix(data, p.before) {
		return false
	}
	rest := data[len(p.before):]
	if len(rest) == 0 || rest[0] != '"' {
		return false
	}
	s.top.Reset(rest)
	q := s.top.Str()
	if q == nil || s.top.Err() != nil {
		return false
	}
	rest = rest[len(q):]
	if !bytes.HasPrefix(rest, p.after) {
		return false
	}
	rest = rest[len(p.after):]
	if p.end != nil {
		i := bytes.IndexByte(rest, '"')
		if i < 0 || bytes.IndexByte(rest[:i], '\\') >= 0 {
			return false
		}
		rest = rest[i:]
	}
	if !bytes.Equal(rest, p.end) {
		return false
	}
	if len(q) > 2 {
		s.push(scri.EventDelta, p.choice, p.part).Delta = scri.QuotedText(q)
	}
	return true
}

// learn makes a pattern of the chunk that was just walked, if it is one.
func (s *stream) learn(data []byte) {
	s.same.before = s.same.before[:0]
	text := s.only
	if text == nil || len(s.q) != 1 || s.failed != nil {
		return
	}
	e := &s.q[0]
	if e.Kind != scri.EventDelta || e.Signature != nil || e.Citation != nil || e.LogProbs != nil || e.Ext != nil {
		return
	}
	at := offset(data, text)
	if at < 0 {
		return // a text that was put together elsewhere
	}
	p := &s.same
	p.choice, p.part = e.Choice, e.Part
	p.before = append(p.before, data[:at]...)
	after := data[at+len(text):]
	p.end = nil
	if n := offset(after, s.pad); n > 0 && bytes.IndexByte(s.pad, '\\') < 0 {
		p.end = append(p.tail[:0], after[n+len(s.pad)-1:]...)
		p.tail = p.end
		after = after[:n+1]
	}
	p.after = append(p.after[:0], after...)
}

// offset is where in data the part of it stands, or -1 if it is none.
func offset(data, part []byte) int {
	at := int(uintptr(unsafe.Pointer(unsafe.SliceData(part))) - uintptr(unsafe.Pointer(unsafe.SliceData(data))))
	if part == nil || at < 0 || at+len(part) > len(data) {
		return -1
	}
	return at
}

// single is the one text among what a delta says, quoted, or nil.
func (t *said) single() []byte {
	if t.content != nil || t.details != nil || t.function != nil || t.cite != nil || t.audio != nil || t.several {
		return nil
	}
	var one []byte
	for _, q := range [...][]byte{t.text, t.refusal, t.reasoning[0], t.reasoning[1], t.args} {
		switch {
		case len(q) <= 2:
		case one != nil:
			return nil
		default:
			one = q
		}
	}
	return one
}
