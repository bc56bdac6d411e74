package dialect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aratta-gateway/aratta/internal/sock"
	"github.com/aratta-gateway/aratta/scri"
)

const (
	// flushAt is how much of a burst is gathered before it is sent all the same.
	flushAt = 32 << 10
	// linger is how long what was gathered waits for more: a stream may say that
	// more is at hand and then find nothing in it to tell.
	linger = 10 * time.Millisecond
	// firstBuffer is the room that what is gathered begins with: some events.
	firstBuffer = 1 << 10
	// writeTime is how long a client may leave unread what it is sent.
	writeTime = 2 * time.Minute
	// tickTime is how often a stream without a keep-alive is looked after.
	tickTime = time.Minute
)

// allowWrite gives the client so much time to take what is written from now on.
// The server takes the bound back itself when the exchange is over.
func allowWrite(w http.ResponseWriter, d time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d)) // a recorder has no deadlines
}

// outlet writes one stream to a client. Its lock is for the timer, which keeps
// the client's connection alive while the handler waits, and does not wait for
// the lock: who holds it is writing.
type outlet struct {
	a     *reply
	enc   StreamEncoder
	conn  sock.Holder   // to the client; nil if it cannot hold what is written
	every time.Duration // between two looks of the timer
	pings bool
	timer *time.Timer

	missed atomic.Bool // the timer found somebody writing
	mu     sync.Mutex
	buf    []byte
	lent   *[]byte // where buf came from; nil between two writes
	open   bool    // the status line is written
	over   bool    // nothing more may be written
	held   bool    // the timer will look after linger
	writes int     // how many times something was sent
	seen   int     // what writes was at the last look of the timer
	fault  string  // what the timer panicked with, and where
	untold *untold // nil: nothing was lost so far
}

func newOutlet(ctx context.Context, a *reply, enc StreamEncoder) *outlet {
	o := &outlet{a: a, enc: enc, every: a.opt.KeepaliveAfter, conn: sock.HolderOf(ctx)}
	o.pings = o.every > 0 && len(enc.Ping(nil)) > 0
	if !o.pings {
		o.every = tickTime
	}
	o.timer = time.AfterFunc(math.MaxInt64, o.tick) // watch sets it
	return o
}

// watch starts the timer.
func (o *outlet) watch() {
	o.extend()
	o.timer.Reset(o.every)
}

// extend puts off the time by which the client must have taken what is written.
// It is done at each look of the timer, as each write would be too often.
func (o *outlet) extend() { allowWrite(o.a.w, max(writeTime, 2*o.every)) }

// tick sends what lies about, or a sign of life if nothing was sent since the
// last look.
func (o *outlet) tick() {
	if !o.mu.TryLock() {
		o.missed.Store(true)
		o.timer.Reset(o.every)
		return
	}
	defer o.mu.Unlock()
	if o.over {
		return
	}
	defer func() {
		if p := recover(); p != nil { // here it would end the process
			o.fault, o.over = fmt.Sprintf("%v, while the handler waited\n%s", p, debug.Stack()), true
		}
	}()
	o.extend()
	quiet := o.writes == o.seen
	switch {
	case len(o.buf) > 0:
		_ = o.send() // the handler's own next write meets the same failure
	case quiet && o.pings:
		o.start(o.a.early(), nil)
		o.begin()
		o.buf = o.enc.Ping(o.buf)
		_ = o.send()
	default:
	}
	o.held, o.seen = false, o.writes
	o.timer.Reset(o.every)
}

// early is what the exchange was before its handler began to change it.
func (a *reply) early() *scri.Exchange {
	x := a.x
	return &scri.Exchange{
		ID: x.ID, Op: x.Op, In: x.In, Req: x.In, Caller: x.Caller, Header: x.Header,
		Lineage: &scri.Lineage{ID: x.ID, Ingress: a.d.Name(), Asked: x.In.Model},
	}
}

// rest ends the timer for good.
func (o *outlet) rest() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.timer.Stop()
}

// rethrow panics with what the timer panicked with, where it can be dealt with.
// It is called after rest.
func (o *outlet) rethrow() {
	if o.fault != "" {
		panic(o.fault)
	}
}

func (o *outlet) start(x *scri.Exchange, head *scri.ChatResponse) {
	if o.open {
		return
	}
	o.open, o.a.sent = true, true
	h := o.a.w.Header()
	v := []string{o.enc.ContentType(), "no-cache", "no"}
	h["Content-Type"], h["Cache-Control"], h["X-Accel-Buffering"] = v[0:1:1], v[1:2:2], v[2:3:3]
	if o.a.opt.Commit != nil {
		o.a.opt.Commit(h, x, head)
	}
	o.a.w.WriteHeader(http.StatusOK)
}

// add encodes an event, and sends what has gathered unless more is at hand.
func (o *outlet) add(ev *scri.StreamEvent, more bool) error {
	if ev.Ext != nil && strange(ev, o.a.d.Name()) {
		o.lose(ev)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fault != "" {
		return errGone
	}
	if !o.open {
		o.start(o.a.x, ev.Head)
	}
	o.begin()
	o.buf = o.enc.Event(o.buf, ev)
	if len(o.buf) == 0 {
		o.giveBack()
		return nil
	}
	if more && len(o.buf) < flushAt {
		if !o.held {
			o.held = true
			o.timer.Reset(linger)
		}
		return nil
	}
	return o.send()
}

// lose warns of what the client's format has no place for.
func (o *outlet) lose(ev *scri.StreamEvent) {
	if _, ok := o.enc.(Total); ok {
		return
	}
	if o.untold == nil {
		o.untold = new(untold)
	}
	o.untold.note(&o.a.x.Warnings, ev)
	o.untold.s.Reset(nil) // or it would hold the event for as long as no other comes
}

// send sends what has gathered, at once.
func (o *outlet) send() error {
	held := o.hold()
	err := o.write()
	if f, ok := o.a.w.(http.Flusher); ok && err == nil {
		f.Flush()
	}
	if held {
		err = errors.Join(err, o.conn.Release())
	}
	return err
}

// onePiece is what the server writes in one piece by itself.
const onePiece = 1 << 10

// hold makes more than that leave in one piece.
func (o *outlet) hold() bool {
	if o.conn == nil || len(o.buf) <= onePiece {
		return false
	}
	o.conn.Hold()
	return true
}

func (o *outlet) write() error {
	o.writes++
	if o.missed.Swap(false) {
		o.extend()
	}
	_, err := o.a.w.Write(o.buf)
	o.giveBack()
	return err
}

func (o *outlet) giveBack() {
	if cap(o.buf) <= 4*flushAt {
		*o.lent = o.buf[:0]
		o.a.bufs.Put(o.lent)
	}
	o.buf, o.lent = nil, nil
}

// begin sees to it that there is memory to gather in. A stream that waits has
// none.
func (o *outlet) begin() {
	if o.lent != nil {
		return
	}
	o.lent, _ = o.a.bufs.Get().(*[]byte)
	if o.lent == nil {
		first := make([]byte, 0, firstBuffer)
		o.lent = &first
	}
	o.buf = *o.lent
}

// end writes the end of the stream. It is called after rest. The server sends it
// together with the end of the body, which follows at once.
func (o *outlet) end(err *scri.Error) {
	o.extend()
	o.start(o.a.x, nil)
	o.begin()
	o.buf = o.enc.End(o.buf, err)
	if len(o.buf) > 0 {
		o.hold()
		_ = o.write() // the answer is over; the client may be gone
	}
}
