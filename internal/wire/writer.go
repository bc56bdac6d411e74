package wire

import (
	"math"
	"strconv"
)

// Writer appends JSON to B. It keeps no state: whether a comma is due is seen
// from the last byte, so B may be written to by hand as well. The caller sees
// to it that values and names alternate and brackets match. See Splice for
// documents of which B is not the whole.
type Writer struct {
	B []byte

	src   []byte
	least int
	cuts  []cut
}

// Comma puts a comma if the last byte asks for one: not at the start, nor after
// an opening bracket, a colon, a comma, or white space (such as a frame's
// prefix; no value ends in it).
func (w *Writer) Comma() {
	if len(w.B) == 0 {
		return
	}
	switch w.B[len(w.B)-1] {
	case '{', '[', ':', ',', ' ', '\n':
	default:
		w.B = append(w.B, ',')
	}
}

// Key writes a member's name and colon. name is a plain constant and is not
// escaped; for any other use Str and append the colon.
func (w *Writer) Key(name string) {
	w.Comma()
	w.B = append(w.B, '"')
	w.B = append(w.B, name...)
	w.B = append(w.B, '"', ':')
}

// BeginObject opens an object.
func (w *Writer) BeginObject() {
	w.Comma()
	w.B = append(w.B, '{')
}

// EndObject closes an object.
func (w *Writer) EndObject() { w.B = append(w.B, '}') }

// BeginArray opens an array.
func (w *Writer) BeginArray() {
	w.Comma()
	w.B = append(w.B, '[')
}

// EndArray closes an array.
func (w *Writer) EndArray() { w.B = append(w.B, ']') }

// Str writes a string.
func (w *Writer) Str(s string) {
	w.Comma()
	w.B = AppendQuote(w.B, s)
}

// Int writes an integer.
func (w *Writer) Int(n int64) {
	w.Comma()
	w.B = strconv.AppendInt(w.B, n, 10)
}

// Float writes the shortest number that reads back as f; no exponent from 1e-6
// up to 1e21. What JSON has no number for becomes null.
func (w *Writer) Float(f float64) {
	w.Comma()
	switch abs := math.Abs(f); {
	case math.IsNaN(f), math.IsInf(f, 0):
		w.B = append(w.B, "null"...)
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		w.B = strconv.AppendFloat(w.B, f, 'e', -1, 64)
		if n := len(w.B); w.B[n-4] == 'e' && w.B[n-2] == '0' { // e-07: one digit is enough
			w.B[n-2] = w.B[n-1]
			w.B = w.B[:n-1]
		}
	default:
		w.B = strconv.AppendFloat(w.B, f, 'f', -1, 64)
	}
}

// Bool writes true or false.
func (w *Writer) Bool(b bool) {
	w.Comma()
	w.B = strconv.AppendBool(w.B, b)
}

// Null writes null.
func (w *Writer) Null() {
	w.Comma()
	w.B = append(w.B, "null"...)
}

// Raw writes a value as it stands, or a whole `"name":value` as
// [Scanner.Member] returns it. Nothing at all is written as null.
func (w *Writer) Raw(v []byte) {
	v = trim(v)
	if len(v) == 0 {
		w.Null()
		return
	}
	w.Comma()
	w.B = append(w.B, v...)
}

// Members writes the members of the raw object obj into the object that is
// open; an empty one or none at all writes nothing.
func (w *Writer) Members(obj []byte) {
	obj = trim(obj)
	if len(obj) < 2 {
		return
	}
	if obj = trim(obj[1 : len(obj)-1]); len(obj) == 0 {
		return
	}
	w.Comma()
	w.B = append(w.B, obj...)
}
