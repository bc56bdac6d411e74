package dialect

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Unreadable is the error about an answer that is not what its dialect says: the
// provider is broken, or something else answered in its place. What is an
// *scri.Error already stays as it is. What is sound until it ends in its middle is
// truncated, not strange.
func Unreadable(err error) *scri.Error {
	if known, ok := errors.AsType[*scri.Error](err); ok {
		return known
	}
	if e, ok := errors.AsType[*wire.SyntaxError](err); ok && e.Cut {
		return &scri.Error{Kind: scri.ErrTruncated, Message: "the answer ends in its middle: " + err.Error(), Err: err}
	}
	return &scri.Error{
		Kind: scri.ErrUnavailable, Message: "the answer cannot be read: " + err.Error(), Err: err,
		Hint: "check that base_url and dialect belong to this provider",
	}
}

// BrokenOff is the error about a stream that could not be read to its end. err
// is what the frame reader returned, io.EOF for an end without a finish reason.
func BrokenOff(err error) *scri.Error {
	var known *scri.Error
	var large *wire.TooLargeError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled):
		return &scri.Error{Kind: scri.ErrCanceled, Message: "the answer was no longer wanted", Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &scri.Error{Kind: scri.ErrTimeout, Message: "the answer took too long", Err: err}
	case errors.As(err, &large):
		return &scri.Error{Kind: scri.ErrUnavailable, Message: err.Error(), Err: err}
	case errors.Is(err, io.EOF):
		return &scri.Error{Kind: scri.ErrTruncated, Message: "the answer ended without a finish reason", Err: err}
	default:
		return &scri.Error{Kind: scri.ErrTruncated, Message: "the answer broke off: " + err.Error(), Err: err}
	}
}
