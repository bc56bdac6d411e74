package dialect

import (
	"errors"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Invalid makes of what a wire.Scanner found wrong with a client's body the
// error that refuses it: of kind invalid, with the pointer to the field. What
// is an *scri.Error already stays as it is; nil stays nil.
func Invalid(err error) *scri.Error {
	if err == nil {
		return nil
	}
	if known, ok := errors.AsType[*scri.Error](err); ok {
		return known
	}
	out := &scri.Error{Kind: scri.ErrInvalid, Status: http.StatusBadRequest, Message: err.Error(), Err: err}
	var syntax *wire.SyntaxError
	var misfit *wire.TypeError
	switch {
	case errors.As(err, &syntax):
		out.Path = syntax.Pointer
		out.Hint = "the body must be one JSON value in UTF-8, nested at most 128 deep, without repeated names"
	case errors.As(err, &misfit):
		out.Path = misfit.Pointer
		if misfit.Want != "" {
			out.Message = "expected " + misfit.Want + " but got " + misfit.Got
			out.Hint = "send a value of the expected type, or leave the field out"
		} else {
			out.Message = misfit.Msg
		}
	}
	return out
}

// Missing is the error that refuses a request without a required field.
func Missing(path string) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrInvalid, Status: http.StatusBadRequest, Path: path,
		Message: "a required field is missing",
	}
}

// Misfit reports whether err is about sound JSON of another type or shape than a
// decoder has looked for.
func Misfit(err error) bool {
	var e *wire.TypeError
	return errors.As(err, &e)
}

// Word is the text of a raw JSON string such as [wire.Scanner.Peek] returns, ""
// for all else.
func Word(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	return scri.QuotedText(raw).String()
}
