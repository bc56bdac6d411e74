package dialect

import "github.com/aratta-gateway/aratta/internal/wire"

// What the completions APIs of OpenAI, and those who took them over, have in common.

// OpenAIFailed reports whether a document tells of an error instead of an answer.
func OpenAIFailed(s *wire.Scanner) bool {
	if v := s.Peek("error"); len(v) > 0 && string(v) != "null" {
		return true
	}
	if s.Peek("choices") != nil {
		return false
	}
	return Word(s.Peek("object")) == "error" || s.Peek("detail") != nil
}

// OpenAIStop reads words that end an answer: a list, or one alone.
func OpenAIStop(s *wire.Scanner, u *Unknown) (stop []string) {
	if s.Kind() == wire.String {
		u.Form("stop")
		return []string{s.Unquoted()}
	}
	for range s.Elements() {
		stop = append(stop, s.Unquoted())
	}
	if stop == nil && s.Err() == nil {
		u.Form("stop[]")
	}
	return stop
}

// OpenAIStreamOptions reads whether the client wants the usage of a stream, as a form
// of u; what else there is goes into u.
func OpenAIStreamOptions(s *wire.Scanner, u *Unknown) {
	var rest Unknown
	form := "stream_options"
	for name := range s.Members() {
		if name == "include_usage" && s.Kind() == wire.Bool {
			if form = "usage=false"; s.Bool() {
				form = "usage"
			}
			continue
		}
		rest.Add(s.Member())
	}
	u.Form(form)
	if !rest.Empty() {
		u.Add(append([]byte(`"stream_options":`), rest.Object()...))
		u.Form("+stream_options")
	}
}
