package cohere

import "github.com/aratta-gateway/aratta/scri"

// Reasons why an answer ended.
const (
	endComplete = "COMPLETE"
	endStop     = "STOP_SEQUENCE"
	endMax      = "MAX_TOKENS"
	endTool     = "TOOL_CALL"
	endError    = "ERROR"
	endTimeout  = "TIMEOUT"
	endToxic    = "ERROR_TOXIC"
	endLimit    = "ERROR_LIMIT"
)

func finishReason(word string) scri.FinishReason {
	switch word {
	case "":
		return ""
	case endComplete, endStop:
		return scri.FinishStop
	case endMax, endLimit:
		return scri.FinishLength
	case endTool:
		return scri.FinishToolCalls
	case endError, endTimeout:
		return scri.FinishError
	case endToxic:
		return scri.FinishContentFilter
	default:
		return scri.FinishOther
	}
}

func finishOf(word string) scri.Finish {
	if word == "" {
		return scri.Finish{}
	}
	return scri.Finish{Reason: finishReason(word), Raw: word, Dialect: Name}
}

// finishWord is the word for how the answer ended, and tells at the node, which
// is its choice, what it cannot say. called: it asks for a tool to be run, which
// clients expect to be said.
func (e *encoder) finishWord(f *scri.Finish, called bool) string {
	if f.Dialect == Name && f.Raw != "" && finishReason(f.Raw) == f.Reason {
		return f.Raw
	}
	if f.Detail != "" {
		e.Drop("finish/detail", "only that there was a reason can be told")
	}
	word, means := endComplete, scri.FinishStop
	switch f.Reason {
	case "":
		e.Tell(scri.WarnAdded, "finish", "", endComplete, "every answer has a reason for its end")
		return word
	case scri.FinishStop:
		switch {
		case called:
			word, means = endTool, scri.FinishToolCalls
		case f.Detail != "":
			word = endStop
		}
	case scri.FinishLength:
		word, means = endMax, scri.FinishLength
	case scri.FinishToolCalls:
		word, means = endTool, scri.FinishToolCalls
	case scri.FinishError, scri.FinishContentFilter:
		word, means = endError, scri.FinishError
	default:
	}
	if means != f.Reason {
		e.Tell(scri.WarnChanged, "finish/reason", string(f.Reason), string(means), "")
	}
	return word
}
