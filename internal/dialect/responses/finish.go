package responses

import (
	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// Statuses of a response, and the reasons why one is incomplete.
const (
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
	statusFailed     = "failed"
	statusCancelled  = "cancelled"
	statusQueued     = "queued"
	statusInProgress = "in_progress"

	reasonLength = "max_output_tokens"
	reasonFilter = "content_filter"
)

// isStatus reports whether a word of Finish.Raw is a status by itself; any other
// is the reason why a response is incomplete, but for those that formWord marks.
func isStatus(w string) bool {
	switch w {
	case statusCompleted, statusFailed, statusCancelled, statusQueued, statusInProgress, statusIncomplete:
		return true
	default:
		return false
	}
}

// reason is what a word of Finish.Raw means; called: a tool of the client's is
// to be run.
func reason(w string, called bool) scri.FinishReason {
	switch w {
	case "":
		return ""
	case statusCompleted:
		if called {
			return scri.FinishToolCalls
		}
		return scri.FinishStop
	case reasonLength:
		return scri.FinishLength
	case reasonFilter:
		return scri.FinishContentFilter
	case statusQueued, statusInProgress: // it is answered in the background
		return scri.FinishPause
	case statusFailed:
		return scri.FinishError
	default:
		return scri.FinishOther
	}
}

func finish(w string, called bool) scri.Finish {
	if w == "" {
		return scri.Finish{}
	}
	return scri.Finish{Reason: reason(w, called), Raw: w, Dialect: Name}
}

// formWord stands in the form of an answer whose status is none of those known, so
// that it is not taken for a reason.
const formWord = "status"

// incomplete reads why a response is incomplete, if it is said in the usual way.
func incomplete(raw []byte) string {
	s := wire.NewScanner(raw)
	if s.Kind() != wire.Object {
		return ""
	}
	w, n := "", 0
	for name := range s.Members() {
		n++
		if v := s.Raw(); name == "reason" {
			w = dialect.Word(v)
		}
	}
	if n != 1 || s.Err() != nil || isStatus(w) {
		return ""
	}
	return w
}

// finishWord is the word for how the choice ended that is the node. An answer
// that could be more than one thing is told as the one that makes a client do
// what it should.
func (e *encoder) finishWord(f *scri.Finish, called bool) string {
	if f.Dialect == Name && f.Raw != "" && (reason(f.Raw, called) == f.Reason || reason(f.Raw, !called) == f.Reason) {
		return f.Raw
	}
	w := statusCompleted
	switch f.Reason {
	case "":
		e.lose(scri.WarnAdded, "finish/reason", "", statusCompleted, "every answer has a status")
	case scri.FinishLength:
		w = reasonLength
	case scri.FinishContentFilter, scri.FinishRefusal:
		w = reasonFilter
	default:
	}
	if means := reason(w, called); f.Reason != "" && means != f.Reason {
		e.lose(scri.WarnChanged, "finish/reason", string(f.Reason), string(means), "")
	}
	if f.Detail != "" {
		e.drop("finish/detail", "only a status is given")
	}
	return w
}

// statusOf takes a word of Finish.Raw apart.
func (e *encoder) statusOf(w string) (status, reason string) {
	if w == "" || isStatus(w) || e.odd {
		return w, ""
	}
	return statusIncomplete, w
}
