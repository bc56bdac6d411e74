package server

import (
	"encoding/json"
	"net/http"

	"github.com/aratta-gateway/aratta/internal/dialect/matrix"
	"github.com/aratta-gateway/aratta/scri"
)

// capabilities tells what translations between the dialects carry over.
func (s *Server) capabilities(w http.ResponseWriter, _ *http.Request) *scri.Error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.matrix())
	return nil
}

// encodedMatrix is what capabilities answers.
func (s *Server) encodedMatrix() []byte {
	b, err := json.Marshal(matrix.Make(s.opt.Dialects))
	if err != nil { // it holds nothing but strings
		return []byte("{}")
	}
	return append(b, '\n')
}
