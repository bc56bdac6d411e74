package mend

import "strings"

// verdict is what a text that is still coming may turn out to be.
type verdict uint8

const (
	plain verdict = iota // no call so far
	maybe                // it may begin one
	held                 // it does
)

// look judges the text that was not passed on yet. alone says that nothing of its
// part was, so that it may be a call without any mark.
func look(text string, alone bool) verdict {
	if _, mark := firstMark(text); mark != "" {
		return held
	}
	if alone && mayBeCall(strings.TrimLeft(text, " \t\r\n")) {
		return maybe
	}
	for _, m := range marks() {
		for n := min(len(m)-1, len(text)); n > 0; n-- {
			if strings.HasSuffix(text, m[:n]) {
				return maybe
			}
		}
	}
	return plain
}

// mayBeCall reports whether a text may go on to be nothing but a call.
func mayBeCall(t string) bool {
	const ticks = "```"
	switch {
	case t == "" || strings.HasPrefix(ticks, t):
		return true
	case strings.HasPrefix(t, ticks):
		lang, body, ok := strings.Cut(t[len(ticks):], "\n")
		lang = strings.TrimSpace(lang)
		if !ok {
			return startsAny(lang, "json", "tool_call", "tool_code")
		}
		if lang != "" && lang != "json" && lang != "tool_call" && lang != "tool_code" {
			return false
		}
		return mayBeValue(strings.TrimLeft(body, " \t\r\n"))
	default:
		return mayBeValue(t)
	}
}

// mayBeValue reports whether a text may go on to be a call, or a list of calls, in JSON.
func mayBeValue(t string) bool {
	if strings.HasPrefix(t, "[") {
		t = strings.TrimLeft(t[1:], " \t\r\n")
	}
	if t == "" {
		return true
	}
	if t[0] != '{' {
		return false
	}
	t = strings.TrimLeft(t[1:], " \t\r\n")
	if t == "" {
		return true
	}
	if t[0] != '"' {
		return false
	}
	key, _, ok := strings.Cut(t[1:], `"`)
	if !ok {
		return startsAny(key, "name", "function", "arguments", "parameters", "args", "id", "type")
	}
	switch key {
	case "name", "function", "arguments", "parameters", "args", "id", "type":
		return true
	default:
		return false
	}
}

// startsAny reports whether one of the words begins with s.
func startsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.HasPrefix(w, s) {
			return true
		}
	}
	return false
}
