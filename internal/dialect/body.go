package dialect

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	// Each piece of a body must come in time, or a client that sends a byte a
	// minute would hold its connection for ever.
	bodyPiece = 256 << 10
	bodyTime  = 30 * time.Second
	// bodyTrust is the memory that a body gets for its length alone. The rest is
	// taken when so much of it has come.
	bodyTrust = 2 << 20
)

// expectBody bounds the wait for the next piece of the body, whoever reads it:
// of a request that is refused the server itself reads what is left. The bound
// ends with the body.
func expectBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime)) // a recorder has no deadlines
	}
}

// readBody reads all of a body of at most limit bytes, into buf or what replaces
// it there. Decoded trees alias it, so it belongs to its request. *kept is what the
// kernel has of it too, and is closed before buf is let go.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, buf *[]byte, kept **sock.Kept) ([]byte, *scri.Error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Message: "content encoding " + strconv.Quote(enc) + " is not supported",
			Hint: "send the body uncompressed",
		}
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var b []byte
	var err error
	if n := r.ContentLength; n >= 0 {
		b, err = readKnown(w, r, int(n), *buf, kept)
	} else {
		b, err = readUnknown(w, r, limit, *buf)
	}
	*buf = b
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &scri.Error{
			Kind: scri.ErrInvalid, Status: http.StatusRequestTimeout, Err: err,
			Message: fmt.Sprintf("the request body comes too slowly: %d KB took longer than %s", bodyPiece>>10, bodyTime),
		}
	case err != nil:
		return nil, &scri.Error{Kind: scri.ErrInvalid, Message: "the request body did not arrive whole", Err: err}
	case int64(len(b)) > limit:
		return nil, tooLarge(limit)
	}
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // as in expectBody
	}
	return b, nil
}

// readKnown reads a body of n bytes, into buf if it fits.
func readKnown(w http.ResponseWriter, r *http.Request, n int, buf []byte, kept **sock.Kept) ([]byte, error) {
	b := buf[:min(n, cap(buf))]
	if trust := min(n, bodyTrust); len(b) < trust {
		b = make([]byte, trust, trust+trust/8) // the next one is longer by a turn
	}
	if len(b) == n {
		*kept = sock.Keep(r.Context(), b)
	}
	for have, piece := 0, bodyPiece; have < n; {
		if have == len(b) {
			b = append(make([]byte, 0, n), b...)[:n]
		}
		if have >= piece {
			expectBody(w, r)
			piece = have + bodyPiece
		}
		// As much at once as there is: each read tells the client's kernel that there
		// is room again, and wakes it.
		got, err := r.Body.Read(b[have:])
		have += got
		switch {
		case have == n:
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		default:
		}
	}
	return b, nil
}

// readUnknown reads a body that does not say how long it is, up to one byte
// beyond the limit.
func readUnknown(w http.ResponseWriter, r *http.Request, limit int64, buf []byte) ([]byte, error) {
	b := slices.Grow(buf[:0], 8<<10)
	for piece := bodyPiece; int64(len(b)) <= limit; {
		if len(b) >= piece {
			expectBody(w, r)
			piece = len(b) + bodyPiece
		}
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		room := b[len(b):min(int64(cap(b)), limit+1)]
		n, err := r.Body.Read(room)
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

func tooLarge(limit int64) *scri.Error {
	return &scri.Error{
		Kind: scri.ErrInvalid, Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the request body is larger than %d MB", limit>>20),
		Hint:    "shorten the conversation, or raise server.max_body_mb",
	}
}
