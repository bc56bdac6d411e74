package overlay

import (
	"net/http"

	"github.com/aratta-gateway/aratta/scri"
)

// Request is what an attempt sends, as far as overlays change it.
type Request struct {
	Body   []byte      // never changed in place
	Buf    []byte      // memory for a changed body, which may not be Body's; that of the changed one from then on
	Header http.Header // never changed by anybody; replaced by another, which may be shared, too
	Path   string      // of the whole address, escaped
	Query  string      // without the question mark
	Model  string      // the provider's name of the model
}

// Run is the overlays of one attempt: what they do to its request, and what they
// must remember for its answer. It serves one attempt and no two goroutines at once.
type Run struct {
	// Warnings tell what of the request was dropped or changed.
	Warnings []scri.Warning

	plan    *Plan
	t       *tree
	facts   []bool
	near    [16]bool // room for most facts
	fetch   Fetch
	err     error
	ids     map[string]string // rewritten id -> the client's
	dialect string
	moved   bool
	stream  bool
	lines   bool // the stream is lines, not events
	state   map[*step]any
	before  *prefixes
}

// Begin opens the run of one attempt. fetch gets media that a target wants inline;
// nil = nobody does.
func (p *Plan) Begin(fetch Fetch) *Run { return &Run{plan: p, fetch: fetch} }

// Names lists the overlays in force, as lineages do.
func (r *Run) Names() []string { return r.plan.names }

// Dialect is the dialect that the request must be encoded in anew, or "". moved
// says that the path of the request is settled already.
func (r *Run) Dialect() (name string, moved bool) { return r.dialect, r.moved }

// Streams reports whether the request streams upstream though its client does not.
func (r *Run) Streams() bool { return r.stream }

func (r *Run) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// keep remembers something of one step until the run is over.
func (r *Run) keep(s *step, v any) {
	if r.state == nil {
		r.state = map[*step]any{}
	}
	r.state[s] = v
}

func (r *Run) rewrote(now, was string) {
	if r.ids == nil {
		r.ids = map[string]string{}
	}
	r.ids[now] = was
}

// Request edits a request. An error is a *scri.Error: the request must not be
// sent. A body that is no JSON stays as it is.
func (r *Run) Request(q *Request) error {
	t := r.take()
	defer r.give()
	t.request = *q // which then need not be on the heap
	r.edit(t, &t.request)
	r.Warnings = t.warnings()
	*q = t.request
	return r.err
}

// edit lets all steps act on a request, until one of them fails.
func (r *Run) edit(t *tree, q *Request) {
	t.load(q.Body)
	t.sound = true // a dialect wrote it
	if r.facts = r.near[:0]; r.plan.facts > len(r.near) {
		r.facts = make([]bool, 0, r.plan.facts)
	}
	r.facts = r.facts[:r.plan.facts]
	own := false // the header is a copy already
	if len(r.plan.headers) > 0 {
		q.Header = r.plan.header(q.Header)
	}
	j := &t.work
	*j = job{run: r, t: t}
	for i := range r.plan.list {
		pl := &r.plan.list[i]
		j.o, j.was, j.ahead = pl.o, nil, false
		j.facts = r.facts[pl.facts : pl.facts+len(pl.o.facts)]
		for k := range pl.o.facts {
			j.facts[k] = pl.o.facts[k].holds(t)
		}
		for _, st := range pl.request {
			if st.headers != nil && !own {
				q.Header, own = cloneHeader(q.Header), true
			}
			r.act(j, st, q, nil)
			if r.err != nil {
				return
			}
		}
	}
	if t.changed && t.err == nil {
		q.Buf = t.appendTo(q.Buf[:0])
		q.Body = q.Buf
	}
}

// take takes a tree out of the pool.
func (r *Run) take() *tree {
	r.t, _ = r.plan.set.trees.Get().(*tree)
	return r.t
}

// give gives it back.
func (r *Run) give() {
	r.t.release()
	r.plan.set.trees.Put(r.t)
	r.t = nil
}

func (r *Run) job(pl *planned) job {
	j := job{run: r, t: r.t, o: pl.o}
	if r.facts != nil {
		j.facts = r.facts[pl.facts : pl.facts+len(pl.o.facts)]
	}
	return j
}

// act lets one step act, if its conditions hold.
func (r *Run) act(j *job, st *step, q *Request, f *frame) {
	if st.fallback && j.ahead && !st.stayPut {
		return
	}
	j.step, j.did, j.frame = st, false, f
	if st.when != nil && !st.when.own && !st.when.holds(j, nil) {
		j.ahead = j.ahead && st.fallback
		return
	}
	switch {
	case st.body != nil:
		st.body(j)
	case st.headers != nil:
		st.headers(j, q.Header)
	case st.route != nil:
		st.route(j, q)
	case st.event != nil:
		st.event(j, f)
	}
	j.ahead = j.did || j.ahead && st.fallback
}

// Response edits a whole answer. What is no JSON stays as it is.
func (r *Run) Response(body []byte) []byte {
	if !r.plan.response {
		return body
	}
	t := r.take()
	defer r.give()
	t.load(body)
	for i := range r.plan.list {
		pl := &r.plan.list[i]
		j := r.job(pl)
		for _, st := range pl.response {
			r.act(&j, st, nil, nil)
		}
		for _, st := range pl.undo {
			st.remedy.undo(&j, false)
		}
		for _, st := range pl.echoes {
			j.step = st
			st.echo.capture(&j)
		}
	}
	return t.bytes()
}
