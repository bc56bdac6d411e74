package completions

import (
	"slices"
	"unicode/utf8"

	"github.com/aratta-gateway/aratta/internal/dialect"
	"github.com/aratta-gateway/aratta/internal/wire"
	"github.com/aratta-gateway/aratta/scri"
)

// encoder writes answers, whole ones and streams.
type encoder struct {
	dialect.Trail
	w    wire.Writer
	told dialect.Once // what was warned of already
}

// once tells a single time of a member of the node that is dropped.
func (e *encoder) once(member, detail string) { e.onceOf(scri.WarnDropped, member, detail) }

func (e *encoder) onceOf(code, member, detail string) {
	if e.told.First(e.Path() + "/" + member) {
		e.Tell(code, member, "", "", detail)
	}
}

// echoed are the prompts that are to stand before the answers, if the client wants
// that and the provider has not put them there.
func echoed(req *scri.ChatRequest, more []*scri.ChatRequest, head *scri.ChatResponse) (prompts []string) {
	if req == nil || !formed(req.Ext, "echo") || head.Ext.Of(Name) != nil {
		return nil
	}
	for _, r := range slices.Concat([]*scri.ChatRequest{req}, more) {
		var prompt []byte
		for i := range r.Messages {
			for j := range r.Messages[i].Parts {
				prompt = r.Messages[i].Parts[j].Text.AppendText(prompt)
			}
		}
		prompts = append(prompts, string(prompt))
	}
	return prompts
}

// promptOf is the prompt of a choice, if each of them has so many choices.
func promptOf(prompts []string, choice, each int) string {
	if len(prompts) == 0 {
		return ""
	}
	return prompts[min(choice/max(each, 1), len(prompts)-1)]
}

// head writes what an answer or a chunk of one begins with.
func (e *encoder) head(r *scri.ChatResponse) {
	w := &e.w
	switch {
	case r.ID != "":
		w.Key("id")
		w.Str(r.ID)
	case r.Ext.Of(Name) == nil:
		w.Key("id")
		w.Str(madeID(r))
	case !formed(r.Ext, "noid"):
		w.Key("id")
		w.Str("")
	}
	if !formed(r.Ext, "noobject") {
		w.Key("object")
		w.Str(object)
	}
	if !r.Created.IsZero() {
		w.Key("created")
		w.Int(r.Created.Unix())
	} else if !formed(r.Ext, "nocreated") {
		w.Key("created")
		w.Int(0)
	}
	if r.Model != "" || !formed(r.Ext, "nomodel") {
		w.Key("model")
		w.Str(r.Model)
	}
}

// madeID is an id for an answer that has none: its lineage's, where it has one.
func madeID(r *scri.ChatResponse) string {
	if r.Lineage != nil && r.Lineage.ID != "" {
		return "cmpl-" + r.Lineage.ID
	}
	return "cmpl-0"
}

// isHead reports whether a member of an answer is written from its fields.
func isHead(name string) bool {
	switch name {
	case "choices", "usage", "object", "id", "created", "model", "error":
		return true
	default:
		return false
	}
}

// EncodeResponse appends a whole answer.
func (completions) EncodeResponse(b []byte, in *dialect.Incoming, r *scri.ChatResponse) ([]byte, []scri.Warning) {
	e := &encoder{}
	e.Own = Name
	e.w.B = append(dialect.GrowForAnswer(b, r), '{') // without a comma, whatever b ends in
	e.head(r)
	prompts := echoed(in.Req, in.More, r)
	each := len(r.Choices) / max(len(prompts), 1)
	e.w.Key("choices")
	e.w.BeginArray()
	at := e.In("choices")
	for i := range r.Choices {
		n := e.At(i)
		e.choice(&r.Choices[i], i, promptOf(prompts, i, each))
		e.Out(n)
	}
	e.Out(at)
	e.w.EndArray()
	if r.Usage != nil {
		e.estimated(r.Usage)
		dialect.WriteOpenAIUsage(&e.w, r.Usage, Name)
	}
	e.Ext(&e.w, r.Ext, func(name string) bool { return name == "choices" || name == "usage" && r.Usage != nil })
	e.w.EndObject()
	return e.w.B, e.Warn
}

// estimated tells that a count cannot be marked as an estimate.
func (e *encoder) estimated(u *scri.Usage) {
	if u.Estimated && (u.Dialect != Name || len(u.Raw) == 0) {
		at := e.In("usage")
		e.once("estimated", "counts cannot be marked as estimated")
		e.Out(at)
	}
}

