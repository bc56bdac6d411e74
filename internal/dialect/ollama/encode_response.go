package ollama

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

const listOutput = "/choices/0/output"

// EncodeResponse appends a whole answer in the shape of the route.
func (ollama) EncodeResponse(b []byte, in *dialect.Incoming, resp *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &teller{w: wire.Writer{B: append(dialect.GrowForAnswer(b, resp), '{')}, generate: isGenerate(in), own: resp.Ext.Of(Name)}
	e.speech.losses, e.speech.blind = &e.losses, e.generate
	e.headLoss(resp)
	e.head(resp.Model, timeText(resp.Created, e.own), !formed(e.own, "-model"), e.own)
	var ch scri.Choice
	if len(resp.Choices) > 0 {
		ch = resp.Choices[0]
	} else {
		e.add(scri.WarnAdded, "/choices/0", "Ollama gives one answer")
	}
	e.output(&ch)
	if len(ch.LogProbs) > 0 || formed(e.own, "+logprobs") {
		e.w.Key("logprobs")
		e.logProbs(ch.LogProbs, 0)
	}
	e.end(&ch.Finish, resp.Usage, e.own)
	rest(&e.w, e.own, false, e.written)
	for i := 1; i < len(resp.Choices); i++ {
		e.drop(index("/choices", i), "Ollama gives one answer")
	}
	return append(e.w.B, '}'), e.warn
}

func isGenerate(in *dialect.Incoming) bool {
	return in != nil && in.Route.Variant == VariantGenerate
}

// teller writes an answer, whole or as a stream.
type teller struct {
	w        wire.Writer
	own      *scri.Ext // of the answer, if it is ours
	generate bool
	losses
	speech speech
	called bool // tools
	spoke  bool // the member message is written
	names  [12]string
	n      int
}

func (e *teller) key(name string) {
	e.w.Key(name)
	if e.n < len(e.names) {
		e.names[e.n] = name
		e.n++
	}
}

// written tells which members of the answer are there already.
func (e *teller) written(name string) bool {
	if slices.Contains(e.names[:e.n], name) {
		return true
	}
	switch name {
	case "message":
		return e.spoke
	case "response", "thinking", "images", "tool_calls":
		return e.generate && e.speech.written(name)
	default:
		return false
	}
}

func (e *teller) headLoss(r *scri.ChatResponse) {
	e.foreign(r.Ext, func() string { return "" })
}

func (e *teller) head(model, created string, named bool, own *scri.Ext) {
	if model != "" || named {
		e.key("model")
		e.w.Str(model)
	}
	if created != epoch || !formed(own, "-created_at") && member(own, "created_at") == nil {
		e.key("created_at")
		e.w.Str(created)
	}
}

// output writes what the answer says.
func (e *teller) output(ch *scri.Choice) {
	s := &e.speech
	var ext *scri.Ext
	role := scri.RoleAssistant
	for i := range ch.Output {
		m := &ch.Output[i]
		e.messageLoss(m, i)
		if i == 0 {
			ext = m.Ext.Of(Name)
			if m.Role != "" {
				role = e.speaker(m.Role, i)
			}
		} else {
			e.oneSpeaker(role, m.Role, i)
		}
		for j := range m.Parts {
			s.add(&m.Parts[j], place{listOutput, i, j, -1})
		}
	}
	e.homeless(ch.Ext, func() string { return "/choices/0" })
	if s.mixed {
		path := listOutput
		if len(ch.Output) == 1 {
			path += "/0/content"
		}
		e.change(path, "", "", "Ollama has one thought and one text, without an order")
	}
	e.called = len(s.calls) > 0
	if e.generate {
		s.write(&e.w, "response", "", generateForm(ext, e.own), 0, false)
		if ext != nil {
			e.homeless(ext, func() string { return listOutput + "/0" })
		}
		return
	}
	if formed(e.own, "-message") && len(ch.Output) <= 1 && !e.said() {
		return
	}
	e.spoke = true
	e.w.Key("message")
	e.w.BeginObject()
	e.role(role, ext)
	s.write(&e.w, "content", "", ext, 0, false)
	rest(&e.w, ext, false, func(name string) bool { return s.written(name) })
	e.w.EndObject()
}

// generateForm is the form of the message for an answer of /api/generate, where
// only an answer that came from there may lack its text.
func generateForm(ext, own *scri.Ext) *scri.Ext {
	if formed(own, VariantGenerate) || formed(own, "-message") {
		return ext
	}
	return nil
}

func (e *teller) said() bool {
	s := &e.speech
	return len(s.texts)+len(s.thoughts)+len(s.images)+len(s.calls) > 0
}

func (e *teller) messageLoss(m *scri.Message, i int) {
	if m.ID != "" {
		e.drop(index(listOutput, i)+"/id", "")
	}
	if m.Name != "" {
		e.drop(index(listOutput, i)+"/name", "")
	}
	e.foreign(m.Ext, func() string { return index(listOutput, i) })
}

// speaker is the role that is written for a message. The answers of
// /api/generate have none.
func (e *teller) speaker(role scri.Role, i int) scri.Role {
	to := known(string(role))
	if e.generate {
		to = scri.RoleAssistant
	}
	if to != role {
		e.change(index(listOutput, i)+"/role", string(role), string(to), "")
	}
	return to
}

