package overlay

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// frame is one event of a stream on its way through the overlays.
type frame struct {
	event  string // name of the SSE event, "" = none
	drop   bool   // the event is not passed on
	final  bool   // no op looks at it any more
	end    bool   // the stream ends behind it
	err    error  // the stream fails in its place
	before [][]byte
	after  [][]byte
}

// eventType is what kind of event it is: its type member, else its SSE name.
func eventType(t *tree, f *frame) string {
	if n := t.get(t.root, "type"); n != nil && n.kind == wire.String {
		return n.text()
	}
	if f != nil {
		return f.event
	}
	return ""
}

// eventMatcher fits events: by type, or by their shape.
type eventMatcher struct {
	types []string
	shape *matcher
}

func (m *eventMatcher) fits(t *tree, f *frame) bool {
	if m.shape != nil {
		return m.shape.fits(t, t.root)
	}
	return slices.Contains(m.types, eventType(t, f))
}

// events reads a type, a list of types, a mapping or a path ($...).
func (b *builder) events(key string) *eventMatcher {
	v := b.opt(key)
	if v == nil {
		return nil
	}
	if v.kind == wire.Object || v.kind == wire.String && len(v.text) > 1 && v.text[0] == '$' {
		return &eventMatcher{shape: b.matcher(key)}
	}
	return &eventMatcher{types: b.texts(key)}
}

func (b *builder) needEvents(key string) *eventMatcher {
	b.need(key)
	m := b.events(key)
	if m == nil {
		m = &eventMatcher{}
	}
	return m
}

// buildStreamAccept: stream_accept match [as_]. The event is sound as it is: no
// op behind this one sees it. Of metadata, empty texts are left out, as they say
// nothing and could hide what other events say.
func buildStreamAccept(b *builder) {
	m := b.needEvents("match")
	b.opt("as_")
	key := "as"
	if b.v.get("as_") != nil {
		key = "as_"
	}
	metadata := b.oneOf(key, "event", "usage", "metadata") == "metadata"
	b.opt("as")
	b.step.event = func(j *job, f *frame) {
		if !m.fits(j.t, f) {
			return
		}
		f.final, j.did = true, true
		if !metadata {
			return
		}
		for _, e := range append([]member(nil), j.t.object(j.t.root)...) {
			if e.value.kind == wire.String && e.value.text() == "" {
				j.t.remove(e.value)
			}
		}
	}
}

// buildStreamIgnore: stream_ignore (events | match).
func buildStreamIgnore(b *builder) {
	key := "events"
	if b.opt("events") == nil && b.opt("match") != nil {
		key = "match"
	}
	m := b.needEvents(key)
	b.step.event = func(j *job, f *frame) {
		if m.fits(j.t, f) {
			f.drop, j.did = true, true
		}
	}
}

// buildStreamRename: stream_rename from to.
func buildStreamRename(b *builder) {
	from, to := b.word("from"), b.word("to")
	b.step.event = func(j *job, f *frame) {
		if eventType(j.t, f) != from {
			return
		}
		if n := j.t.get(j.t.root, "type"); n != nil {
			j.t.replace(n, quote(to))
		}
		if f.event == from {
			f.event = to
		}
		j.did = true
	}
}

// buildStreamRekey: stream_rekey path [by] [fallback]. The index of each element
// becomes that of its key, in the order in which keys came first.
func buildStreamRekey(b *builder) {
	p := b.node("path")
	by := "id"
	if b.opt("by") != nil {
		by = b.word("by")
	}
	fallback := b.oneOf("fallback", "last open call", "index")
	step := b.step
	b.step.body = func(j *job) {
		for _, n := range j.t.find(nil, j.t.root, p.segs) {
			if n.kind != wire.Object || n.parent == nil {
				continue
			}
			i := strconv.AppendInt(nil, int64(j.keys(step).positionBy(j, n, by, fallback)), 10)
			if old := j.t.get(n, "index"); old == nil || !old.is(i) {
				j.t.put(n, "index", i)
				j.did = true
			}
		}
	}
}

// buildStreamSynthesize: stream_synthesize data (before | after) [unless] [event].
// An event that the server leaves out is told before or after another, once,
// unless the stream had it.
func buildStreamSynthesize(b *builder) {
	before, after, unless := b.events("before"), b.events("after"), b.events("unless")
	name := b.text("event")
	v := b.need("data")
	if b.err == nil && (before == nil) == (after == nil) {
		b.failAt(b.v, "want before or after, and not both")
	}
	data := v.json()
	step := b.step
	b.step.event = func(j *job, f *frame) {
		if done, _ := j.run.state[step].(bool); done {
			return
		}
		if unless != nil && unless.fits(j.t, f) {
			j.run.keep(step, true)
			return
		}
		made := encodeFrame(nil, name, data, j.run.lines)
		switch {
		case before != nil && before.fits(j.t, f):
			f.before = append(f.before, made)
		case after != nil && after.fits(j.t, f):
			f.after = append(f.after, made)
		default:
			return
		}
		j.run.keep(step, true)
		j.did = true
	}
}

// buildStreamError: stream_error match [raise_as] [status_from] [message_from].
func buildStreamError(b *builder) {
	m := b.needEvents("match")
	kind := b.text("raise_as")
	status, message := mustPath("error.code"), mustPath("error.message")
	if b.opt("status_from") != nil {
		status = b.node("status_from")
	}
	if b.opt("message_from") != nil {
		message = b.node("message_from")
	}
	b.step.event = func(j *job, f *frame) {
		if !m.fits(j.t, f) {
			return
		}
		e := &scri.Error{Code: kind, Message: "the provider reported an error within its answer"}
		if x, ok := j.t.one(status).number(); ok && x >= 100 && x < 600 {
			e.Status = int(x)
		}
		e.Kind = kindOfStatus(e.Status)
		if k := scri.ErrorKind(kind); slices.Contains(errorKinds(), k) {
			e.Kind, e.Code = k, ""
		}
		if n := j.t.one(message); n != nil && n.kind == wire.String {
			e.Message = n.text()
		}
		e.Raw = append([]byte(nil), j.t.root.json()...)
		f.err, j.did = e, true
	}
}

// errorKinds are those that an overlay may name.
func errorKinds() []scri.ErrorKind {
	return []scri.ErrorKind{
		scri.ErrInvalid, scri.ErrUnsupported, scri.ErrAuth, scri.ErrPermission, scri.ErrNotFound, scri.ErrRateLimited, scri.ErrQuota,
		scri.ErrContextLength, scri.ErrContentFilter, scri.ErrOverloaded, scri.ErrTimeout, scri.ErrUnavailable,
	}
}

func kindOfStatus(status int) scri.ErrorKind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return scri.ErrInvalid
	case http.StatusUnauthorized:
		return scri.ErrAuth
	case http.StatusForbidden:
		return scri.ErrPermission
	case http.StatusNotFound:
		return scri.ErrNotFound
	case http.StatusPaymentRequired:
		return scri.ErrQuota
	case http.StatusTooManyRequests:
		return scri.ErrRateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return scri.ErrTimeout
	case http.StatusServiceUnavailable, 529:
		return scri.ErrOverloaded
	default:
		return scri.ErrUnavailable
	}
}

// buildStreamEnd: stream_end match [drop]. The stream is over with this event.
func buildStreamEnd(b *builder) {
	m, drop := b.needEvents("match"), b.flag("drop")
	b.step.event = func(j *job, f *frame) {
		if m.fits(j.t, f) {
			f.end, f.drop, j.did = true, f.drop || drop, true
		}
	}
}
