package openai

import (
	"strconv"

	"github.com/aratta-gateway/aratta/scri"
)

// reason is what a provider's word means; calls says whether tools are called,
// as some say "stop" even then.
func reason(raw string, calls bool) scri.FinishReason {
	switch raw {
	case "stop", "eos", "stop_sequence", "end_turn":
		if calls {
			return scri.FinishToolCalls
		}
		return scri.FinishStop
	case "length", "model_length", "max_tokens":
		return scri.FinishLength
	case "tool_calls", "function_call":
		return scri.FinishToolCalls
	case "content_filter", "sensitive":
		return scri.FinishContentFilter
	case "error", "network_error", "insufficient_system_resource":
		return scri.FinishError
	case "":
		return ""
	default:
		return scri.FinishOther
	}
}

// finish is how an answer ended, by the provider's word.
func finish(raw string, calls bool) scri.Finish {
	return scri.Finish{Reason: reason(raw, calls), Raw: raw, Dialect: name}
}

// finishWord is the word to write; exact is false when it means something else.
func finishWord(f *scri.Finish) (w string, exact bool) {
	if f.Dialect == name && f.Raw != "" && (reason(f.Raw, false) == f.Reason || reason(f.Raw, true) == f.Reason) {
		return f.Raw, true
	}
	switch f.Reason {
	case scri.FinishStop, scri.FinishLength, scri.FinishToolCalls, scri.FinishContentFilter, scri.FinishError:
		return string(f.Reason), true
	case scri.FinishRefusal:
		return "content_filter", false
	case "":
		return "", true
	default:
		return "stop", false
	}
}

// finishReason writes the member finish_reason; without a reason it is null, or
// an empty string.
func (e *encoder) finishReason(f *scri.Finish, calls, empty bool) {
	w, exact := finishWord(f)
	path := "/choices/" + strconv.Itoa(e.choice) + "/finish"
	if !exact || f.Reason != "" && reason(w, calls) != f.Reason {
		e.tell(scri.WarnChanged, path+"/reason", "written as "+w)
	}
	if f.Detail != "" {
		e.dropped(path+"/detail", "only a reason is given")
	}
	e.Key("finish_reason")
	if w == "" && !empty {
		e.Null()
		return
	}
	e.Str(w)
}
