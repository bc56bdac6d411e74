package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// SyntaxError says where a document stops being JSON as RFC 8259 and this
// package define it: grammar, UTF-8, escapes, depth, repeated names.
type SyntaxError struct {
	Offset  int    // in bytes from the start of the document
	Pointer string // RFC 6901, of the innermost value that was being walked
	Msg     string
	Cut     bool // it is sound until it ends in its middle
}

// What is wrong with a document that may just be cut.
const (
	msgEnd    = "unexpected end of document"
	msgOpen   = "string without end"
	msgRune   = "invalid UTF-8"
	msgEscape = "invalid escape in string"
)

// longestEscape is a pair of surrogates.
const longestEscape = len(`\ud83e\udd9c`)

// isCut reports whether a mistake at an index is nothing but the document's end. An
// empty document is not cut.
func isCut(doc []byte, at int, msg string) bool {
	switch msg {
	case msgEnd:
		return at > 0
	case msgOpen:
		return true
	case msgRune, msgEscape: // its end, if nothing follows that would be whole
		rest := doc[at:]
		return len(rest) < longestEscape && bytes.IndexByte(rest, '"') < 0
	default:
		return false
	}
}

func (e *SyntaxError) Error() string {
	return "invalid JSON" + place(e.Pointer, e.Offset) + ": " + e.Msg
}

// TypeError says that a value is sound JSON but not what its reader wants.
type TypeError struct {
	Offset  int    // in bytes from the start of the document
	Pointer string // RFC 6901, of the value
	Want    string // such as "string"
	Got     string // such as "number"
	Msg     string // what [Scanner.Fail] was told; Want and Got are then empty
}

func (e *TypeError) Error() string {
	msg := e.Msg
	if msg == "" {
		msg = "want " + e.Want + ", got " + e.Got
	}
	return "unexpected JSON value" + place(e.Pointer, e.Offset) + ": " + msg
}

func place(pointer string, offset int) string {
	at := " at byte " + strconv.Itoa(offset)
	if pointer != "" {
		at += " (" + pointer + ")"
	}
	return at
}

// TooLargeError says that a stream holds a frame above the reader's limit.
type TooLargeError struct {
	Max int // the limit in bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("stream frame larger than %d bytes", e.Max)
}
