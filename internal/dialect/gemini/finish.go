package gemini

import (
	"strings"

	"github.com/aratta-gateway/aratta/scri"
)

// Reasons why an answer ended, with the numbers that Google's own clients may
// ask for in place of the words.
const (
	finishUnspecified = "FINISH_REASON_UNSPECIFIED"
	finishStop        = "STOP"
	finishMax         = "MAX_TOKENS"
	finishSafety      = "SAFETY"
	finishOther       = "OTHER"
)

// reasonOf is what a word means; calls: the client is asked to run a function, of
// which Google says that the model stopped.
func reasonOf(word string, calls bool) scri.FinishReason {
	switch word {
	case "", finishUnspecified, "0":
		return ""
	case finishStop, "1":
		if calls {
			return scri.FinishToolCalls
		}
		return scri.FinishStop
	case finishMax, "2":
		return scri.FinishLength
	case finishSafety, "3", "RECITATION", "4", "BLOCKLIST", "7", "PROHIBITED_CONTENT", "8", "SPII", "9",
		"IMAGE_SAFETY", "11", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "JAILBREAK":
		return scri.FinishContentFilter
	case "MALFORMED_FUNCTION_CALL", "10", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return scri.FinishError
	default:
		return scri.FinishOther
	}
}

// reasonWord is the word for how the choice ended that is the node.
func (e *encoder) reasonWord(f *scri.Finish, calls bool) string {
	if f.Dialect == Name && f.Raw != "" && reasonOf(f.Raw, calls) == f.Reason {
		return f.Raw
	}
	word := finishOther
	switch f.Reason {
	case "":
		return ""
	case scri.FinishStop, scri.FinishToolCalls, scri.FinishPause:
		word = finishStop
	case scri.FinishLength:
		word = finishMax
	case scri.FinishContentFilter, scri.FinishRefusal:
		word = finishSafety
	default: // errors and what nobody has a word for
	}
	if means := reasonOf(word, calls); means != f.Reason {
		e.Tell(scri.WarnChanged, "finish/reason", string(f.Reason), string(means), "")
	}
	return word
}

// isNumber reports whether a word is one of the numbers.
func isNumber(word string) bool {
	return word != "" && len(word) < 6 && strings.Trim(word, "0123456789") == "" && (word == "0" || word[0] != '0')
}

// finish writes how the choice ended that is the node. It returns said with the
// members that it wrote.
func (e *encoder) finish(said []string, f *scri.Finish, calls bool) []string {
	if word := e.reasonWord(f, calls); word != "" {
		said = append(said, "finishReason")
		e.w.Key("finishReason")
		if f.Dialect == Name && isNumber(word) {
			e.w.Raw([]byte(word))
		} else {
			e.w.Str(word)
		}
	}
	if f.Detail != "" {
		said = append(said, "finishMessage")
		e.w.Key("finishMessage")
		e.w.Str(f.Detail)
	}
	return said
}
