package server

import (
	"net/http"
	"slices"

	"github.com/aratta-gateway/aratta/scri"
)

// The states of a gateway with its providers.
const (
	allUp   = "ok"
	someUp  = "degraded"
	nobody  = "down"
	without = "no_providers"
)

// providersHealth tells whether the providers can be reached. Its status is 503
// when none can, so that a balancer asks another gateway.
func (s *Server) providersHealth(w http.ResponseWriter, r *http.Request) (int, *scri.Error) {
	list := s.opt.Health(r.Context())
	if err := r.Context().Err(); err != nil {
		return 0, scri.AsError(err) // nobody is there to be told, but the log
	}
	up := func(p scri.ProviderHealth) bool { return p.Up }
	status, state := http.StatusOK, someUp
	switch {
	case len(list) == 0:
		status, state = http.StatusServiceUnavailable, without
		list = []scri.ProviderHealth{}
	case !slices.ContainsFunc(list, up):
		status, state = http.StatusServiceUnavailable, nobody
	case !slices.ContainsFunc(list, func(p scri.ProviderHealth) bool { return !p.Up }):
		state = allUp
	}
	writeJSON(w, status, struct {
		Status    string                `json:"status"`
		Version   string                `json:"version"`
		Providers []scri.ProviderHealth `json:"providers"`
	}{state, s.opt.Version, list})
	return status, nil
}
