package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// MaxDepth is how deep arrays and objects may nest in a document.
const MaxDepth = 128

// Kind is the kind of a JSON value.
type Kind byte

// The kinds. Invalid stands for whatever cannot begin a value, the end of the
// document and every position after an error included.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "bool"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	default:
		return "invalid"
	}
}

// Scanner walks once, forward, over one JSON document without copying it.
//
// Errors are sticky and the first one wins: after it every loop ends and every
// getter returns a zero value, so a decoder asks [Scanner.Err] once, at its end.
//
// What a Scanner returns aliases the document, strings included, so neither
// may be modified while the other is in use. Whoever keeps a string from a
// buffer that is going to be reused (a [Frame]) has to clone it.
//
// Skipping and Raw check the whole grammar; repeated names are looked for in
// the objects that are walked with Members (and by [Valid]).
//
// The zero Scanner is ready for Reset. A Scanner must not be copied or shared.
type Scanner struct {
	doc     []byte
	pos     int
	err     error
	ctrl    bool  // a byte below 0x20 is somewhere in doc, so strings must be looked through
	escapes bool  // a backslash is somewhere in doc; all escapes are known to be legal
	walked  int32 // elements that were walked over in all arrays so far
	marked  bool  // by win, as the walk arrives
	depth   int   // of the walk, in levels
	named   int   // names of all open objects, for telling repeated ones
	win     *window

	// Few documents go beyond what is here. Nothing points from a Scanner into
	// itself, so that one may lie on the stack.
	levels     [12]level
	names      [few]nameRef
	moreLevels []level // those that follow levels
	moreNames  []nameRef
}

// level is where the walk stands in one open array or object. Offsets have 32
// bits to keep a Scanner small: there is one for every open stream.
type level struct {
	at    int32 // where the current quoted name or element begins; -1 before the first
	index int32 // of the current element; -1 in objects
}

// NewScanner returns a Scanner at the start of doc.
func NewScanner(doc []byte) *Scanner {
	s := new(Scanner)
	s.Reset(doc)
	return s
}

// Reset puts the Scanner at the start of doc and forgets everything else. UTF-8
// and escapes of a small document are checked here, those of a large one as the
// walk arrives at each string, where the machine is good at that; the memory
// for it is kept for the next one.
func (s *Scanner) Reset(doc []byte) {
	s.doc, s.pos, s.err, s.depth, s.named = doc, 0, nil, 0, 0
	s.walked = 0
	if len(doc) > math.MaxInt32 {
		s.doc = nil
		s.syntax(0, "document larger than 2 GiB")
		return
	}
	if s.marked = len(doc) >= leastMarked && canMark(); s.marked {
		s.ctrl, s.escapes = true, true // perhaps
		if s.win == nil {
			s.win = new(window)
		}
		s.win.base, s.win.end = 0, 0
		return
	}
	f := survey(doc)
	s.ctrl, s.escapes = f.ctrl, f.escapes
	if f.msg != "" {
		s.syntax(f.at, f.msg)
	}
}

// Err returns the first error: nil, a *[SyntaxError] or a *[TypeError].
func (s *Scanner) Err() error { return s.err }

// End reports the first error of the walk, or one if anything but white space
// follows the value that was consumed last. Call it after the top value.
func (s *Scanner) End() error {
	if s.err != nil {
		return s.err
	}
	if s.pos = s.space(s.pos); s.pos < len(s.doc) {
		s.syntax(s.pos, "unexpected "+show(s.doc[s.pos])+" after the top-level value")
	}
	return s.err
}

// Offset returns where in the document the walk stands: behind the value that was
// consumed last.
func (s *Scanner) Offset() int { return s.pos }

// Kind returns the kind of the next value, judged by its first byte.
func (s *Scanner) Kind() Kind {
	if s.err != nil {
		return Invalid
	}
	s.pos = s.space(s.pos)
	if s.pos >= len(s.doc) {
		return Invalid
	}
	return kindOf(s.doc[s.pos])
}

