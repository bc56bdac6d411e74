package dialect

import (
	"io"
	"mime"
	"sync/atomic"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Events is what decoders of streams have in common: what one frame gave, event
// by event, and what comes after it.
type Events struct {
	list   []scri.StreamEvent
	next   int
	err    error
	whole  scri.Stream // the replay of an answer that came whole
	closed atomic.Bool
}

// Emit adds an event.
func (q *Events) Emit(e scri.StreamEvent) { q.list = append(q.list, e) }

// Fail ends the stream after what was added; the first call counts.
func (q *Events) Fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// Failed is the error with which the stream will end, or nil.
func (q *Events) Failed() error { return q.err }

// Ready reports whether Next need not read.
func (q *Events) Ready() bool { return q.next < len(q.list) || q.err != nil || q.whole != nil }

// Close ends the stream.
func (q *Events) Close() error {
	q.closed.Store(true)
	return nil
}

// Next returns the next event and reads as long as there is none.
func (q *Events) Next(r interface{ ReadFrame() }) (*scri.StreamEvent, error) {
	for {
		switch {
		case q.closed.Load():
			return nil, &scri.Error{Kind: scri.ErrCanceled, Message: "the stream was closed"}
		case q.next < len(q.list):
			q.next++
			return &q.list[q.next-1], nil
		case q.err != nil:
			return nil, q.err
		case q.whole != nil:
			return q.whole.Next()
		}
		q.list, q.next = q.list[:0], 0
		r.ReadFrame()
	}
}

// Limit is the bound of one frame of the answer.
func (a *Answer) Limit() int {
	if a.MaxFrame > 0 {
		return a.MaxFrame
	}
	return DefaultMaxFrame
}

// IsJSON reports whether the answer says that it is one JSON value: a whole
// answer where a stream was asked for.
func (a *Answer) IsJSON() bool {
	typ, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return err == nil && typ == "application/json"
}

// ReadWhole reads an answer that came whole although a stream was asked for; what
// follows is its replay.
func (q *Events) ReadWhole(a *Answer, decode func(*Answer) (*scri.ChatResponse, error)) {
	limit := a.Limit()
	body, err := io.ReadAll(io.LimitReader(a.Stream, int64(limit)+1))
	if err == nil && len(body) > limit {
		err = &wire.TooLargeError{Max: limit}
	}
	if err != nil {
		q.Fail(BrokenOff(err))
		return
	}
	whole := *a
	whole.Body = body
	r, err := decode(&whole)
	if err != nil {
		q.Fail(err)
		return
	}
	q.whole = scri.Replay(r)
}
