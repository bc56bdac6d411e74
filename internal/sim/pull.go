package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Of a model that is fetched: its size, and how often is told how much is there.
const (
	pullSize  = 2_000_000_000
	pullSteps = 8
)

// pull fetches a model as Ollama does, and has it from then on. One whose name
// begins with "no-such" is not in the library.
func (s *Sim) pull(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Model, Name string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil || asked.Model+asked.Name == "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintln(w, `{"error":"model is required"}`)
		return
	}
	f := s.take()
	if !s.before(w, r, f) {
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	ctx := r.Context()
	out := s.tampered(w, r, f)
	tell := func(format string, args ...any) bool {
		_, err := fmt.Fprintf(out, format+"\n", args...)
		_ = http.NewResponseController(out).Flush() // who left is told by the wait
		return err == nil && wait(ctx, jitter(s.opt.Pace)) == nil
	}
	model := asked.Model
	if model == "" {
		model = asked.Name
	}
	if !tell(`{"status":"pulling manifest"}`) {
		return
	}
	if strings.HasPrefix(model, "no-such") {
		tell(`{"error":"pull model manifest: file does not exist"}`)
		return
	}
	for i := range pullSteps + 1 {
		if !tell(`{"status":"pulling 5a1dadacafe0","digest":"sha256:5a1dadacafe0","total":%d,"completed":%d}`, pullSize, pullSize/pullSteps*i) {
			return
		}
	}
	for _, status := range []string{"verifying sha256 digest", "writing manifest", "success"} {
		if status == "success" {
			s.mu.Lock()
			if !slices.Contains(s.pulled, model) && len(s.pulled) < maxPulled {
				s.pulled = append(s.pulled, model)
			}
			s.mu.Unlock()
		}
		if !tell(`{"status":%q}`, status) {
			return
		}
	}
}

// maxPulled bounds what a simulated runtime keeps of what it fetched.
const maxPulled = 64

// models are what it has.
func (s *Sim) models() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.opt.Models, s.pulled)
}