func kindOf(c byte) Kind {
	switch c {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number
	default:
		return Invalid
	}
}

// Mark is a position to come back to.
type Mark struct {
	pos, depth, names int
	level             level
	err               error
}

// Mark remembers the current position.
func (s *Scanner) Mark() Mark {
	m := Mark{pos: s.pos, depth: s.depth, names: s.named, err: s.err}
	if s.depth > 0 {
		m.level = *s.level(s.depth - 1)
	}
	return m
}

// Rewind goes back to m and clears the errors that came after it, so that a
// value can be tried as one shape and then taken as another. It is for use
// within the loop body (the turn of it, too) in which m was made.
//
// A repeated name is such an error as well: Raw will then take the value along
// with its repeated name, until somebody asks [Valid].
func (s *Scanner) Rewind(m Mark) {
	s.pos, s.depth, s.named, s.err = m.pos, m.depth, m.names, m.err
	if n := s.named - len(s.names); n > len(s.moreNames) {
		s.moreNames = s.moreNames[:n]
	}
	if s.depth > 0 {
		*s.level(s.depth - 1) = m.level
	}
}

// Pointer returns the RFC 6901 pointer of the current value: the one that a
// loop has just arrived at, consumed or not. A very long name in it is cut.
func (s *Scanner) Pointer() string {
	if s.depth == 0 {
		return ""
	}
	var b strings.Builder
	for i := range s.depth {
		switch l := s.level(i); {
		case l.at < 0:
		case l.index >= 0:
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(int(l.index)))
		default:
			b.WriteByte('/')
			pointerEscapes(&b, s.shown(int(l.at)+1))
		}
	}
	return b.String()
}

// longName is how much of a name a pointer shows. Pointers go into errors and
// logs, where a name of a megabyte helps nobody.
const longName = 256

// shown returns the name whose content begins at start, or its beginning.
func (s *Scanner) shown(start int) string {
	most := min(len(s.doc), start+longName)
	if end := closing(s.doc[:most], start); end >= 0 {
		return s.text(start, end)
	}
	return strings.ToValidUTF8(s.text(start, most), "") + "…"
}

func pointerEscapes(b *strings.Builder, name string) {
	for i := range len(name) {
		switch name[i] {
		case '~':
			b.WriteString("~0")
		case '/':
			b.WriteString("~1")
		default:
			b.WriteByte(name[i])
		}
	}
}

// Fail records a [TypeError] at the current position, for values that are of
// the right kind but not acceptable.
func (s *Scanner) Fail(format string, args ...any) {
	if s.err == nil {
		s.err = &TypeError{Offset: s.pos, Pointer: s.Pointer(), Msg: fmt.Sprintf(format, args...)}
	}
}

// want checks that the next value is of kind k and moves to its first byte.
func (s *Scanner) want(k Kind) bool {
	if s.err != nil {
		return false
	}
	s.pos = s.space(s.pos)
	if s.pos < len(s.doc) && kindOf(s.doc[s.pos]) == k {
		return true
	}
	s.mismatch(k.String())
	return false
}

// mismatch records that the value at s.pos is not what is wanted.
func (s *Scanner) mismatch(want string) {
	if s.err != nil {
		return
	}
	if s.pos >= len(s.doc) {
		s.syntax(s.pos, msgEnd)
		return
	}
	got := kindOf(s.doc[s.pos])
	if got == Invalid {
		s.syntax(s.pos, "unexpected "+show(s.doc[s.pos])+" where a value should begin")
		return
	}
	s.err = &TypeError{Offset: s.pos, Pointer: s.Pointer(), Want: want, Got: got.String()}
}

func (s *Scanner) syntax(at int, msg string) {
	if s.err == nil {
		s.err = &SyntaxError{Offset: at, Pointer: s.Pointer(), Msg: msg, Cut: isCut(s.doc, at, msg)}
	}
}

// show prints a byte for an error message.
func show(c byte) string {
	if c < 0x20 || c >= 0x7f {
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return "'" + string(rune(c)) + "'"
}
