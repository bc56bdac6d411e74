package overlay

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
)

// editedHeader is what became of headers. Requests to one provider share theirs, so
// that what steps make of them is made once, where it depends on nothing else.
type editedHeader struct{ of, to http.Header }

// gatherHeaders takes the steps that act on headers out of their overlays, if each
// does the same in every request and no other step looks at whether it did.
func (p *Plan) gatherHeaders() {
	var list []*step
	for i := range p.list {
		steps := p.list[i].request
		for k, st := range steps {
			if st.headers == nil {
				continue
			}
			if !st.constant || st.when != nil || st.fallback || k+1 < len(steps) && steps[k+1].fallback {
				return
			}
			list = append(list, st)
		}
	}
	for i := range p.list {
		pl := &p.list[i]
		pl.request = slices.DeleteFunc(pl.request, func(st *step) bool { return st.headers != nil })
	}
	p.headers = list
}

// header is what the gathered steps make of headers.
func (p *Plan) header(h http.Header) http.Header {
	e := p.edited.Load()
	if e == nil || reflect.ValueOf(e.of).Pointer() != reflect.ValueOf(h).Pointer() {
		e = &editedHeader{h, cloneHeader(h)}
		var j job
		for _, st := range p.headers {
			st.headers(&j, e.to)
		}
		p.edited.Store(e)
	}
	return e.to
}

func cloneHeader(h http.Header) http.Header {
	c := maps.Clone(h) // values are replaced whole, never changed
	if c == nil {
		c = http.Header{}
	}
	return c
}