// oneSpeaker reports a message whose role is not that of the answer.
func (e *teller) oneSpeaker(role, other scri.Role, i int) {
	if other != "" && other != role {
		e.change(index(listOutput, i)+"/role", string(other), string(role), "an answer is one message here")
	}
}

func (e *teller) role(role scri.Role, ext *scri.Ext) {
	if formed(ext, "-role") && role == scri.RoleAssistant {
		return
	}
	e.w.Key("role")
	if v, ok := spelled(ext, "role"); ok && strings.EqualFold(v, string(role)) {
		e.w.Str(v)
		return
	}
	if formed(ext, "+role") && role == scri.RoleAssistant {
		role = "" // said, but empty
	}
	e.w.Str(string(role))
}

// end writes how the answer ended and what it took.
func (e *teller) end(f *scri.Finish, u *scri.Usage, own *scri.Ext) {
	if v, ok := spelled(own, "done"); ok && v == "false" {
		e.key("done")
		e.w.Bool(false)
	} else if !formed(own, "-done") {
		e.key("done")
		e.w.Bool(true)
	}
	e.finish(f, own)
	if u != nil {
		e.usage(u)
	}
}

// usage writes what the answer took, in the order in which an Ollama has told it.
// The times are those of an Ollama, or nobody's.
func (e *teller) usage(u *scri.Usage) {
	if u.Dialect == Name && isObject(u.Raw) {
		s := wire.NewScanner(u.Raw)
		for name := range s.Members() {
			if duration(name) && s.Kind() == wire.Number {
				e.key(name)
				e.w.Raw(s.Raw())
			} else {
				e.count(name, u)
			}
		}
	}
	e.count(inputCount, u)
	e.count(outputCount, u)
	for _, c := range [...]struct {
		name  string
		there bool
	}{
		{"cache_read_tokens", anyTokens(u.CacheRead)},
		{"cache_write_tokens", anyTokens(u.CacheWrite)},
		{"reasoning_tokens", anyTokens(u.Thinking)},
		{"estimated", u.Estimated},
	} {
		if c.there {
			e.drop("/usage/"+c.name, "")
		}
	}
	if u.Input == nil && u.Output == nil {
		e.drop("/usage", "there is no count that Ollama has")
	}
}

// count writes a count if it is known and was not written yet.
func (e *teller) count(name string, u *scri.Usage) {
	var n *int64
	switch name {
	case inputCount:
		n = u.Input
	case outputCount:
		n = u.Output
	}
	if n != nil && !e.written(name) {
		e.key(name)
		e.w.Int(*n)
	}
}

func (e *teller) finish(f *scri.Finish, own *scri.Ext) {
	if f.Detail != "" {
		e.drop("/choices/0/finish/detail", "")
	}
	word := reasonWord(f, e.called)
	if f.Reason == "" && (formed(own, "-done_reason") || word == "") {
		if v, _ := spelled(own, "done"); v != "false" && !formed(own, "-done") {
			e.add(scri.WarnAdded, "/choices/0/finish/reason", "an answer that is done was stopped")
		}
		return
	}
	if got := reasonOf(word, e.called); got != f.Reason {
		e.change("/choices/0/finish/reason", string(f.Reason), string(got), "")
	}
	switch unsaid := f.Dialect == Name && f.Raw == ""; {
	case word != "stop":
	case formed(own, "+done_reason"):
		word = ""
	case formed(own, "-done_reason"), unsaid: // as older ones have it
		return
	}
	e.key("done_reason")
	e.w.Str(word)
}

// reasonWord is the word for the reason: the model's own where it still fits.
func reasonWord(f *scri.Finish, calls bool) string {
	if f.Dialect == Name && f.Raw != "" && reasonOf(f.Raw, calls) == f.Reason {
		return f.Raw
	}
	switch f.Reason {
	case "":
		return ""
	case scri.FinishLength:
		return "length"
	default:
		return "stop"
	}
}

// logProbs writes the tokens; from is how many were written before.
func (e *teller) logProbs(list []scri.TokenLogProb, from int) {
	e.w.BeginArray()
	for i := range list {
		e.token(&list[i], func() string { return "/choices/0/logprobs/" + strconv.Itoa(from+i) }, true)
	}
	e.w.EndArray()
}

func (e *teller) token(t *scri.TokenLogProb, path func() string, top bool) {
	w := &e.w
	w.BeginObject()
	w.Key("token")
	w.B = t.Token.AppendJSON(w.B)
	w.Key("logprob")
	w.Float(t.LogProb)
	if len(t.Bytes) > 0 || formed(t.Ext, "+bytes") {
		w.Key("bytes")
		w.BeginArray()
		for _, c := range t.Bytes {
			w.Int(int64(c))
		}
		w.EndArray()
	}
	if top && (len(t.Top) > 0 || formed(t.Ext, "+top")) {
		w.Key("top_logprobs")
		w.BeginArray()
		for i := range t.Top {
			e.token(&t.Top[i], func() string { return path() + "/top/" + strconv.Itoa(i) }, false)
		}
		w.EndArray()
	}
	e.foreign(t.Ext, path)
	rest(w, t.Ext, true, func(name string) bool {
		return name == "token" || name == "logprob" || name == "bytes" && len(t.Bytes) > 0 || name == "top_logprobs" && len(t.Top) > 0
	})
	w.EndObject()
}

// anyTokens reports whether a count is of any token: none is as little said as zero.
func anyTokens(n *int64) bool { return n != nil && *n != 0 }
