package server

import (
	"encoding/json"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect/matrix"
	"github.com/aratta-gateway/aratta/scri"
)

// capabilities tells what translations between the dialects carry over.
func (s *Server) capabilities(w http.ResponseWriter, r *http.Request) {
	x := &scri.Exchange{Op: "capabilities", Header: r.Header, Lineage: &scri.Lineage{Ingress: "native"}}
	d := s.likely(r.URL.Path)
	var err *scri.Error
	if x.ID, x.Caller, err = s.admit(r); err != nil {
		s.fail(w, r, d, x, err)
		return
	}
	identify(w.Header(), d.Name(), x.ID)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.matrix())
	s.logged(r.Context(), x, http.StatusOK, nil)
}

// encodedMatrix is what capabilities answers.
func (s *Server) encodedMatrix() []byte {
	b, err := json.Marshal(matrix.Make(s.opt.Dialects))
	if err != nil { // it holds nothing but strings
		return []byte("{}")
	}
	return append(b, '\n')
}
