package wire

import (
	"bytes"
	"iter"
)

// Members enters the object that is next and yields the names of its members
// in their order; the loop body consumes the value, or it is skipped. A name
// aliases the document when it is written without escapes. When the loop is
// left early, the rest of the object is skipped. A repeated name is a
// [SyntaxError], a value of another kind a [TypeError].
func (s *Scanner) Members() iter.Seq[string] {
	return func(yield func(string) bool) { s.members(yield) }
}

// MaxElements bounds the elements of all arrays that one document may be walked
// through. What is made of an element is far larger than the two bytes that it
// may have: this, and not the size of a body alone, bounds the memory. What is
// taken with Raw or Skip is not counted.
const MaxElements = 1 << 20

// Elements does for arrays what Members does for objects; it yields indexes.
func (s *Scanner) Elements() iter.Seq[int] {
	return func(yield func(int) bool) { s.elements(yield) }
}

// Member consumes the current value of the innermost Members loop and returns
// the member as it stands, `"name":value`, so that unknown members can be
// carried along.
func (s *Scanner) Member() []byte {
	if s.err != nil {
		return nil
	}
	if s.depth == 0 || s.level(s.depth-1).index >= 0 {
		s.Fail("Member called outside an object")
		return nil
	}
	if s.Raw() == nil {
		return nil
	}
	return s.doc[s.level(s.depth-1).at:s.pos:s.pos]
}

func (s *Scanner) members(yield func(string) bool) {
	if !s.enter(Object, -1) {
		return
	}
	set := nameSet{base: s.named}
	for {
		name, ok := s.nextName(&set)
		if !ok {
			return
		}
		at := s.pos
		more := yield(name)
		if s.err != nil {
			return
		}
		if s.pos == at {
			s.Skip()
		}
		if !more {
			s.leaveEarly(true, set.base)
			return
		}
	}
}

func (s *Scanner) elements(yield func(int) bool) {
	if !s.enter(Array, 0) {
		return
	}
	names := s.named
	for i := 0; s.nextElement(i); i++ {
		if s.walked++; s.walked > MaxElements {
			s.syntax(s.pos, "more than 1048576 elements")
			return
		}
		at := s.pos
		more := yield(i)
		if s.err != nil {
			return
		}
		if s.pos == at {
			s.Skip()
		}
		if !more {
			s.leaveEarly(false, names)
			return
		}
	}
}

// enter goes over the opening bracket.
func (s *Scanner) enter(k Kind, index int32) bool {
	if !s.want(k) {
		return false
	}
	if s.depth >= MaxDepth {
		s.tooDeep(s.pos)
		return false
	}
	if s.depth >= len(s.levels)+len(s.moreLevels) {
		s.moreLevels = append(s.moreLevels, make([]level, s.depth)...)
	}
	*s.level(s.depth) = level{at: -1, index: index}
	s.depth++
	s.pos++
	return true
}

// level returns the level with index i, counted from the outermost.
func (s *Scanner) level(i int) *level {
	if i < len(s.levels) {
		return &s.levels[i]
	}
	return &s.moreLevels[i-len(s.levels)]
}

// leave goes over the closing bracket at i.
func (s *Scanner) leave(i, names int) {
	s.pos = i + 1
	s.depth--
	s.named = names
}

func (s *Scanner) leaveEarly(object bool, names int) {
	if s.err != nil {
		return
	}
	if end := s.jumpOut(s.pos, object); end >= 0 {
		s.leave(end-1, names)
	}
}

// nextName goes to the next member's value, or leaves the object.
func (s *Scanner) nextName(set *nameSet) (string, bool) {
	if s.err != nil {
		return "", false
	}
	i := s.space(s.pos)
	if i < len(s.doc) && s.doc[i] == '}' {
		s.leave(i, set.base)
		return "", false
	}
	l := s.level(s.depth - 1)
	if l.at >= 0 {
		if i = s.comma(i); i < 0 {
			return "", false
		}
	}
	end, value := s.name(i)
	if value < 0 {
		return "", false
	}
	l.at = int32(i)
	name := s.text(i+1, end-1)
	if !s.add(set, name, i) {
		s.syntax(i, "repeated name in object")
		return "", false
	}
	s.pos = value
	return name, true
}

// nextElement goes to the element with index n, or leaves the array.
func (s *Scanner) nextElement(n int) bool {
	if s.err != nil {
		return false
	}
	i := s.space(s.pos)
	if i < len(s.doc) && s.doc[i] == ']' {
		s.leave(i, s.named)
		return false
	}
	if n > 0 {
		if i = s.comma(i); i < 0 {
			return false
		}
	}
	*s.level(s.depth - 1) = level{at: int32(i), index: int32(n)}
	s.pos = i
	return true
}

// comma returns the index of what follows the comma at i.
func (s *Scanner) comma(i int) int {
	if i >= len(s.doc) {
		return s.ended(i)
	}
	if s.doc[i] != ',' {
		return s.unexpected(i, "after a value")
	}
	return s.space(i + 1)
}

// few is up to how many names are compared one by one.
const few = 16

// nameRef is one name of an open object, without pointers so that a Scanner kept
// for the next document holds on to nothing.
type nameRef struct {
	key uint64 // length and first bytes: different keys are different names
	at  int32  // of the opening quote
}

// nameSet tells repeated names in one object. Its names are those of the Scanner
// from base on; many is used when they are more than a few. Go's maps hash
// with a random seed, so a hostile document cannot make them slow.
type nameSet struct {
	base int
	many map[string]struct{}
}

// add reports whether text, whose quoted form stands at, is new to the set.
func (s *Scanner) add(set *nameSet, text string, at int) bool {
	if set.many != nil {
		n := len(set.many)
		set.many[text] = struct{}{}
		return len(set.many) > n
	}
	key := nameKey(text)
	for i := set.base; i < s.named; i++ {
		if n := s.seen(i); n.key == key && (len(text) < 8 || s.nameAt(int(n.at)) == text) {
			return false
		}
	}
	if s.named-set.base < few {
		s.note(nameRef{key, int32(at)})
		return true
	}
	set.many = make(map[string]struct{}, 4*few)
	for i := set.base; i < s.named; i++ {
		set.many[s.nameAt(int(s.seen(i).at))] = struct{}{}
	}
	set.many[text] = struct{}{}
	return true
}

// seen returns the name with index i among those of all open objects.
func (s *Scanner) seen(i int) *nameRef {
	if i < len(s.names) {
		return &s.names[i]
	}
	return &s.moreNames[i-len(s.names)]
}

func (s *Scanner) note(n nameRef) {
	if s.named < len(s.names) {
		s.names[s.named] = n
	} else {
		s.moreNames = append(s.moreNames[:s.named-len(s.names)], n)
	}
	s.named++
}

func (s *Scanner) nameAt(at int) string {
	return s.text(at+1, closing(s.doc, at+1))
}

// nameKey packs the first seven bytes of a name and its length.
func nameKey(text string) uint64 {
	key := uint64(min(len(text), 255)) << 56
	for i := range min(len(text), 7) {
		key |= uint64(text[i]) << (8 * i)
	}
	return key
}

// hasEscape reports whether the content of a string must be unescaped.
func (s *Scanner) hasEscape(content []byte) bool {
	return s.escapes && bytes.IndexByte(content, '\\') >= 0
}