// choice writes the choice that is the node.
func (e *encoder) choice(c *scri.Choice, index int, prompt string) {
	w := &e.w
	w.BeginObject()
	if !formed(c.Ext, "noindex") {
		w.Key("index")
		w.Int(int64(index))
	}
	text, said := e.output(c.Output)
	if said = said || prompt != "" || !formed(c.Ext, "notext"); said {
		w.Key("text")
		if prompt == "" {
			dialect.WriteText(w, text)
		} else {
			w.Str(prompt + text.String())
		}
	}
	if len(c.LogProbs) > 0 {
		offset := utf8.RuneCountInString(prompt)
		e.logProbs(c.LogProbs, c.Ext, 0, &offset)
	} else if c.Ext.Of(Name) == nil { // else they are there as a member, or were left out
		w.Key("logprobs")
		w.Null()
	}
	e.finish(&c.Finish, c.Ext)
	e.others(c.Ext, len(c.LogProbs) > 0, func(name string) bool { return name == "text" && said })
	w.EndObject()
}

// others writes the members of a choice that only this dialect knows, less those that
// are said. With tokens, what stands beside them is written.
func (e *encoder) others(x *scri.Ext, tokens bool, said func(name string) bool) {
	if own := x.Of(Name); own == nil || !tokens || dialect.Member(x, Name, "logprobs") == nil {
		e.Ext(&e.w, x, said)
		return
	}
	var u dialect.Unknown
	s := wire.NewScanner(x.Members)
	for name := range s.Members() {
		if m := s.Member(); name != "logprobs" {
			u.Add(m)
		}
	}
	e.Ext(&e.w, &scri.Ext{Dialect: Name, Members: u.Object()}, said)
}

func (e *encoder) finish(f *scri.Finish, x *scri.Ext) {
	if f.Reason == "" && formed(x, "nofinish") {
		return
	}
	e.w.Key("finish_reason")
	if word := e.finishWord(f); word != "" || formed(x, "finish=") {
		e.w.Str(word)
	} else {
		e.w.Null()
	}
}

// output is the text of an answer. Several are joined.
func (e *encoder) output(messages []scri.Message) (text scri.Text, said bool) {
	in := e.In("output")
	defer e.Out(in)
	var all []byte
	n := 0
	for i := range messages {
		m := &messages[i]
		at := e.At(i)
		e.envelope(m)
		within := e.In("content")
		for j := range m.Parts {
			at := e.At(j)
			if p := &m.Parts[j]; e.speaks(p) && !p.Text.IsZero() {
				if n++; n == 1 {
					text = p.Text
				} else {
					if n == 2 {
						all = text.AppendText(nil)
					}
					all = p.Text.AppendText(all)
				}
			}
			e.Out(at)
		}
		e.Out(within)
		e.Out(at)
	}
	if n < 2 {
		return text, n > 0
	}
	for i := range messages {
		at := e.At(i)
		if saysWords(&messages[i]) {
			e.joined()
		}
		e.Out(at)
	}
	return scri.PlainText(all), true
}

// joined tells that the texts of the message that is the node became one.
func (e *encoder) joined() { e.onceOf(scri.WarnChanged, "content", "texts are joined") }

func saysWords(m *scri.Message) bool {
	for i := range m.Parts {
		if p := &m.Parts[i]; (p.Kind == scri.PartText || p.Kind == scri.PartRefusal) && !p.Text.IsZero() {
			return true
		}
	}
	return false
}

// envelope reports what of an answer's message has no place.
func (e *encoder) envelope(m *scri.Message) {
	if m.ID != "" {
		e.Drop("id", "a text has no messages")
	}
	if m.Name != "" {
		e.Drop("name", "speakers have no names here")
	}
	if m.Role != scri.RoleAssistant && m.Role != "" {
		e.Tell(scri.WarnChanged, "role", string(m.Role), string(scri.RoleAssistant), "")
	}
	e.Homeless(m.Ext)
}

// speaks reports whether the part that is the node is words, and tells what of it has
// no place.
func (e *encoder) speaks(p *scri.Part) bool {
	switch p.Kind {
	case scri.PartText:
	case scri.PartRefusal:
		e.Tell(scri.WarnChanged, "kind", string(p.Kind), string(scri.PartText), "a refusal is a text here")
	case scri.PartThinking:
		e.Drop("", "thoughts have no place in a text")
		return false
	case scri.PartToolCall:
		e.Drop("", "nothing can be called here")
		return false
	default:
		e.Drop("", "an answer is words here")
		return false
	}
	if p.Cache != nil {
		e.Drop("cache", "answers have no marks here")
	}
	if p.Signature != nil {
		e.Drop("signature", "nothing is signed here")
	}
	if len(p.Citations) > 0 {
		e.once("citations", "a text has no citations here")
	}
	e.Homeless(p.Ext)
	return true
}
