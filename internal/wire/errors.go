package wire

import (
	"fmt"
	"strconv"
)

// SyntaxError says where a document stops being JSON as RFC 8259 and this
// package define it: grammar, UTF-8, escapes, depth, repeated names.
type SyntaxError struct {
	Offset  int    // in bytes from the start of the document
	Pointer string // RFC 6901, of the innermost value that was being walked
	Msg     string
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
