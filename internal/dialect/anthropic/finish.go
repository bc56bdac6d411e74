package anthropic

import "github.com/aratta-gateway/aratta/scri"

// Reasons why an answer ended.
const (
	stopEndTurn  = "end_turn"
	stopMax      = "max_tokens"
	stopSequence = "stop_sequence"
	stopToolUse  = "tool_use"
	stopPause    = "pause_turn"
	stopRefusal  = "refusal"
	stopWindow   = "model_context_window_exceeded"
)

func finishReason(stop string) scri.FinishReason {
	switch stop {
	case "":
		return ""
	case stopEndTurn, stopSequence:
		return scri.FinishStop
	case stopMax, stopWindow:
		return scri.FinishLength
	case stopToolUse:
		return scri.FinishToolCalls
	case stopPause:
		return scri.FinishPause
	case stopRefusal:
		return scri.FinishRefusal
	default:
		return scri.FinishOther
	}
}

func finishOf(stop, sequence string) scri.Finish {
	switch {
	case stop == "" && sequence == "":
		return scri.Finish{}
	case stop == "":
		return scri.Finish{Dialect: Name, Detail: sequence}
	}
	return scri.Finish{Reason: finishReason(stop), Raw: stop, Dialect: Name, Detail: sequence}
}

// stopReason is the word for how the choice ended that is the node; called:
// the answer asks the client to run a tool, which clients expect to be said.
func (e *encoder) stopReason(f *scri.Finish, called bool) string {
	if f.Dialect == Name && f.Raw != "" && finishReason(f.Raw) == f.Reason {
		return f.Raw
	}
	word, means := stopEndTurn, scri.FinishStop
	switch f.Reason {
	case "":
		return ""
	case scri.FinishStop:
		switch {
		case called:
			word, means = stopToolUse, scri.FinishToolCalls
		case f.Detail != "":
			word = stopSequence
		}
	case scri.FinishLength:
		word, means = stopMax, scri.FinishLength
	case scri.FinishToolCalls:
		word, means = stopToolUse, scri.FinishToolCalls
	case scri.FinishPause:
		word, means = stopPause, scri.FinishPause
	case scri.FinishRefusal, scri.FinishContentFilter:
		word, means = stopRefusal, scri.FinishRefusal
	default: // errors and what nobody has a word for
	}
	if means != f.Reason {
		e.lose(scri.WarnChanged, "finish/reason", string(f.Reason), string(means), "")
	}
	return word
}

// finish writes how the choice ended that is the node.
func (e *encoder) finish(f *scri.Finish, called bool, skip func(name string) bool) {
	word := e.stopReason(f, called)
	if !skip("stop_reason") {
		e.w.Key("stop_reason")
		e.strOrNull(word)
	}
	detail := f.Detail
	if detail != "" && word != stopSequence && f.Dialect != Name {
		e.drop("finish/detail", "only a stop sequence can be told")
		detail = ""
	}
	if !skip("stop_sequence") {
		e.w.Key("stop_sequence")
		e.strOrNull(detail)
	}
}

func (e *encoder) strOrNull(s string) {
	if s == "" {
		e.w.Null()
	} else {
		e.w.Str(s)
	}
}
