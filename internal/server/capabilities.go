package server

import (
	"encoding/json"

	"github.com/aratta-gateway/aratta/internal/dialect/matrix"
)

// encodedMatrix tells what translations between the dialects carry over.
func (s *Server) encodedMatrix() []byte {
	b, err := json.Marshal(matrix.Make(s.opt.Dialects))
	if err != nil { // it holds nothing but strings
		return []byte("{}")
	}
	return append(b, '\n')
}
