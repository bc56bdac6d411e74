package server

import (
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/scri"
)

// kept serves what clients ask of answers that the gateway keeps for them.
func (s *Server) kept(d dialect.Dialect, route dialect.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &scri.Exchange{Op: route.Op, Header: r.Header, Lineage: &scri.Lineage{Ingress: d.Name()}}
		var err *scri.Error
		if x.ID, x.Caller, err = s.admit(r); err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		identify(w.Header(), d.Name(), x.ID)
		body, err := s.keptAnswer(d, route, r, x.Caller)
		if err != nil {
			s.fail(w, r, d, x, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the client may be gone
		s.over(r.Context(), x, http.StatusOK, nil)
	})
}

// keptParam is the parameter of such a route that names the answer.
const keptParam = "response_id"

func (s *Server) keptAnswer(d dialect.Dialect, route dialect.Route, r *http.Request, c scri.Caller) ([]byte, *scri.Error) {
	k, ok := d.(dialect.Keeper)
	if !ok {
		return nil, &scri.Error{Kind: scri.ErrUnsupported, Message: "answers are not kept in this dialect"}
	}
	id := r.PathValue(keptParam)
	var answer *dialect.Kept
	if s.opt.Answers == nil {
		return nil, &scri.Error{Kind: scri.ErrUnsupported, Message: "answers are not kept here"}
	}
	if t := s.opt.Answers.Answer(c, id); t != nil {
		answer = &dialect.Kept{Request: t.Request, Response: t.Response, Input: t.Input}
	}
	in := &dialect.Incoming{Route: route, Header: r.Header, Query: r.URL.Query(), Param: r.PathValue}
	body, err := k.EncodeKept(in, answer)
	if err != nil {
		return nil, scri.AsError(err)
	}
	if route.Method == http.MethodDelete && !s.opt.Answers.Forget(c, id) { // somebody else was faster
		if body, err = k.EncodeKept(in, nil); err != nil {
			return nil, scri.AsError(err)
		}
	}
	return body, nil
}
